import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAppHome, startApp, type AppHome, type AppOptions, type LabApp } from './app.ts';
import { startJanitor } from './child.ts';
import { startDesktop, type Desktop, type DesktopOptions } from './desktop.ts';
import { startEmbeddedSsh, type EmbeddedSshOptions, type EmbeddedSshServer } from './embedded-ssh-server.ts';
import { startFaultProxy, type FaultProxy, type FaultProxyOptions } from './fault-proxy.ts';
import { startGateway, type Gateway, type GatewayOptions } from './gateway.ts';
import { startScriptedModel, type ScriptedModel, type ScriptedModelOptions } from './scripted-model.ts';
import {
  startDropbear,
  startTinySsh,
  type SmallSshServer,
  type SmallSshServerOptions,
} from './small-ssh-servers.ts';
import { startSshAgent, type SshAgent, type SshAgentOptions } from './ssh-agent.ts';
import { startSshd, type Sshd, type SshdOptions } from './sshd.ts';

export interface Closable {
  close(): Promise<void>;
}

export interface Lab extends AsyncDisposable {
  /** A temporary folder of its own, reachable (0755) by the unprivileged user. Removed with the lab. */
  readonly dir: string;
  /** Makes a folder of this name (with a number, if taken) in the lab's. */
  folder(name: string): string;
  /** Closes `part` with the lab. */
  own<T extends Closable>(part: T): T;
  startSshd(options?: SshdOptions): Promise<Sshd>;
  /** Needs root: see `accountsUnavailable`. */
  startDropbear(options: SmallSshServerOptions): Promise<SmallSshServer>;
  /** Needs root: see `accountsUnavailable`. */
  startTinySsh(options: SmallSshServerOptions): Promise<SmallSshServer>;
  startSshAgent(options?: SshAgentOptions): Promise<SshAgent>;
  startEmbeddedSsh(options?: EmbeddedSshOptions): Promise<EmbeddedSshServer>;
  startModel(options?: ScriptedModelOptions): Promise<ScriptedModel>;
  startGateway(options: GatewayOptions): Promise<Gateway>;
  startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy>;
  startDesktop(options?: DesktopOptions): Promise<Desktop>;
  /** A home folder for the app, with an empty `.ssh`, owned by the app's user. */
  createAppHome(): Promise<AppHome>;
  startApp(options: AppOptions): Promise<LabApp>;
  /** Ends all parts, the last one first, and removes the folder. Safe to call again. */
  close(): Promise<void>;
}

export interface LabOptions {
  /** Part of the folder's name, to tell labs apart in a process list. */
  readonly label?: string;
}

const open = new Set<Lab>();

/**
 * Makes an empty lab. Parts started through it end with `close`, on SIGINT, SIGTERM and SIGHUP, and when this process
 * ends in any other way (see guard.pl).
 */
export function createLab(options: LabOptions = {}): Promise<Lab> {
  endWithProcess();
  // Socket paths below it must stay within 107 characters (unix(7)).
  const label = (options.label ?? 'test').replaceAll(/[^\w-]+/g, '-').slice(0, 20);
  const dir = mkdtempSync(join(tmpdir(), `gangway-lab-${label}-`));
  const janitor = startJanitor(dir);
  chmodSync(dir, 0o755);
  const parts: Closable[] = [];
  const pending = new Set<Promise<Closable>>();
  const names = new Map<string, number>();
  let closing: Promise<void> | null = null;

  function own<T extends Closable>(part: T): T {
    parts.push(part);
    return part;
  }

  /** Parts may start side by side; `close` waits for those that are under way. */
  async function start<T extends Closable>(starting: Promise<T>): Promise<T> {
    const owned = starting.then(own);
    pending.add(owned);
    try {
      return await owned;
    } finally {
      pending.delete(owned);
    }
  }

  function folder(name: string): string {
    const count = (names.get(name) ?? 0) + 1;
    names.set(name, count);
    const path = join(dir, count === 1 ? name : `${name}-${count}`);
    mkdirSync(path, { mode: 0o755 });
    chmodSync(path, 0o755);
    return path;
  }

  async function closeAll(): Promise<void> {
    await Promise.allSettled(pending);
    const failures: unknown[] = [];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      try {
        await part.close();
      } catch (error) {
        failures.push(error);
      }
    }
    await janitor.close();
    open.delete(lab);
    if (failures.length > 0) throw new AggregateError(failures, 'Some parts of the lab did not close.');
  }

  const lab: Lab = {
    dir,
    folder,
    own,
    startSshd: (given) => start(startSshd(folder('sshd'), given)),
    startDropbear: (given) => start(startDropbear(folder('dropbear'), given)),
    startTinySsh: (given) => start(startTinySsh(folder('tinyssh'), given)),
    startSshAgent: (given) => start(startSshAgent(folder('agent'), given)),
    startEmbeddedSsh: (given) => start(startEmbeddedSsh(given)),
    startModel: (given) => start(startScriptedModel(given)),
    startGateway: (given) => start(startGateway(folder('gateway'), given)),
    startFaultProxy: (given) => start(startFaultProxy(given)),
    startDesktop: (given) => start(startDesktop(folder('desktop'), given)),
    createAppHome: () => createAppHome(folder('home')),
    startApp: (given) => start(startApp(folder('app'), given)),
    close() {
      closing ??= closeAll();
      return closing;
    },
    [Symbol.asyncDispose]: () => lab.close(),
  };
  open.add(lab);
  return Promise.resolve(lab);
}

/** Runs something with a lab of its own, which is closed afterwards whatever happens. */
export async function withLab<T>(label: string, run: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await createLab({ label });
  try {
    return await run(lab);
  } finally {
    await lab.close();
  }
}

let registered = false;

function endWithProcess(): void {
  if (registered) return;
  registered = true;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      void Promise.allSettled([...open].map((lab) => lab.close())).then(() => {
        // Whoever else listens (a test runner, the demo) decides how the process ends.
        if (process.listenerCount(signal) === 0) process.exit(128 + constants.signals[signal]);
      });
    });
  }
}
