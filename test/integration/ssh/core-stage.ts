import { CoreSubject, type CoreOptions } from '../../support/core/core-subject.ts';
import type { FaultProxy } from '../../support/lab/fault-proxy.ts';
import type { AppHome } from '../../support/lab/app.ts';
import type { Lab } from '../../support/lab/lab.ts';
import { freePort } from '../../support/lab/ports.ts';
import { sharedGateway } from '../../support/lab/shared-gateway.ts';
import type { SshServerLike } from './tunnel-fixture.ts';
import { type ConnectionFailure, type FailureCode } from '../../../src/shared/connection-failure.ts';
import type { ConnectStage } from '../../../src/shared/connection-state.ts';
import { describeFailure } from '../../../src/shared/failure-remedies.ts';
import { failureTarget } from '../../../src/shared/gateway-label.ts';
import { createTranslate } from '../../../src/shared/i18n/index.ts';

const english = createTranslate('en');

export interface CoreStage {
  readonly core: CoreSubject;
  readonly home: AppHome;
  readonly proxy: FaultProxy;
  readonly localPort: number;
  /** Lines of known_hosts for the server as it is reached: through the proxy. */
  readonly knownHostsLine: () => string;
}

/**
 * Everything but Electron, reaching the shared real Gateway through a fault proxy and this SSH server, with its key in the
 * home folder and its host key trusted.
 */
export async function stageThrough(
  lab: Lab,
  server: SshServerLike,
  options: Partial<Pick<CoreOptions, 'createChannel' | 'id'>> & {
    readonly user?: string;
    readonly trusted?: boolean;
    readonly localPort?: number;
  } = {},
): Promise<CoreStage> {
  const { gateway } = await sharedGateway();
  const proxy = await lab.startFaultProxy({ targetPort: server.port });
  const home = await lab.createAppHome();
  home.writeKey('id_ed25519', server.clientKey);
  const knownHostsLine = (): string => server.knownHostsLine('127.0.0.1', proxy.port);
  if (options.trusted !== false) home.writeKnownHosts([knownHostsLine()]);
  const localPort = options.localPort ?? (await freePort());
  const core = new CoreSubject({
    ...options,
    ssh: {
      target: `${options.user ?? server.user}@127.0.0.1:${proxy.port}`,
      gatewayPort: gateway.port,
      localPort,
      transport: 'ssh2',
    },
    token: gateway.token ?? '',
    home: home.dir,
  });
  lab.own(core);
  return { core, home, proxy, localPort, knownHostsLine };
}

/** Waits until the connection needs a person for this reason; the failure and the title that the person reads. */
export async function blockedBy<C extends FailureCode>(
  core: CoreSubject,
  code: C,
): Promise<{ readonly failure: Extract<ConnectionFailure, { code: C }>; readonly title: string }> {
  const state = await core.until('blocked');
  if (state.status !== 'blocked' || state.failure.code !== code)
    throw new Error(`Expected ${code}, got ${JSON.stringify(state)}`);
  const found = state.failure as Extract<ConnectionFailure, { code: C }>;
  return {
    failure: found,
    title: describeFailure(found, failureTarget(core.profile, english), english).title,
  };
}

/** A stage of an attempt as people read it. */
export function stageInWords(stage: ConnectStage): string {
  return english(`stages.${stage}`);
}

/** What systems tell all day must not make a blocked connection try again. */
export function hint(core: CoreSubject): void {
  core.power.suspend();
  core.power.resume();
  core.connectivity.set(false);
  core.connectivity.set(true);
}
