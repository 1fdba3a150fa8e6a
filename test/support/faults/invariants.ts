import { readFileSync } from 'node:fs';

/** Checks of the invariants that hold in every row of the fault matrix, for tests that watch from outside. */

/** I5: after so long without a byte from the server, SSH is no longer shown as fine. */
export const SSH_PROOF_MS = 10_000;
/** I5: the same of the gateway and its frames. */
export const GATEWAY_PROOF_MS = 16_000;

/**
 * TCP connections of this machine to a port of 127.0.0.1 that both ends hold to be open, counted at the side that
 * connected. Reads /proc/net/tcp (proc(5)): 0 where there is none.
 */
export function connectionsTo(port: number): number {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  let table: string;
  try {
    table = readFileSync('/proc/net/tcp', 'utf8');
  } catch {
    return 0;
  }
  return table.split('\n').filter((line) => {
    const [, , remote = '', state] = line.trim().split(/\s+/);
    return state === ESTABLISHED && remote === `0100007F:${wanted}`;
  }).length;
}

const ESTABLISHED = '01';

export interface Observation {
  readonly atMs: number;
  /** Whether a person sees SSH, and the gateway, as fine. */
  readonly sshIsOk: boolean;
  readonly gatewayIsOk: boolean;
  /** When the last byte came from the SSH server. */
  readonly lastByteAtMs: number;
  /** Since when the gateway cannot have said anything; null while it can. */
  readonly gatewaySilentSinceMs: number | null;
  /** Open SSH connections, as the system counts them. */
  readonly sshConnections: number;
  /** SSH connections begun since the start. */
  readonly attempts: number;
  /** Attempts that a person asked for, since the start. */
  readonly asked: number;
}

/** A watcher's looks come late on a busy machine, and so do the app's words. */
const SLACK_MS = 1_500;
const RATE_WINDOW_MS = 10_000;

/** I5, I6 and I12 over a series of looks; sentences, none expected. */
export class InvariantWatch {
  readonly violations: string[] = [];
  readonly #window: Observation[] = [];
  #previous: Observation | null = null;

  see(now: Observation): void {
    const previous = this.#previous;
    this.#previous = now;
    const bytesAgoMs = now.atMs - now.lastByteAtMs;
    if (now.sshIsOk && previous?.sshIsOk === true && bytesAgoMs > SSH_PROOF_MS + SLACK_MS)
      this.#violate('I5', now, `SSH is shown as fine ${Math.round(bytesAgoMs)} ms after its last byte`);
    const silentMs = now.gatewaySilentSinceMs === null ? 0 : now.atMs - now.gatewaySilentSinceMs;
    if (now.gatewayIsOk && previous?.gatewayIsOk === true && silentMs > GATEWAY_PROOF_MS + SLACK_MS)
      this.#violate(
        'I5',
        now,
        `the gateway is shown as fine ${Math.round(silentMs)} ms after it fell silent`,
      );
    // Twice in a row: the table is not read in one moment.
    if (now.sshConnections > 1 && (previous?.sshConnections ?? 0) > 1)
      this.#violate('I6', now, `${now.sshConnections} SSH connections are open`);

    this.#window.push(now);
    while ((this.#window[0]?.atMs ?? now.atMs) < now.atMs - RATE_WINDOW_MS) this.#window.shift();
    const [first] = this.#window;
    if (first === undefined) return;
    const own = now.attempts - first.attempts - (now.asked - first.asked);
    if (own > RATE_WINDOW_MS / 1_000) {
      this.#violate('I12', now, `${own} attempts within ${RATE_WINDOW_MS} ms`);
      this.#window.length = 0;
    }
  }

  #violate(invariant: string, { atMs }: Observation, what: string): void {
    // What goes on and on is told often enough.
    if (this.violations.at(-1)?.startsWith(invariant) === true && this.violations.length > 20) return;
    this.violations.push(`${invariant} at ${Math.round(atMs)} ms: ${what}`);
  }
}

/** I10: which of these secrets are in a text, by the names that they are given here. */
export function secretsIn(text: string, secrets: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(secrets)
    .filter(([, value]) => value !== '' && text.includes(value))
    .map(([name]) => name);
}
