import { describe, expect, it } from 'vitest';
import { CoreSubject } from '../support/core/core-subject.ts';
import { withLab } from '../support/lab/lab.ts';
import { freePort } from '../support/lab/ports.ts';
import { sharedGateway } from '../support/lab/shared-gateway.ts';

describe('everything but Electron', () => {
  it('connects over a real sshd to the real Gateway and has a message answered', async () => {
    await withLab('core', async (lab) => {
      const shared = await sharedGateway();
      const { gateway } = shared;
      const sshd = await lab.startSshd();
      const home = await lab.createAppHome();
      home.writeKey('id_ed25519', sshd.clientKey);
      home.writeKnownHosts([sshd.knownHostsLine()]);
      const core = new CoreSubject({
        ssh: {
          target: `${sshd.user}@127.0.0.1:${sshd.port}`,
          gatewayPort: gateway.port,
          localPort: await freePort(),
        },
        token: gateway.token ?? '',
        home: home.dir,
      });
      lab.own(core);
      await core.connectUp();
      const key = shared.sessionKey('core');
      await core.show(key);
      await core.write(key, 'hello');
      const view = await core.views.untilAnswered(key, 2);
      expect(view.rows).toHaveLength(2);
    });
  });
});
