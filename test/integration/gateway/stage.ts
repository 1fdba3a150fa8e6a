import type { Clock } from '../../../src/main/core/ports.ts';
import { describeFailure } from '../../../src/shared/failure-remedies.ts';
import type { ConnectionFailure, FailureCode } from '../../../src/shared/connection-failure.ts';
import { type ConnectionState, connectionFailureOf } from '../../../src/shared/connection-state.ts';
import { failureTarget } from '../../../src/shared/gateway-label.ts';
import type { LadderLayer, LadderRung } from '../../../src/shared/health.ts';
import { createTranslate } from '../../../src/shared/i18n/index.ts';
import { CoreSubject, type CoreOptions } from '../../support/core/core-subject.ts';
import type { MemorySecrets } from '../../support/fakes/memory-secrets.ts';
import type { Lab } from '../../support/lab/lab.ts';
import { freePort } from '../../support/lab/ports.ts';
import type { Sshd } from '../../support/lab/sshd.ts';

const english = createTranslate('en');

export interface Stage {
  readonly core: CoreSubject;
  readonly sshd: Sshd;
}

export interface StageOptions {
  readonly gatewayPort: number;
  readonly token?: string;
  readonly sshd?: Sshd;
  /** Where the SSH server is reached, if not directly. */
  readonly sshPort?: number;
  readonly secrets?: MemorySecrets;
  readonly clock?: Clock;
  readonly createChannel?: NonNullable<CoreOptions['createChannel']>;
}

/** Everything but Electron, with a real sshd between it and this port. */
export async function startStage(lab: Lab, options: StageOptions): Promise<Stage> {
  const sshd = options.sshd ?? (await lab.startSshd());
  const sshPort = options.sshPort ?? sshd.port;
  const home = await lab.createAppHome();
  home.writeKey('id_ed25519', sshd.clientKey);
  home.writeKnownHosts([sshd.knownHostsLine('127.0.0.1', sshPort)]);
  const core = new CoreSubject({
    ssh: {
      target: `${sshd.user}@127.0.0.1:${sshPort}`,
      gatewayPort: options.gatewayPort,
      localPort: await freePort(),
      transport: 'ssh2',
    },
    token: options.token ?? 'a-token',
    home: home.dir,
    ...(options.secrets ? { secrets: options.secrets } : {}),
    ...(options.clock ? { clock: options.clock } : {}),
    ...(options.createChannel ? { createChannel: options.createChannel } : {}),
  });
  lab.own(core);
  return { core, sshd };
}

/** Waits for this failure, in whatever state it is shown. */
export async function untilFailed<C extends FailureCode>(
  core: CoreSubject,
  code: C,
  timeoutMs = 30_000,
): Promise<Extract<ConnectionFailure, { readonly code: C }>> {
  const state = await core.untilState(code, (seen) => failureIn(seen)?.code === code, timeoutMs);
  return failureIn(state) as Extract<ConnectionFailure, { readonly code: C }>;
}

export function failureIn(state: ConnectionState): ConnectionFailure | null {
  return connectionFailureOf(state);
}

/** Milliseconds of `performance.now()` at which the first such state since `sinceMs` was seen. */
export function seenAtMs(
  core: CoreSubject,
  sinceMs: number,
  holds: (state: ConnectionState) => boolean,
): number {
  const seen = core.statesSince(sinceMs).find(({ state }) => holds(state));
  if (!seen) throw new Error('No such state was seen');
  return seen.atMs;
}

export const isConnected = ({ status }: ConnectionState): boolean => status === 'connected';

export function rungOf(core: CoreSubject, layer: LadderLayer): LadderRung {
  const rung = core.gateway.connection.snapshot().ladder.find((candidate) => candidate.layer === layer);
  if (!rung) throw new Error(`There is no rung ${layer}`);
  return rung;
}

/** What the person reads. */
export function wordsOf(core: CoreSubject, failure: ConnectionFailure): { title: string; body: string } {
  const { title, body } = describeFailure(failure, failureTarget(core.profile, english), english);
  return { title, body };
}
