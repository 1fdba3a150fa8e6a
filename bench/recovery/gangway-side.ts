import { CoreSubject } from '../../test/support/core/core-subject.ts';
import { forkedChannel } from '../../test/support/core/forked-channel.ts';
import { MovableClock } from '../../test/support/core/movable-clock.ts';
import type { Gateway } from '../../test/support/lab/gateway.ts';
import type { Lab } from '../../test/support/lab/lab.ts';
import { freePort } from '../../test/support/lab/ports.ts';
import type { Sshd } from '../../test/support/lab/sshd.ts';
import { LinkHistory, type Side } from './side.ts';

export interface GangwaySide extends Side {
  readonly core: CoreSubject;
}

const EIGHT_HOURS_MS = 8 * 3_600_000;

/** Gangway without Electron: supervisor, session and chat here, the tunnel in a process of its own, as in the app. */
export async function startGangway(
  lab: Lab,
  sshd: Sshd,
  gateway: Gateway,
  sessionKey: string,
): Promise<GangwaySide> {
  const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
  const home = await lab.createAppHome();
  home.writeKey('id_ed25519', sshd.clientKey);
  home.writeKnownHosts([sshd.knownHostsLine('127.0.0.1', proxy.port)]);
  const localPort = await freePort();
  const clock = new MovableClock();
  const core = new CoreSubject({
    ssh: { target: `${sshd.user}@127.0.0.1:${proxy.port}`, gatewayPort: gateway.port, localPort },
    token: gateway.token ?? '',
    home: home.dir,
    clock,
    createChannel: () => forkedChannel(),
  });
  lab.own(core);
  const history = new LinkHistory();
  const look = (): void => {
    if (core.state.status !== 'connected') history.lost();
    else if (isShown && core.views.view(sessionKey).meta.load === 'loaded') history.usable();
  };
  let isShown = false;
  core.gateway.connection.onChange(look);
  core.gateway.chat.onPatch(look);
  await core.connectUp();
  await core.show(sessionKey);
  isShown = true;
  look();
  return {
    name: 'Gangway',
    proxy,
    localPort,
    history,
    core,
    wake() {
      core.power.suspend();
      clock.sleep(EIGHT_HOURS_MS);
      core.power.resume();
    },
    close: () => core.close(),
  };
}
