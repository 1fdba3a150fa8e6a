import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TunnelConfig } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { createKeyPair, type KeyPair } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import type { SshAgent, SshAgentOptions } from '../../support/lab/ssh-agent.ts';
import type { Sshd } from '../../support/lab/sshd.ts';
import { needProgram } from '../../support/lab/programs.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { Client, startEcho, tunnelTo, type TunnelFixture } from './tunnel-fixture.ts';

let lab: Lab;
let echoPort = 0;

beforeEach(async () => {
  lab = await createLab({ label: 'agents' });
  echoPort = (await startEcho(lab)).port;
});

afterEach(() => lab.close());

/** OpenSSH's own ssh-agent, and a tunnel that has nothing but it. */
async function withAgent(
  sshd: Sshd,
  options: SshAgentOptions,
): Promise<{ agent: SshAgent; fixture: TunnelFixture }> {
  const agent = await lab.startSshAgent(options);
  const fixture = await tunnelTo(lab, sshd, echoPort);
  fixture.setTarget({ identityFiles: [], identityFileIsExplicit: false, agentSocket: agent.socket });
  return { agent, fixture };
}

/** The same target for the system's ssh, as the person's ssh_config would say it. */
function byOpenSsh(fixture: TunnelFixture): void {
  const { target } = fixture.config;
  const config = join(fixture.sshDir, 'config');
  const lines = [
    'Host harbour',
    `HostName ${target.host}`,
    `Port ${target.port}`,
    `User ${target.user}`,
    `UserKnownHostsFile ${fixture.file('known_hosts')}`,
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking yes',
    `IdentityAgent ${target.agentSocket ?? 'none'}`,
    `IdentitiesOnly ${target.identitiesOnly ? 'yes' : 'no'}`,
    ...(target.identityFiles.length === 0
      ? ['IdentityFile none']
      : target.identityFiles.map((file) => `IdentityFile ${file}`)),
  ];
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o600 });
  fixture.set({
    transport: 'openssh',
    openssh: {
      command: needProgram('ssh', 'openssh-client'),
      targetArgs: ['-F', config, '--', 'harbour'],
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: fixture.sshDir },
    },
  });
}

function use(transport: TunnelConfig['transport'], fixture: TunnelFixture): void {
  if (transport === 'openssh') byOpenSsh(fixture);
}

async function expectBytes(fixture: TunnelFixture): Promise<void> {
  const up = await fixture.openUp();
  const client = await Client.connect(lab, up.localPort);
  await client.echo('through the tunnel');
}

function closeAttempt(fixture: TunnelFixture): void {
  fixture.post({ type: 'close', attempt: fixture.attempt });
}

const others = (count: number): KeyPair[] => Array.from({ length: count }, () => createKeyPair());

describe.each(['ssh2', 'openssh'] as const)('ssh-agent by %s', (transport) => {
  it('lets in while it is unlocked, not while it is locked, and again afterwards', async () => {
    const sshd = await lab.startSshd();
    const { agent, fixture } = await withAgent(sshd, { keys: [sshd.clientKey] });
    use(transport, fixture);
    await expectBytes(fixture);
    closeAttempt(fixture);

    await agent.lock('harbour');
    // A locked agent shows no keys: for ssh2 there is nothing to offer, ssh(1) asks and is refused.
    const locked = await fixture.openFailed(transport === 'ssh2' ? 'no-credentials' : 'auth-rejected');
    expect(locked.agent).toBe('empty');

    await agent.unlock('harbour');
    await expectBytes(fixture);
  });

  it('goes on to the key file while the agent is locked', async () => {
    const sshd = await lab.startSshd();
    const { agent, fixture } = await withAgent(sshd, { keys: others(1) });
    await agent.lock('harbour');
    fixture.setTarget({ identityFiles: [fixture.write('id_test', sshd.clientKey.privateKey)] });
    use(transport, fixture);

    await expectBytes(fixture);
  });

  it.each([6, 2])(
    'picks the one key of twelve that a .pub file names, with MaxAuthTries %i',
    async (tries) => {
      const sshd = await lab.startSshd({ config: [`MaxAuthTries ${tries}`] });
      const { fixture } = await withAgent(sshd, { keys: [...others(11), sshd.clientKey] });
      fixture.setTarget({
        identitiesOnly: true,
        identityFiles: [fixture.write('chosen.pub', `${sshd.clientKey.publicKey}\n`, 0o644)],
      });
      use(transport, fixture);

      await expectBytes(fixture);
      expect(sshd.counts().failed).toBe(0);
    },
  );

  it('goes on to the key file when the agent is gone but its socket is there', async () => {
    const sshd = await lab.startSshd();
    const { agent, fixture } = await withAgent(sshd, { keys: [sshd.clientKey] });
    await agent.kill();
    fixture.setTarget({ identityFiles: [fixture.write('id_test', sshd.clientKey.privateKey)] });
    use(transport, fixture);

    await expectBytes(fixture);
  });

  it('goes on to the key file when the agent dies while it is asked to sign', async () => {
    const inAgent = createKeyPair();
    const inFile = createKeyPair();
    const sshd = await lab.startSshd({ clientKeys: [inAgent, inFile] });
    const { agent, fixture } = await withAgent(sshd, { keys: [inAgent], asksFirst: true });
    fixture.setTarget({ identityFiles: [fixture.write('id_test', inFile.privateKey)] });
    use(transport, fixture);

    const opened = fixture.openUp();
    await waitFor(() => agent.asked() === 1, { what: 'the agent to ask whether it may sign' });
    await agent.kill();

    const up = await opened;
    const client = await Client.connect(lab, up.localPort);
    await client.echo('through the tunnel');
    expect(sshd.log()).toContain(`Accepted publickey for ${sshd.user} from 127.0.0.1`);
    expect(sshd.log()).toMatch(new RegExp(`Accepted publickey .* ${escaped(inFile.fingerprint)}`));
  });

  it('signs when its owner says yes, and moves on to the next key on a no', async () => {
    const [first = createKeyPair(), second = createKeyPair()] = others(2);
    const sshd = await lab.startSshd({ clientKeys: [first, second] });
    const { agent, fixture } = await withAgent(sshd, { keys: [first, second], asksFirst: true });
    use(transport, fixture);

    const opened = fixture.openUp();
    await waitFor(() => agent.asked() === 1, { what: 'the agent to ask for the first key' });
    agent.confirm('no');
    await waitFor(() => agent.asked() === 2, { what: 'the agent to ask for the second key' });
    agent.confirm('yes');

    await opened;
    expect(sshd.log()).toMatch(new RegExp(`Accepted publickey .* ${escaped(second.fingerprint)}`));
  });
});

describe('twelve keys in the agent, none of them named', () => {
  it.each([6, 2])('offers the one that worked last first: MaxAuthTries %i', async (tries) => {
    const sshd = await lab.startSshd({ config: [`MaxAuthTries ${tries}`] });
    const { fixture } = await withAgent(sshd, { keys: [...others(11), sshd.clientKey] });
    fixture.set({ lastCredential: sshd.clientKey.fingerprint });

    await expectBytes(fixture);
    expect(sshd.counts().failed).toBe(0);
  });

  it('says that there are too many, and names those that were tried', async () => {
    const sshd = await lab.startSshd();
    const { fixture } = await withAgent(sshd, { keys: others(12) });

    const facts = await fixture.openFailed('auth-too-many');

    expect(facts.tried.length).toBeGreaterThan(0);
    expect(facts.tried.every((name) => name.startsWith('ssh-agent: '))).toBe(true);
  });

  it('goes on at the next attempt with those that were not tried', async () => {
    const sshd = await lab.startSshd();
    const { fixture } = await withAgent(sshd, { keys: [...others(11), sshd.clientKey] });

    await fixture.openFailed('auth-too-many');

    await expectBytes(fixture);
  });

  it('reaches the key file although the agent alone could use up all tries', async () => {
    const sshd = await lab.startSshd();
    const { fixture } = await withAgent(sshd, { keys: others(12) });
    fixture.setTarget({ identityFiles: [fixture.write('id_test', sshd.clientKey.privateKey)] });

    await expectBytes(fixture);
  });
});

describe('an agent that is no help', () => {
  it('is named where no key was found: gone, or stopped', async () => {
    const sshd = await lab.startSshd();
    const { agent, fixture } = await withAgent(sshd, { keys: [sshd.clientKey] });
    agent.pause();
    const silent = await fixture.openFailed('no-credentials');
    agent.resume();
    await agent.kill();
    const gone = await fixture.openFailed('no-credentials');

    expect([silent.agent, gone.agent]).toEqual(['silent', 'missing']);
    for (const { looked } of [silent, gone]) expect(looked.join(' ')).toContain(agent.socket);
  });

  it('that stays silent holds nobody up: the key file is taken', async () => {
    const sshd = await lab.startSshd();
    const { agent, fixture } = await withAgent(sshd, { keys: [sshd.clientKey] });
    agent.pause();
    fixture.setTarget({ identityFiles: [fixture.write('id_test', sshd.clientKey.privateKey)] });

    await expectBytes(fixture);
    agent.resume();
  });
});

function escaped(text: string): string {
  return text.replaceAll(/[$()*+./?[\\\]^{|}]/g, '\\$&');
}
