import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { Emitter } from '../../../src/main/core/emitter.ts';
import type { TunnelChannel, TunnelReport } from '../../../src/main/core/tunnel/tunnel-protocol.ts';

/** A tunnel process of its own under plain Node, as Electron's utility process is in the app: to be killed and stopped. */
export interface ForkedChannel extends TunnelChannel {
  readonly pid: number;
}

export function forkedChannel(): ForkedChannel {
  return forkedChannelBy(process.execPath);
}

/** As `forkedChannel`, run by this program in place of Node's own, for example within a namespace. */
export function forkedChannelBy(node: string): ForkedChannel {
  const child: ChildProcess = fork(join(import.meta.dirname, 'tunnel-child-main.ts'), [], {
    execPath: node,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const reports = new Emitter<TunnelReport>();
  const exits = new Emitter<number | null>();
  let isKilled = false;
  child.on('message', (message) => reports.emit(message as TunnelReport));
  child.on('error', () => undefined);
  child.on('exit', (code) => {
    exits.emit(isKilled ? null : code);
    reports.dispose();
    exits.dispose();
  });
  return {
    pid: child.pid ?? 0,
    post(command) {
      if (child.connected) child.send(command, () => undefined);
    },
    onReport: (listener) => reports.on(listener),
    onExit: (listener) => exits.on(listener),
    kill() {
      isKilled = true;
      child.kill('SIGKILL');
    },
  };
}
