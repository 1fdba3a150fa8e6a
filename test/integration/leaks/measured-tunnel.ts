import { fork } from 'node:child_process';
import { join } from 'node:path';
import { Emitter } from '../../../src/main/core/emitter.ts';
import type { TunnelChannel, TunnelReport } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { within } from '../../support/lab/wait.ts';
import type { Usage } from './usage.ts';

type Message = { readonly report: TunnelReport } | { readonly usage: Usage };

/** A tunnel process of its own, of which nothing but the tunnel counts. */
export interface MeasuredTunnel extends TunnelChannel {
  measure(): Promise<Usage>;
}

export function startMeasuredTunnel(): MeasuredTunnel {
  const child = fork(join(import.meta.dirname, 'measured-tunnel-main.ts'), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const reports = new Emitter<TunnelReport>();
  const exits = new Emitter<number | null>();
  const measured: ((usage: Usage) => void)[] = [];
  child.on('message', (message) => {
    const told = message as Message;
    if ('report' in told) reports.emit(told.report);
    else measured.shift()?.(told.usage);
  });
  child.on('exit', (code) => exits.emit(code));
  return {
    post: (command) => void child.send({ command }),
    onReport: (listener) => reports.on(listener),
    onExit: (listener) => exits.on(listener),
    kill: () => void child.kill('SIGKILL'),
    measure() {
      const answer = new Promise<Usage>((resolve) => measured.push(resolve));
      child.send({});
      return within(answer, 10_000, 'the tunnel process to tell what it holds');
    },
  };
}
