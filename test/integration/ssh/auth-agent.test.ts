import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureKind } from '../../../src/shared/connection-failure.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import { createKeyPair } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import type { SshAgent } from '../../support/lab/ssh-agent.ts';
import { deferred, within } from '../../support/lab/wait.ts';
import { startEcho, tunnelTo, type EchoServer, type TunnelFixture } from './tunnel-fixture.ts';

let lab: Lab;
let echo: EchoServer;

beforeEach(async () => {
  lab = await createLab({ label: 'auth-agent' });
  echo = await startEcho(lab);
});
afterEach(() => lab.close());

function notesOf(tunnel: TunnelFixture): string {
  return tunnel.reports
    .flatMap((report) => (report.type === 'log' ? [JSON.stringify(report.fields)] : []))
    .join('\n');
}

describe('a locked agent', () => {
  it('shows no keys: the key file is used, and the log says why', async () => {
    const agent = await lab.startSshAgent({ keys: [createKeyPair()], lock: 'hunter2' });
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ agentSocket: agent.socket });
    const startedMs = performance.now();
    const up = await tunnel.openUp();
    const tookMs = performance.now() - startedMs;
    expect(up.facts.authenticatedWith).toBe(tunnel.file('id_test'));
    expect(notesOf(tunnel)).toContain('holds no keys, or is locked');
    tunnel.post({ type: 'close', attempt: tunnel.attempt });
    tunnel.setTarget({ identityFiles: [], identityFileIsExplicit: false });
    expect((await tunnel.openFailed('no-credentials')).agent).toBe('empty');
    recordFault({
      row: 39,
      part: 'agent locked',
      layer: 'core',
      injected: 'an agent that was locked before the login',
      shown: 'connected with the key file; the log says that the agent holds no keys, or is locked',
      tookMs,
      limitMs: 3_000,
      control: 'without the key file there is nothing to sign in with, and the failure says so of the agent',
    });
  });

  it('logs in once it is unlocked', async () => {
    const key = createKeyPair({ comment: 'mine' });
    const agent = await lab.startSshAgent({ keys: [key], lock: 'hunter2' });
    const sshd = await lab.startSshd({ clientKeys: [key] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ identityFiles: [], identityFileIsExplicit: false, agentSocket: agent.socket });
    const facts = await tunnel.openFailed('no-credentials');
    expect(facts).toMatchObject({ looked: [`ssh-agent (${agent.socket})`], agent: 'empty' });
    await agent.unlock('hunter2');
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe('ssh-agent: mine');
  });

  it('that is locked between listing and signing costs its key, not the login', async () => {
    const held = createKeyPair();
    const file = createKeyPair();
    const agent = await lab.startSshAgent({ keys: [held] });
    const { tunnel } = await tunnelThatDisturbs(agent, [held, file], () => agent.lock('hunter2'));
    tunnel.useKey(file);
    tunnel.setTarget({ identityFileIsExplicit: false });
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe(tunnel.file('id_test'));
    expect(notesOf(tunnel)).toContain('refused to sign');
  });
});

describe('an agent that dies', () => {
  it('between listing and signing costs its key, not the login', async () => {
    const held = createKeyPair();
    const file = createKeyPair();
    const agent = await lab.startSshAgent({ keys: [held] });
    const { tunnel } = await tunnelThatDisturbs(agent, [held, file], () => agent.kill());
    tunnel.useKey(file);
    tunnel.setTarget({ identityFileIsExplicit: false });
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe(tunnel.file('id_test'));
    expect(notesOf(tunnel)).toContain('the agent');
  });

  it('in the middle of signing does the same', async () => {
    const held = createKeyPair();
    const file = createKeyPair();
    const agent = await lab.startSshAgent({ keys: [held] });
    const paused = deferred<boolean>();
    // Stopped first, so that the request to sign reaches its socket and is never answered.
    const { tunnel } = await tunnelThatDisturbs(agent, [held, file], () => {
      agent.pause();
      paused.resolve(true);
      return Promise.resolve();
    });
    tunnel.useKey(file);
    tunnel.setTarget({ identityFileIsExplicit: false });
    tunnel.startOpen();
    await within(paused.promise, 20_000, 'the login to reach the key of the agent');
    await agent.kill();
    expect(await tunnel.outcome()).toMatchObject({
      type: 'up',
      facts: { authenticatedWith: tunnel.file('id_test') },
    });
  });
});

describe('an agent that does not answer', () => {
  it('is given up after five seconds, and the key file logs in', async () => {
    const agent = await lab.startSshAgent({ keys: [createKeyPair()] });
    agent.pause();
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ agentSocket: agent.socket });
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe(tunnel.file('id_test'));
    expect(notesOf(tunnel)).toContain('no answer in 5000 ms');
    agent.resume();
  });

  it.each([
    ['rubbish', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a length without end', Buffer.from([0xff, 0xff, 0xff, 0xff, 12])],
    ['more keys than it sends', Buffer.from([0, 0, 0, 5, 12, 0, 0, 0, 9])],
    ['a refusal', Buffer.from([0, 0, 0, 1, 5])],
  ])('in order but with %s is passed over', async (_name, answer) => {
    const socket = await startFakeAgent(answer);
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ agentSocket: socket });
    await tunnel.openUp();
    expect(notesOf(tunnel)).toContain('ssh-agent: ');
  });
});

describe('an agent with keys that only OpenSSH can use', () => {
  it('is named with their types when nothing else is there', async () => {
    const blob = wire(wire(Buffer.from('sk-ssh-ed25519@openssh.com')), wire(Buffer.alloc(32)));
    const identities = Buffer.concat([Buffer.from([12, 0, 0, 0, 1]), blob, wire(Buffer.from('key'))]);
    const socket = await startFakeAgent(wire(identities));
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ identityFiles: [], identityFileIsExplicit: false, agentSocket: socket });
    const facts = await tunnel.openFailed('no-credentials');
    expect(facts.looked).toEqual([`ssh-agent (${socket}): sk-ssh-ed25519@openssh.com`]);
    expect(failureKind('no-credentials')).toBe('blocked');
    tunnel.useKey(sshd.clientKey);
    await tunnel.openUp();
    recordFault({
      row: 38,
      part: 'security key in an agent',
      layer: 'core',
      injected: 'an agent that holds nothing but a security key',
      shown: 'no-credentials, naming the agent and the type of key; no retry',
      tookMs: null,
      limitMs: null,
      control: 'with a key file beside it the same attempt connects',
    });
  });
});

function wire(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Answers whatever it is asked with the same bytes. */
async function startFakeAgent(answer: Buffer): Promise<string> {
  const path = join(lab.folder('fake-agent'), 'a.sock');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  lab.own({ close: () => new Promise<void>((resolve) => server.close(() => resolve())) });
  return path;
}

/** A server that lets something happen to the agent when the client asks whether a key would do. */
async function tunnelThatDisturbs(
  agent: SshAgent,
  keys: readonly ReturnType<typeof createKeyPair>[],
  disturb: () => Promise<void>,
): Promise<{ tunnel: TunnelFixture }> {
  let isDisturbed = false;
  const server = await lab.startEmbeddedSsh({
    clientKeys: keys,
    authenticate: () => (context, isKey) => {
      const answer = (): void => {
        if (isKey) context.accept();
        else context.reject(['publickey']);
      };
      if (isDisturbed || context.method !== 'publickey') answer();
      else {
        isDisturbed = true;
        void disturb().then(answer);
      }
    },
  });
  const tunnel = await tunnelTo(lab, server, echo.port);
  tunnel.setTarget({ agentSocket: agent.socket });
  return { tunnel };
}
