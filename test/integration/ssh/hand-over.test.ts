import { describe, expect, it } from 'vitest';
import { withLab } from '../../support/lab/lab.ts';
import { opensshTo } from './openssh-fixture.ts';
import { Client, startEcho } from './tunnel-fixture.ts';

/** OpenSSH's post-quantum key exchange, which ssh2 does not know; in every OpenSSH since 8.5. */
const NEW_ONLY = ['KexAlgorithms sntrup761x25519-sha512@openssh.com'];

describe('a server that shares no algorithm with the built-in SSH', () => {
  it('is reached by OpenSSH within the same attempt, and at once the next time', async () => {
    await withLab('hand-over', async (lab) => {
      const echo = await startEcho(lab);
      const sshd = await lab.startSshd({ config: NEW_ONLY });
      const tunnel = await opensshTo(lab, sshd, echo.port);
      tunnel.set({ transport: 'ssh2', handOver: true });

      const up = await tunnel.openUp();
      expect(up.facts.transport).toBe('openssh');
      const client = await Client.connect(lab, up.localPort);
      await client.echo('through OpenSSH');
      expect(sshd.counts().connections).toBe(2);

      tunnel.post({ type: 'close', attempt: tunnel.attempt });
      const again = await tunnel.openUp();
      expect(again.facts.transport).toBe('openssh');
      expect(sshd.counts().connections).toBe(3);
    });
  });

  it('is a failure in words where the person chose the built-in SSH', async () => {
    await withLab('no-hand-over', async (lab) => {
      const echo = await startEcho(lab);
      const sshd = await lab.startSshd({ config: NEW_ONLY });
      const tunnel = await opensshTo(lab, sshd, echo.port);
      tunnel.set({ transport: 'ssh2', handOver: false });
      const facts = await tunnel.openFailed('ssh-no-common-algorithm');
      expect(facts).toMatchObject({ kind: 'key exchange', offered: ['sntrup761x25519-sha512@openssh.com'] });
    });
  });
});
