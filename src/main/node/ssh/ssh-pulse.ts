import type { Client } from 'ssh2';
import type { ProbeResult } from '../../core/connection/ports.ts';
import type { Disposable } from '../../core/lifecycle.ts';
import type { Clock } from '../../core/ports.ts';
import { LinkWatchdog, type WatchdogEvents, type WatchdogTiming } from './link-watchdog.ts';

const NOT_ALIVE: ProbeResult = { alive: false, latencyMs: null };

/** Every server must answer a global request, with success or failure (RFC 4254, section 4). False: not sent. */
function ping(client: Client, onReply: (isReply: boolean) => void): boolean {
  try {
    client.openssh_noMoreSessions((error) => {
      onReply(!/No response from server/.test(error?.message ?? ''));
    });
    return true;
  } catch {
    return false;
  }
}

/** Asks the server for any reply within the limit. */
export function probeServer(client: Client, clock: Clock, limitMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const startedAtMs = clock.monotonicMs();
    const timer = clock.setTimer(limitMs, () => resolve(NOT_ALIVE));
    const isSent = ping(client, (isReply) => {
      timer.dispose();
      resolve(isReply ? { alive: true, latencyMs: clock.monotonicMs() - startedAtMs } : NOT_ALIVE);
    });
    if (!isSent) {
      timer.dispose();
      resolve(NOT_ALIVE);
    }
  });
}

/** Watches over the link of a client that is logged in, until it is disposed. */
export function watchServer(
  client: Client,
  bytesRead: () => number,
  clock: Clock,
  events: WatchdogEvents,
  timing: WatchdogTiming,
): Disposable {
  const link = {
    bytesRead,
    ping: (onReply: () => void) => {
      ping(client, (isReply) => {
        if (isReply) onReply();
      });
    },
  };
  return new LinkWatchdog(link, clock, events, timing);
}
