import { Emitter } from '../../core/emitter.ts';
import type { Clock } from '../../core/ports.ts';
import type { TunnelChannel, TunnelReport } from '../../core/tunnel/tunnel-protocol.ts';
import { systemClock } from '../system-clock.ts';
import type { SshTiming } from '../ssh/ssh-timing.ts';
import { TunnelHost } from './tunnel-host.ts';

/**
 * A tunnel host without a process between: for plain Node and for tests. Messages are cloned and delivered later, as
 * between processes, so that nobody comes to rely on sharing or on being called back at once.
 */
export function inProcessChannel(timing?: SshTiming, clock: Clock = systemClock): TunnelChannel {
  const reports = new Emitter<TunnelReport>();
  const exits = new Emitter<number | null>();
  let isOver = false;
  const exit = (code: number | null): void => {
    if (isOver) return;
    isOver = true;
    queueMicrotask(() => {
      exits.emit(code);
      exits.dispose();
      reports.dispose();
    });
  };
  const host = new TunnelHost({
    clock,
    post: (report) => {
      const copy = structuredClone(report);
      queueMicrotask(() => {
        if (!isOver) reports.emit(copy);
      });
    },
    onShutdown: () => exit(0),
    ...(timing === undefined ? {} : { timing }),
  });
  return {
    post(command) {
      const copy = structuredClone(command);
      queueMicrotask(() => {
        if (!isOver) host.receive(copy);
      });
    },
    onReport: (listener) => reports.on(listener),
    onExit: (listener) => exits.on(listener),
    kill() {
      void host.shutdown();
      exit(null);
    },
  };
}
