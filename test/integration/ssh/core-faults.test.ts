import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionState, UserPrompt } from '../../../src/shared/connection-state.ts';
import type { CoreSubject } from '../../support/core/core-subject.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import { accountsUnavailable, createAccounts } from '../../support/lab/accounts.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { holdPort } from '../../support/lab/port-holder.ts';
import { canBind, canConnect, waitForFree } from '../../support/lab/ports.ts';
import { sharedGateway } from '../../support/lab/shared-gateway.ts';
import type { Sshd } from '../../support/lab/sshd.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { blockedBy, hint, stageInWords, stageThrough } from './core-stage.ts';

/** What people see of a server or of this computer that does not play along: everything but Electron, real servers. */
let lab: Lab;

beforeAll(() => sharedGateway());
beforeEach(async () => {
  lab = await createLab({ label: 'core-faults' });
});
afterEach(() => lab.close());

/** What the server's log says of signing in from this place on. */
function authenticationSince(sshd: Sshd, from: number): readonly string[] {
  return (
    sshd
      .log()
      .slice(from)
      .match(/^(?:Accepted|Failed|Postponed|Invalid user).*$|userauth.*$/gm) ?? []
  );
}

async function question<T extends UserPrompt['type']>(
  core: CoreSubject,
  type: T,
  isAttended: boolean,
): Promise<Extract<UserPrompt, { type: T }>> {
  const asks = (state: ConnectionState): boolean =>
    state.status === 'waiting-for-user' && state.prompt.type === type && state.attended === isAttended;
  const state = await core.untilState(`waiting for ${type}, attended: ${isAttended}`, asks);
  if (state.status !== 'waiting-for-user') throw new Error(state.status);
  return state.prompt as Extract<UserPrompt, { type: T }>;
}

describe('a server that will never say yes is told from one that is away', () => {
  it.each([
    ['AllowTcpForwarding no', ['AllowTcpForwarding no'], ''],
    ['PermitOpen of another port', ['PermitOpen 127.0.0.1:1'], ''],
    ['no-port-forwarding in authorized_keys', [], 'no-port-forwarding '],
  ])('forwarding forbidden: %s', async (part, config, restriction) => {
    const sshd = await lab.startSshd({ config });
    const keys = join(sshd.dir, 'authorized_keys');
    const line = readFileSync(keys, 'utf8');
    writeFileSync(keys, `${restriction}${line}`);
    const { core } = await stageThrough(lab, sshd);
    core.gateway.connection.connect();
    const { failure, title } = await blockedBy(core, 'forwarding-disabled');
    expect(failure.facts.gatewayPort).toBe(core.profile.ssh.gatewayPort);
    const { connections } = sshd.counts();
    hint(core);
    expect([core.state.status, sshd.counts().connections]).toEqual(['blocked', connections]);

    // The same server without the ban.
    const free = await lab.startSshd();
    const other = await stageThrough(lab, free);
    await other.core.connectUp();
    recordFault({
      row: 24,
      part,
      layer: 'core',
      injected: part,
      shown: `Needs attention: ${title}`,
      tookMs: null,
      limitMs: null,
      control: 'the same way through a server without that line connects',
    });
  });

  it('a revoked host key', async () => {
    const sshd = await lab.startSshd();
    const { core, home, knownHostsLine } = await stageThrough(lab, sshd);
    const line = knownHostsLine();
    home.writeKnownHosts([line, `@revoked ${line}`]);
    core.gateway.connection.connect();
    const { title } = await blockedBy(core, 'host-key-revoked');
    hint(core);
    expect(core.state.status).toBe('blocked');
    expect(authenticationSince(sshd, 0)).toEqual([]);
    home.writeKnownHosts([line]);
    core.gateway.connection.connect();
    await core.until('connected');
    // The log does tell of what is offered.
    expect(authenticationSince(sshd, 0)).not.toEqual([]);
    recordFault({
      row: 33,
      layer: 'core',
      injected: '@revoked line beside a trusting one in known_hosts',
      shown: `Needs attention: ${title}; nothing was offered to the server`,
      tookMs: null,
      limitMs: null,
      control: 'without the @revoked line it connects',
    });
  });

  it('a user that the server does not know', async () => {
    const sshd = await lab.startSshd();
    const { core } = await stageThrough(lab, sshd, { user: 'nobody-of-that-name' });
    core.gateway.connection.connect();
    const { failure, title } = await blockedBy(core, 'auth-rejected');
    expect(failure.facts).toMatchObject({ user: 'nobody-of-that-name', offered: ['publickey'] });
    const { connections } = sshd.counts();
    hint(core);
    expect([core.state.status, sshd.counts().connections]).toEqual(['blocked', connections]);
    const right = await stageThrough(lab, sshd);
    await right.core.connectUp();
    recordFault({
      row: 35,
      layer: 'core',
      injected: 'the target names a user that the server does not have',
      shown: `Needs attention: ${title}; the methods that the server offers are told`,
      tookMs: null,
      limitMs: null,
      control: 'the right user of the same server connects with the same key',
    });
  });
});

describe('what changes on the server while the connection stands', () => {
  it('the host key: the old tunnel is gone, nothing is offered to the new one', async () => {
    const sshd = await lab.startSshd();
    const { core, proxy } = await stageThrough(lab, sshd);
    await core.connectUp();
    proxy.reset();
    await core.untilState('reconnecting', ({ status }) => status !== 'connected');
    await core.until('connected');

    const before = sshd.hostKeys[0]?.fingerprint;
    const [swapped] = await sshd.rotateHostKey();
    const from = sshd.log().length;
    const startedMs = performance.now();
    proxy.reset();
    const { failure, title } = await blockedBy(core, 'host-key-changed');
    const tookMs = performance.now() - startedMs;
    expect(failure.facts.offeredFingerprint).toBe(swapped?.fingerprint);
    expect(failure.facts.known.map(({ fingerprint }) => fingerprint)).toEqual([before]);
    expect(authenticationSince(sshd, from)).toEqual([]);
    await sshd.waitForSessions(0);
    const { accepted } = proxy.counts();
    hint(core);
    expect([core.state.status, proxy.counts().accepted]).toEqual(['blocked', accepted]);
    for (const [row, part] of [
      [29, 'on a reconnect'],
      [34, 'RST after the swap'],
    ] as const)
      recordFault({
        row,
        part,
        layer: 'core',
        injected: 'the host key was swapped for one of the same type, then the link reset',
        shown: `Needs attention: ${title}; both fingerprints; no authentication request in the server's log; no session left`,
        tookMs,
        limitMs: 3_000,
        control: 'the same reset before the swap led back to "Connected"',
      });
  });

  it('the key is no longer accepted: three tries at most, then the person', async () => {
    const sshd = await lab.startSshd();
    const { core, proxy } = await stageThrough(lab, sshd);
    await core.connectUp();
    proxy.reset();
    await core.untilState('reconnecting', ({ status }) => status !== 'connected');
    await core.until('connected');

    sshd.setAuthorizedKeys([]);
    const { connections } = sshd.counts();
    const from = sshd.log().length;
    const startedMs = performance.now();
    proxy.reset();
    const { title } = await blockedBy(core, 'auth-rejected');
    const tookMs = performance.now() - startedMs;
    hint(core);
    expect(core.state.status).toBe('blocked');
    const tries = sshd.counts().connections - connections;
    const refused = authenticationSince(sshd, from).filter((line) => line.startsWith('Failed publickey'));
    expect(tries).toBeGreaterThan(0);
    expect(tries).toBeLessThanOrEqual(3);
    expect(refused.length).toBeLessThanOrEqual(3);

    sshd.setAuthorizedKeys([sshd.clientKey]);
    core.gateway.connection.connect();
    await core.until('connected');
    recordFault({
      row: 36,
      layer: 'core',
      injected: 'the key was taken out of authorized_keys, then the link reset',
      shown: `Needs attention: ${title}; ${tries} connection(s) to the server`,
      tookMs,
      limitMs: 3_000,
      control: 'the same reset before led back to "Connected", and so does putting the key back',
    });
  });
});

describe('what only the person can answer', () => {
  it('an unknown host: the connection is closed while the question stands, and the answer is remembered', async () => {
    const sshd = await lab.startSshd();
    const { core, home, knownHostsLine } = await stageThrough(lab, sshd, { trusted: false });
    core.gateway.connection.connect();
    const prompt = await question(core, 'host-key', true);
    expect(prompt.fingerprint).toBe(sshd.hostKeys[0]?.fingerprint);
    await sshd.waitForSessions(0);
    expect([authenticationSince(sshd, 0), home.readKnownHosts()]).toEqual([[], '']);
    const startedMs = performance.now();
    const { fingerprint } = prompt;
    core.gateway.connection.answerPrompt(prompt.id, { type: 'trust-host-key', fingerprint });
    await core.until('connected');
    const tookMs = performance.now() - startedMs;
    // The host's name may be hashed (HashKnownHosts of the system's ssh_config).
    const key = knownHostsLine().trimEnd().split(' ').slice(1).join(' ');
    expect(home.readKnownHosts().trimEnd().split(' ').slice(1).join(' ')).toBe(key);
    core.gateway.connection.reconnectNow();
    await core.untilState('reconnecting', ({ status }) => status !== 'connected');
    await core.until('connected');
    const questions = core.states.filter(({ state }) => state.status === 'waiting-for-user');
    expect(questions).toHaveLength(1);
    recordFault({
      row: 32,
      layer: 'core',
      injected: 'a server whose host key is on no file',
      shown: 'Waiting for you, with the fingerprint; connected after the answer, and not asked again',
      tookMs,
      limitMs: 2_000,
      control:
        'while the question stood the server saw no authentication and no session, and nothing was written',
    });
  });

  it('a one-time code: one question an attempt, and none by itself after a drop or a sleep', async () => {
    let wantsCode = true;
    const server = await lab.startEmbeddedSsh({
      authenticate: () => (context, isKey) => {
        if (!wantsCode && isKey) context.accept();
        else if (!wantsCode || context.method !== 'keyboard-interactive')
          context.reject([wantsCode ? 'keyboard-interactive' : 'publickey']);
        else
          context.prompt([{ prompt: 'Code: ', echo: true }], (answers) => {
            if (answers[0] === '042') context.accept();
            else context.reject(['keyboard-interactive']);
          });
      },
    });
    const { core, proxy } = await stageThrough(lab, server);
    const { connection } = core.gateway;
    const code = { type: 'responses', responses: ['042'], remember: false } as const;
    connection.connect();
    const first = await question(core, 'keyboard-interactive', true);
    connection.answerPrompt(first.id, code);
    await core.until('connected');

    proxy.reset();
    await question(core, 'keyboard-interactive', false);
    await waitFor(() => server.counts().live === 0, { what: 'the server to be left alone' });
    const { connections } = server.counts();
    hint(core);
    expect([core.state.status, server.counts().connections]).toEqual(['waiting-for-user', connections]);

    connection.attend();
    const second = await question(core, 'keyboard-interactive', true);
    const startedMs = performance.now();
    connection.answerPrompt(second.id, code);
    await core.until('connected');
    const tookMs = performance.now() - startedMs;
    const asked = core.states.flatMap(({ state }) =>
      state.status === 'waiting-for-user' ? [state.prompt.id] : [],
    );
    expect(new Set(asked).size).toBe(3);

    wantsCode = false;
    const from = performance.now();
    proxy.reset();
    await core.untilState('reconnecting', ({ status }) => status !== 'connected');
    await core.until('connected');
    expect(core.statesSince(from).some(({ state }) => state.status === 'waiting-for-user')).toBe(false);
    recordFault({
      row: 41,
      layer: 'core',
      injected:
        'a server that wants a code by keyboard-interactive at every connection; then a reset, a sleep and a network change',
      shown: 'Waiting for you, once an attempt; no attempt by itself until the person attends to it',
      tookMs,
      limitMs: 3_000,
      control: 'as soon as the server takes the key alone, the same reset heals without a question',
    });
  });

  it('an agent whose owner takes a minute: it says so, and stopping works at once', async () => {
    const sshd = await lab.startSshd();
    const agent = await lab.startSshAgent({ keys: [sshd.clientKey], asksFirst: true });
    const { core, home } = await stageThrough(lab, sshd);
    home.writeFile('.ssh/config', `Host *\n  IdentityAgent ${agent.socket}\n  IdentityFile none\n`, 0o600);
    const { connection } = core.gateway;
    const awaitsAgent = (state: ConnectionState): boolean =>
      state.status === 'connecting' && state.stage === 'awaiting-agent';
    connection.connect();
    await core.untilState('waiting for the agent', awaitsAgent);
    expect(agent.asked()).toBe(1);
    const startedMs = performance.now();
    connection.disconnect();
    await core.until('disconnected');
    await sshd.waitForSessions(0);
    const tookMs = performance.now() - startedMs;
    agent.confirm('no');

    connection.connect();
    await core.untilState('waiting for the agent again', awaitsAgent);
    agent.confirm('yes');
    await core.until('connected');
    // Another one who says yes before the second is over.
    agent.confirm('yes');
    const from = performance.now();
    connection.reconnectNow();
    await core.untilState('reconnecting', ({ status }) => status !== 'connected');
    await core.until('connected');
    expect(core.statesSince(from).some(({ state }) => awaitsAgent(state))).toBe(false);
    recordFault({
      row: 40,
      layer: 'core',
      injected: 'an agent that asks its owner before it signs, and an owner who does not answer',
      shown: `Connecting: ${stageInWords('awaiting-agent')}; stopped at the person's wish, no session left`,
      tookMs,
      limitMs: 1_000,
      control:
        'an owner who says yes at once is connected without that stage; one who says yes later is connected',
    });
  });

  it('a server that does not wait: the answer goes into a fresh attempt', async (context) => {
    const reason = accountsUnavailable();
    if (reason !== null) context.skip(reason);
    const password = 'correct horse battery';
    const accounts = createAccounts(lab.folder('accounts'), [{ name: 'alice', password }]);
    const config = ['PasswordAuthentication yes', 'LoginGraceTime 2'];
    const sshd = await lab.startSshd({ accounts, config, clientKeys: [] });
    const { core } = await stageThrough(lab, sshd);
    const { connection } = core.gateway;
    connection.connect();
    const first = await question(core, 'password', true);
    await question(core, 'password', false);
    await sshd.waitForSessions(0);
    const { connections } = sshd.counts();

    const startedMs = performance.now();
    connection.attend();
    const second = await question(core, 'password', true);
    expect(second.id).not.toBe(first.id);
    connection.answerPrompt(second.id, { type: 'password', password, remember: false });
    await core.until('connected');
    const tookMs = performance.now() - startedMs;
    expect(sshd.counts().connections).toBe(connections + 1);
    recordFault({
      row: 42,
      layer: 'core',
      injected: 'LoginGraceTime 2 ends while the person thinks',
      shown: 'Waiting for you; answering it opens a fresh attempt that connects',
      tookMs,
      limitMs: 3_000,
      control: 'the server had ended the session, and no connection was made until the person attended',
    });
  });
});

describe('the local port', () => {
  it('is left to the program that holds it: the next free one is used, told of and remembered', async () => {
    const holder = lab.own(await holdPort());
    const sshd = await lab.startSshd();
    const { core } = await stageThrough(lab, sshd, { localPort: holder.port });
    const startedMs = performance.now();
    core.gateway.connection.connect();
    await waitFor(() => core.gateway.connection.notices.length > 0, {
      what: 'the notice',
      intervalMs: 5,
    });
    const tookMs = performance.now() - startedMs;
    const state = await core.until('connected');
    const { localPort } = core.profile.ssh;
    expect(localPort).not.toBe(holder.port);
    expect(state).toMatchObject({ endpoint: { localPort } });
    const owner = `${holder.command} (${holder.pid})`;
    expect(core.gateway.connection.notices).toEqual([
      { type: 'port-moved', gatewayId: 'core', from: holder.port, to: localPort, owner },
    ]);
    expect(core.gateway.connection.snapshot()).toMatchObject({
      restartNeeded: false,
      profile: { ssh: { localPort } },
    });
    core.gateway.connection.reconnectNow();
    await core.untilState('reconnecting', ({ status }) => status !== 'connected');
    expect(await core.until('connected')).toMatchObject({ endpoint: { localPort } });
    expect([holder.alive(), holder.received()]).toEqual([true, '']);

    expect(await canConnect(holder.port)).toBe(true);
    const probe = await fetch(`http://127.0.0.1:${holder.port}/healthz`, {
      signal: AbortSignal.timeout(500),
    }).catch(() => null);
    expect(probe).toBe(null);
    await waitFor(() => holder.received().startsWith(Buffer.from('GET /healthz').toString('hex')), {
      what: 'the program to tell what it was sent',
    });
    recordFault({
      row: 26,
      layer: 'core',
      injected: 'another program listens on the configured port before the start',
      shown: `Connected on another port; the notice names ${holder.command} and both ports; the settings hold the new one`,
      tookMs,
      limitMs: 1_000,
      control: 'the program lives and was sent no byte; what a test sends to it, it does tell',
    });
  });

  it('is taken from no second gateway of the same app', async () => {
    const sshd = await lab.startSshd();
    const first = await stageThrough(lab, sshd);
    await first.core.connectUp();
    const second = await stageThrough(lab, sshd, { id: 'second', localPort: first.localPort });
    await second.core.connectUp();
    const ports = [first, second].map(({ core }) =>
      core.state.status === 'connected' ? core.state.endpoint.localPort : null,
    );
    expect(ports).toEqual([first.localPort, second.core.profile.ssh.localPort]);
    expect(new Set(ports).size).toBe(2);
    expect([first, second].map(({ core }) => core.gateway.connection.notices.length)).toEqual([0, 1]);
  });

  it('is free for others while the connection is paused or off, and taken again afterwards', async () => {
    const sshd = await lab.startSshd();
    const { core, localPort } = await stageThrough(lab, sshd);
    const { connection } = core.gateway;
    await core.connectUp();
    connection.pause();
    await core.until('paused');
    await waitForFree(localPort);
    expect(await canConnect(localPort)).toBe(false);
    connection.resume();
    await core.until('connected');
    expect(await canBind(localPort)).toBe(false);
    connection.disconnect();
    await core.until('disconnected');
    await waitForFree(localPort);
    // Many times in a row: the old process is gone before the next one asks for the port.
    for (let round = 0; round < 10; round += 1) {
      connection.connect();
      connection.pause();
    }
    connection.connect();
    await core.until('connected');
    expect([core.profile.ssh.localPort, connection.notices]).toEqual([localPort, []]);
    await sshd.waitForSessions(1);
  });
});
