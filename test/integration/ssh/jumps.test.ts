import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SSH_TIMING } from '../../../src/main/node/ssh/ssh-timing.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { labNamespaces, missingForNamespaces, reachesDirectly } from '../../support/lab/network.ts';
import { watchForLeaks } from '../../support/lab/no-leaks.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { startJumpRig, type JumpRig } from './jump-fixture.ts';
import { Client } from './tunnel-fixture.ts';

const missing = missingForNamespaces();
if (missing !== null) console.warn(`Jump chains are not tested: ${missing}.`);

let lab: Lab;
beforeEach(async () => {
  lab = await createLab({ label: 'jumps' });
});
afterEach(() => lab.close());

function host(rig: JumpRig, index: number) {
  const found = rig.hosts[index];
  const server = rig.servers[index];
  if (found === undefined || server === undefined) throw new Error(`no hop ${index}`);
  return { ...found, server };
}

async function upWithClient(rig: JumpRig): Promise<Client> {
  const up = await rig.tunnel.openUp();
  const client = await Client.connect(lab, up.localPort);
  await client.echo('through all hops');
  return client;
}

/** How the failures of a hop name it: a jump as the configuration does. */
function shown(rig: JumpRig, index: number): string {
  const { address } = host(rig, index);
  return index === rig.tunnel.config.jumps.length ? address : `hop-${index + 1} (${address})`;
}

describe.skipIf(missing !== null)('a chain of jumps', () => {
  it.each([1, 2, 3])('of %i real servers carries bytes both ways, each with its own key', async (count) => {
    const rig = await startJumpRig(lab, count);
    const up = await rig.tunnel.openUp();
    expect(up.facts.via).toEqual(rig.tunnel.config.jumps.map(({ name }) => name));
    expect(up.facts.hostKeyFingerprint).toBe(host(rig, count - 1).server.hostKeys[0]?.fingerprint);
    const client = await Client.connect(lab, up.localPort);
    await client.echo('hello');
    const size = 4 * 1024 * 1024;
    client.received = Buffer.alloc(0);
    client.socket.write(Buffer.alloc(size, 'x'));
    client.socket.end();
    await waitFor(() => client.isEnded, { what: 'the end of 4 MiB' });
    expect(client.received.equals(Buffer.alloc(size, 'x'))).toBe(true);
    for (const server of rig.servers) expect(server.counts()).toMatchObject({ accepted: 1, failed: 0 });
  });

  it('is the only way: neither this computer nor the first hop reaches the last one', async () => {
    const rig = await startJumpRig(lab, 3);
    const [first, second, third] = [host(rig, 0), host(rig, 1), host(rig, 2)];
    expect(await reachesDirectly(first.address, 22)).toBe(true);
    expect(await reachesDirectly(second.address, 22)).toBe(false);
    expect(await reachesDirectly(third.address, 22)).toBe(false);
    expect(first.reaches(second.address, 22)).toBe(true);
    expect(first.reaches(third.address, 22)).toBe(false);
    expect(second.reaches(third.address, 22)).toBe(true);
    expect(await reachesDirectly('127.0.0.1', rig.gatewayPort)).toBe(false);
    expect(third.reaches('127.0.0.1', rig.gatewayPort)).toBe(true);
    // And without its jumps the tunnel does not come up.
    rig.tunnel.set({ jumps: [] });
    rig.tunnel.setTarget({ connectTimeoutMs: 1_000 });
    const outcome = await rig.tunnel.open();
    expect(outcome).toMatchObject({
      type: 'down',
      failure: { code: expect.stringMatching(/^ssh-(timeout|unreachable|refused)$/) as string },
    });
  });

  it('asks for the key of the hop that is not known, by its name, and goes on when it is trusted', async () => {
    const rig = await startJumpRig(lab, 3, { trusted: [true, false, false] });
    const [, second, third] = [host(rig, 0), host(rig, 1), host(rig, 2)];
    const question = await rig.tunnel.openPrompt('host-key');
    const [secondKey] = second.server.hostKeys;
    const [thirdKey] = third.server.hostKeys;
    expect(question).toMatchObject({
      jump: 'hop-2',
      host: second.address,
      port: 22,
      fingerprint: secondKey?.fingerprint,
    });
    expect(third.server.counts().connections).toBe(0);
    const next = await rig.tunnel.answerPrompt(
      question,
      { type: 'trust-host-key', fingerprint: question.fingerprint },
      'host-key',
    );
    expect(next).toMatchObject({ jump: null, host: third.address, fingerprint: thirdKey?.fingerprint });
    await rig.tunnel.answerUp(next, { type: 'trust-host-key', fingerprint: next.fingerprint });
    const known = readFileSync(rig.tunnel.file('known_hosts'), 'utf8');
    for (const { address } of [second, third]) expect(known).toContain(`${address} `);
    // Nobody is asked again.
    rig.tunnel.post({ type: 'close', attempt: rig.tunnel.attempt });
    await rig.tunnel.openUp();
  });

  it('refuses a changed key of a hop in the middle, and names that hop', async () => {
    const rig = await startJumpRig(lab, 3);
    const second = host(rig, 1);
    await second.server.rotateHostKey();
    const facts = await rig.tunnel.openFailed('host-key-changed');
    expect(facts).toMatchObject({ host: second.address, jump: 'hop-2' });
    expect(host(rig, 2).server.counts().connections).toBe(0);
  });

  it('names the hop that takes no key of ours', async () => {
    const rig = await startJumpRig(lab, 3);
    const second = host(rig, 1);
    second.server.setAuthorizedKeys([host(rig, 0).server.clientKey]);
    const facts = await rig.tunnel.openFailed('auth-rejected');
    expect(facts.host).toBe(`hop-2 (${second.address})`);
    expect(facts.tried).toHaveLength(1);
    // The session on the hop before went with it.
    await host(rig, 0).server.waitForSessions(0);
  });

  it.each([0, 1, 2])('ends at once, as a whole, when hop %i of 3 dies, and comes back', async (index) => {
    const rig = await startJumpRig(lab, 3);
    const client = await upWithClient(rig);
    const startedAtMs = performance.now();
    const { server } = host(rig, index);
    await server.killSessions();
    expect(await rig.tunnel.down()).toMatchObject({ code: 'link-lost', facts: { host: shown(rig, index) } });
    await client.closed();
    // The watchdog would have needed more than 5 s.
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect(rig.tunnel.reports.filter(({ type }) => type === 'down')).toHaveLength(1);
    for (const { server: other } of [host(rig, 0), host(rig, 1), host(rig, 2)])
      await other.waitForSessions(0);
    await upWithClient(rig);
  });

  it.each([0, 1, 2])('is called dead after 9 s of silence of hop %i of 3, which is named', async (index) => {
    const rig = await startJumpRig(lab, 3);
    const client = await upWithClient(rig);
    const { server } = host(rig, index);
    const startedAtMs = performance.now();
    server.pause();
    try {
      const why = await rig.tunnel.down();
      expect(why).toMatchObject({ code: 'link-dead', facts: { host: shown(rig, index) } });
      expect(performance.now() - startedAtMs).toBeGreaterThan(5_000);
      // 9.5 s, and what a loaded machine may add.
      expect(performance.now() - startedAtMs).toBeLessThan(14_500);
      await client.closed();
    } finally {
      server.resume();
    }
  });

  it.each([
    ['AllowTcpForwarding no', ['AllowTcpForwarding no']],
    ['PermitOpen elsewhere', ['PermitOpen 192.0.2.1:22']],
  ])('says which hop forbids the way on: %s', async (_name, config) => {
    const rig = await startJumpRig(lab, 3, { config: [[], config] });
    const facts = await rig.tunnel.openFailed('jump-forbidden');
    expect(facts).toMatchObject({ jump: 'hop-2', host: host(rig, 2).address, port: 22 });
    expect(facts.detail).not.toBe('');
    await host(rig, 0).server.waitForSessions(0);
  });

  it('tells a target that forbids forwards from a jump that does', async () => {
    const rig = await startJumpRig(lab, 2, { config: [[], ['AllowTcpForwarding no']] });
    const facts = await rig.tunnel.openFailed('forwarding-disabled');
    expect(facts).toMatchObject({ host: host(rig, 1).address, gatewayPort: rig.gatewayPort });
  });

  it('says which hop cannot reach the next one, in the words of its server', async () => {
    const rig = await startJumpRig(lab, 2);
    await host(rig, 1).server.stop();
    const facts = await rig.tunnel.openFailed('jump-unreachable');
    expect(facts).toEqual({
      jump: 'hop-1',
      host: host(rig, 1).address,
      port: 22,
      detail: expect.stringMatching(/refused/i) as string,
    });
  });

  it('leaves names of later hops to the hop before, and waits no longer for them than for a connection', async () => {
    const quick = { ...SSH_TIMING, connectLimitMs: 2_000 };
    const rig = await startJumpRig(lab, 2, { timing: quick });
    rig.tunnel.setTarget({ host: 'only-the-jump-may-know.invalid' });
    const startedAtMs = performance.now();
    const facts = await rig.tunnel.openFailed('jump-unreachable');
    expect(facts).toMatchObject({ jump: 'hop-1', host: 'only-the-jump-may-know.invalid' });
    expect(performance.now() - startedAtMs).toBeLessThan(15_000);
  });

  it('closes in order, the inner hop first, and leaves no socket, channel or process', async () => {
    const rig = await startJumpRig(lab, 3);
    await rig.tunnel.openUp();
    rig.tunnel.post({ type: 'close', attempt: rig.tunnel.attempt });
    for (const server of rig.servers) await server.waitForSessions(0);
    // In order: sshd was told, instead of finding its client gone.
    for (const server of rig.servers) await server.waitForLog(/Received disconnect from .*: ?11/);
    const leaks = watchForLeaks();
    for (let round = 0; round < 5; round += 1) {
      const client = await upWithClient(rig);
      if (round % 2 === 0) {
        await host(rig, round % 3).server.killSessions();
        await rig.tunnel.down();
      } else rig.tunnel.post({ type: 'close', attempt: rig.tunnel.attempt });
      await client.closed();
      client.socket.destroy();
      for (const server of rig.servers) await server.waitForSessions(0);
    }
    await leaks.assertNone();
  });

  it('is given up while it is being made, without a trace', async () => {
    const rig = await startJumpRig(lab, 3);
    const leaks = watchForLeaks();
    for (let round = 0; round < 10; round += 1) {
      rig.tunnel.startOpen();
      const last = host(rig, 2).server;
      const before = last.counts().connections;
      // Some are closed before anything, some in the middle of the last hop's key exchange.
      if (round % 2 === 0) await waitFor(() => last.counts().connections > before, { what: 'the last hop' });
      rig.tunnel.post({ type: 'close', attempt: rig.tunnel.attempt });
    }
    for (const server of rig.servers) await server.waitForSessions(0);
    // The listener stays.
    await rig.tunnel.close();
    await leaks.assertNone();
  });

  it('leaves no namespace behind', async () => {
    await startJumpRig(lab, 2);
    const mine = (): string[] => labNamespaces().filter((name) => name.startsWith(`gwlab${process.pid}x`));
    expect(mine()).toHaveLength(2);
    await lab.close();
    expect(mine()).toEqual([]);
  });
});
