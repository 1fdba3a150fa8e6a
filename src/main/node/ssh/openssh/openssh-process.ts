import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Runs ssh ("$@") in a process group of its own and ends all of it when standard input closes: by us, or because we are gone
 * in whatever way, SIGKILL too. `cat` waits for that. Whoever is first, the ssh that ends or the input, the group is killed at
 * last and the private folder ($1) removed. ssh gets a second and a half to end in order. Whoever would read its exit code may
 * be gone: that must not end the guard before it has ended the others (PIPE).
 */
const GUARD = `
dir=$1
shift
exec 3<&0
trap : TERM PIPE
"$@" </dev/null 3<&- >/dev/null &
ssh=$!
{ cat <&3; kill -TERM $ssh; sleep 1.5 || sleep 2; rm -rf -- "$dir"; kill -KILL 0; } >/dev/null 2>&1 &
exec 3<&- </dev/null
wait $ssh
echo $?
rm -rf -- "$dir"
kill -KILL 0
`;

const MAX_LINE_CHARS = 4_096;
/** For what is written already to be read. */
const LAST_LINES_MS = 300;

export interface OpensshProcess {
  /** Of the guard, which leads the process group. */
  readonly pid: number | null;
  /** Ends ssh and all that it started; `onExit` follows. */
  end(): void;
}

export interface OpensshProcessEvents {
  /** One line of standard error, bounded; of ssh and of what it starts. */
  onLine(line: string): void;
  /** Once, after the last line. Null: it was killed. */
  onExit(exitCode: number | null): void;
}

/**
 * Starts ssh under its guard. `dir` is removed at the end.
 */
export function startOpenssh(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  dir: string,
  events: OpensshProcessEvents,
): OpensshProcess {
  const child = spawn('/bin/sh', ['-c', GUARD, 'gangway-ssh', dir, ...command], {
    env: { ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let exitCode: number | null = null;
  let isOver = false;
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (bytes: Buffer) => {
    const match = /^\d{1,3}/.exec(bytes.toString('latin1'));
    if (match !== null) exitCode = Number(match[0]);
  });
  const lines = createInterface({ input: child.stderr, crlfDelay: Infinity });
  // It repeats its input's errors, and throws those that nobody hears.
  lines.on('error', () => undefined);
  lines.on('line', (line) => events.onLine(line.slice(0, MAX_LINE_CHARS)));
  const over = (): void => {
    if (isOver) return;
    isOver = true;
    lines.close();
    child.stderr.destroy();
    events.onExit(exitCode);
  };
  child.on('error', over);
  child.on('close', over);
  // A jump's ControlPersist master goes into the background by the user's wish and keeps standard error open.
  child.on('exit', () => setTimeout(over, LAST_LINES_MS).unref());
  return {
    pid: child.pid ?? null,
    end: () => {
      child.stdin.destroy();
    },
  };
}
