import { descendantsOf, processInfo, type ProcessInfo } from './child.ts';
import { waitFor } from './wait.ts';

export interface LeakWatch {
  /** Waits until all that came since is gone again; rejects naming what is left. */
  assertNone(timeoutMs?: number): Promise<void>;
}

/**
 * Notes the child processes and the open handles of this process. For a test that ends its parts itself:
 * `const leaks = watchForLeaks(); … await lab.close(); await leaks.assertNone();`
 */
export function watchForLeaks(): LeakWatch {
  // Node opens its own streams at their first use, which is no leak.
  process.stdout.write('');
  process.stderr.write('');
  const processesBefore = new Set(processesOfOurs().map((info) => info.pid));
  const handlesBefore = countHandles();

  function leaks(): string[] {
    const processes = processesOfOurs()
      .filter((info) => !processesBefore.has(info.pid))
      .map((info) => `process ${info.pid}: ${info.command.slice(0, 200)}`);
    const handles = [...countHandles()]
      .filter(([kind, count]) => count > (handlesBefore.get(kind) ?? 0))
      .map(([kind, count]) => `${count - (handlesBefore.get(kind) ?? 0)} more ${kind}`);
    return [...processes, ...handles];
  }

  return {
    async assertNone(timeoutMs = 10_000) {
      await waitFor(() => leaks().length === 0, {
        what: 'everything that was started to be gone',
        timeoutMs,
        detail: () => leaks().join('\n'),
      });
    },
  };
}

/** Children of this process and all below them; a guard counts, for it must end too. */
function processesOfOurs(): ProcessInfo[] {
  const self = processInfo(process.pid);
  return self === null ? [] : descendantsOf(process.pid);
}

/** Sockets, servers and pipes; timers are left out, for test runners have their own. */
const COUNTED = new Set([
  'TCPSocketWrap',
  'TCPServerWrap',
  'PipeWrap',
  'PipeServerWrap',
  'ProcessWrap',
  'UDPWrap',
]);

function countHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (COUNTED.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
