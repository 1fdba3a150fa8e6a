import type { ConnectionFailure } from '../../../shared/connection-failure.ts';
import { err, type Result } from '../../../shared/result.ts';
import { MutableDisposable, type Disposable } from '../../core/lifecycle.ts';
import type { Clock } from '../../core/ports.ts';

/** More than pings bring in the time that a forward may take to open: other channels use the link. */
const BUSY_BYTES = 16 * 1024;
/** On a link that is busy; two full windows of ssh2 (2 MiB each) at 1 Mbit/s pass in half of it. */
const BUSY_FORWARD_LIMIT_MS = 60_000;

export interface LimitedForward<T> {
  /** While the link is otherwise idle. */
  readonly limitMs: number;
  readonly clock: Clock;
  /** Over the connection that carries the forward. */
  bytesReceived(): number;
  /** Begins; `settle` counts once. Gives what to do when the time is over first. */
  open(settle: (result: Result<T, ConnectionFailure>) => void): () => void;
  onTimeout(waitedMs: number): ConnectionFailure;
}

/** Waits for a forward to open: longer where its answer waits its turn behind other channels' data. */
export function withForwardLimit<T>(forward: LimitedForward<T>): Promise<Result<T, ConnectionFailure>> {
  const { limitMs, clock } = forward;
  return new Promise((resolve) => {
    const startedAtMs = clock.monotonicMs();
    let receivedBefore = forward.bytesReceived();
    const timer = new MutableDisposable<Disposable>();
    const onLimit = (): void => {
      const received = forward.bytesReceived();
      const waitedMs = clock.monotonicMs() - startedAtMs;
      if (received - receivedBefore > BUSY_BYTES && waitedMs < BUSY_FORWARD_LIMIT_MS) {
        receivedBefore = received;
        timer.set(clock.setTimer(limitMs, onLimit));
        return;
      }
      giveUp();
      resolve(err(forward.onTimeout(Math.round(waitedMs))));
    };
    timer.set(clock.setTimer(limitMs, onLimit));
    const giveUp = forward.open((result) => {
      timer.dispose();
      resolve(result);
    });
  });
}
