import { chmodSync, copyFileSync, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { appUser, giveToAppUser } from '../../test/support/lab/app-user.ts';
import type { AppHome } from '../../test/support/lab/app.ts';
import type { Lab } from '../../test/support/lab/lab.ts';
import type { RemoteHost } from './remote-host.ts';
import type { Timeline } from './timeline.ts';
import type { GangwayApi, GatewayDraft } from '../../src/shared/ipc-contract.ts';

/** Time for the answer to arrive before the connection goes. */
const CUT_AFTER_MS = 1_500;

export interface PersonParts {
  readonly lab: Lab;
  readonly host: RemoteHost;
  readonly localPort: number;
  readonly timeline: Timeline;
}

/** Opens the app on the person's own display, filled in and connecting; resolves when the person quits it. */
export async function openForPerson({ lab, host, localPort, timeline }: PersonParts): Promise<void> {
  host.model.setHandler((request) => {
    if (!request.userText.includes('!drop') || request.toolResult !== null) return null;
    setTimeout(() => {
      timeline.mark('SSH connection cut, as you asked');
      host.dropConnections();
    }, CUT_AFTER_MS);
    return {
      kind: 'text',
      chunks: ['The connection will be cut now. ', 'Write again to see that it is back.'],
    };
  });
  const home = await lab.createAppHome();
  home.writeKey('id_ed25519', host.userKey);
  const app = await lab.startApp({ desktop: ownDesktop(home), home, args: ['--open=settings'] });
  const ended = new Promise<void>((resolve) => app.electronApp.once('close', () => resolve()));
  const settings = await app.window('settings');
  const entered: Omit<GatewayDraft, 'gatewayId'> = {
    name: 'Demo host',
    mode: 'ssh',
    sshTarget: host.target,
    gatewayPort: host.gateway.port,
    localPort,
    sshTransport: 'automatic',
    identityFile: '',
    directUrl: '',
    localGatewayPort: 18_789,
    token: host.gateway.token,
    password: null,
  };
  await settings.evaluate(async (draft) => {
    const api = (window as unknown as { gangway: GangwayApi }).gangway;
    const snapshot = await api.app.getSnapshot(null);
    if (!snapshot.ok) throw new Error('The app did not tell its state');
    const saved = await api.settings.saveAndConnect({ ...draft, gatewayId: snapshot.value.primaryGatewayId });
    if (!saved.ok || !saved.value.ok) throw new Error(`The settings were refused: ${JSON.stringify(saved)}`);
  }, entered);
  timeline.mark('Gangway is open and connects to the demo host');
  process.stdout.write(`
What to do now:
  1. Gangway asks whether the host key is the right one. It must read
     ${host.hostKeyFingerprint}
     Then choose "Trust and connect".
  2. Choose "WebChat" and write something. A scripted model answers through a real OpenClaw Gateway.
     Try "!markdown", "!slow 20" (and "Stop"), or "!error".
  3. Write "!drop": the SSH connection is cut, and comes back by itself.

Ctrl-C here, or Quit in Gangway's menu, ends everything.
`);
  await ended;
  timeline.mark('Gangway was closed');
}

/**
 * The display that the person sits at. `hasKeyring: false` keeps the demo's throw-away token out of the person's own
 * keyring. The app's HOME is not the person's, so the X cookie must be named; as root the app runs as another user, who
 * cannot read root's cookie (Xsecurity(7)) and gets a copy.
 */
function ownDesktop(home: AppHome): { env(): Readonly<Record<string, string>>; hasKeyring: boolean } {
  const given: Record<string, string> = {};
  const wayland = process.env['WAYLAND_DISPLAY'];
  if (wayland !== undefined && appUser() === undefined) given['WAYLAND_DISPLAY'] = wayland;
  const cookie = process.env['XAUTHORITY'] ?? join(homedir(), '.Xauthority');
  if (existsSync(cookie)) {
    const copy = join(home.dir, '.Xauthority');
    copyFileSync(cookie, copy);
    chmodSync(copy, 0o600);
    giveToAppUser(copy);
    given['XAUTHORITY'] = copy;
  }
  return { env: () => given, hasKeyring: false };
}
