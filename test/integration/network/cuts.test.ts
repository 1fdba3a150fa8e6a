import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TunnelChannel } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { inProcessChannel } from '../../../src/main/node/tunnel/in-process-channel.ts';
import { forkedChannel } from '../../support/core/forked-channel.ts';
import { textOf } from '../../support/core/chat-views.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import { sendSignal } from '../../support/lab/child.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { sharedGateway } from '../../support/lab/shared-gateway.ts';
import type { Sshd } from '../../support/lab/sshd.ts';
import { startRawServer } from '../ssh/tunnel-fixture.ts';
import { AT_ONCE_MS, expectUntouched, HEAL_LIMIT_MS, linkRig, words, type LinkRig } from './link-rig.ts';

let lab: Lab;
/** One connection for the faults that it heals from by itself, one after the other. */
let rig: LinkRig;

beforeAll(async () => {
  lab = await createLab({ label: 'cuts' });
  // A tunnel process of its own, as in the app: its word and the end of its sockets arrive by two ways.
  rig = await linkRig(lab, 'cuts', { createChannel: forkedChannel });
  await rig.up();
});
afterAll(() => lab.close());

interface Cut {
  readonly row: number;
  readonly part?: string;
  readonly injected: string;
  readonly control: string;
  readonly shownWithinMs?: number;
  /** Before the time is taken. */
  readonly prepare?: () => void;
}

/** Cuts the link and measures: shown at once, with these words, and healed in time over one session. */
async function cutAndHeal(shown: RegExp, cut: Cut, act: () => unknown): Promise<void> {
  const { row, injected, control } = cut;
  // A connection that was lost a moment ago waits on the ladder: a person's word begins it anew.
  const before = rig.generation();
  rig.core.gateway.connection.reconnectNow();
  await rig.healed(performance.now(), before);
  const from = rig.generation();
  cut.prepare?.();
  const atMs = performance.now();
  const acting = act();
  const { why, afterMs } = await rig.failureSince(atMs);
  await acting;
  const healedMs = await rig.healed(atMs, from);
  expect(words(why)).toMatch(shown);
  const codes = rig.core
    .statesSince(atMs)
    .flatMap(({ state }) =>
      'lastFailure' in state && state.lastFailure !== null ? [state.lastFailure.code] : [],
    );
  expect(new Set(codes)).toEqual(new Set([why.code]));
  await rig.sshd.waitForSessions(1);
  const part = cut.part ?? '';
  const evidence = { row, layer: 'core', injected, control } as const;
  recordFault({
    ...evidence,
    part: `${part} shown`.trim(),
    shown: `Reconnecting, ${why.code}; no other failure on the way`,
    tookMs: afterMs,
    limitMs: cut.shownWithinMs ?? AT_ONCE_MS,
  });
  recordFault({
    ...evidence,
    part: `${part} healed`.trim(),
    shown: 'connected with the history, one SSH session at sshd',
    tookMs: healedMs,
    limitMs: HEAL_LIMIT_MS,
  });
}

describe('a link that is cut', () => {
  it('by the end of the listening sshd alone goes on', async () => {
    const generation = rig.generation();
    const atMs = performance.now();
    await rig.sshd.stopListener();
    await rig.core.write(rig.key, 'nobody listens');
    await rig.core.views.untilAnswered(rig.key, 2);
    expectUntouched(rig, atMs, generation);
    expect(rig.core.gateway.connection.snapshot().ladder.find(({ layer }) => layer === 'ssh')?.verdict).toBe(
      'ok',
    );
    await rig.sshd.start();
    recordFault({
      row: 1,
      layer: 'core',
      injected: 'SIGKILL to the listening sshd',
      shown: 'nothing: the same connection, a message is answered',
      tookMs: null,
      limitMs: null,
      control: 'the port was free: nobody listened any more',
    });
  });

  it('by the end of its session at sshd is back at once', async () => {
    let pids: readonly number[] = [];
    await cutAndHeal(
      /connection to .* was lost/,
      {
        row: 2,
        injected: 'SIGKILL to the session’s sshd',
        control: 'sshd had a session, of another process afterwards',
        prepare: () => {
          pids = rig.sshd.sessions().flatMap((session) => session.pids);
        },
      },
      () => {
        for (const pid of pids) sendSignal(pid, 'SIGKILL');
      },
    );
    expect(pids.length).toBeGreaterThan(0);
    expect(rig.sshd.sessions().some(({ pid }) => pids.includes(pid))).toBe(false);
  });

  it('by a reset is back at once', async () => {
    const accepted = rig.proxy.counts().accepted;
    await cutAndHeal(
      /connection to .* was lost/,
      { row: 6, injected: 'RST by the fault proxy', control: 'a new TCP connection came to the proxy' },
      () => rig.proxy.reset(),
    );
    expect(rig.proxy.counts().accepted).toBeGreaterThan(accepted);
  });

  it('by an orderly end of something between is back at once', async () => {
    const accepted = rig.proxy.counts().accepted;
    await cutAndHeal(
      /connection to .* was lost/,
      { row: 7, injected: 'FIN by the fault proxy', control: 'a new TCP connection came to the proxy' },
      () => rig.proxy.closeAll(),
    );
    expect(rig.proxy.counts().accepted).toBeGreaterThan(accepted);
  });

  it('by a flipped bit says so, and no garbled text is shown', async () => {
    const { flipped } = rig.proxy.counts();
    const patchesBefore = rig.core.views.patches.length;
    const reply = `intact ${'0123456789'.repeat(400)}`;
    await cutAndHeal(
      /damaged on the way/,
      {
        row: 15,
        injected: 'one byte on the way to us inverted by the fault proxy',
        control: 'the proxy inverted one byte',
        // From the sending on: the byte comes later.
        shownWithinMs: HEAL_LIMIT_MS,
      },
      async () => {
        rig.proxy.flipByte('down', 500);
        await rig.core.write(rig.key, `!say ${reply}`);
      },
    );
    expect(rig.proxy.counts().flipped).toBe(flipped + 1);
    const view = await rig.core.views.until(rig.key, 'the whole reply', ({ rows }) =>
      rows.some((row) => row.role === 'assistant' && textOf(row) === reply),
    );
    const known = ['nobody listens', `!say ${reply}`, reply];
    const strange = view.rows
      .map(textOf)
      .filter((text) => !known.includes(text) && !text.includes('nobody listens'));
    expect(strange).toEqual([]);
    const shown = rig.core.views.patches.slice(patchesBefore).flatMap(({ upserts }) => upserts);
    expect(shown.filter((row) => !isPartOf(textOf(row), known))).toEqual([]);
  });
});

/** While a reply streams, its beginning is shown. */
function isPartOf(text: string, known: readonly string[]): boolean {
  return text.includes('nobody listens') || known.some((whole) => whole.startsWith(text));
}

/** A tunnel in this process whose word that it is down comes late. */
function lateChannel(lateMs: number): TunnelChannel {
  const channel = inProcessChannel();
  return {
    post: (command) => channel.post(command),
    onReport: (listener) =>
      channel.onReport((report) => {
        if (report.type === 'down') setTimeout(() => listener(report), lateMs);
        else listener(report);
      }),
    onExit: (listener) => channel.onExit(listener),
    kill: () => channel.kill(),
  };
}

describe('the end of a link that is told after the end of its sockets', () => {
  /** The first failure that is shown where the tunnel's word is so late. */
  async function shownFirst(lateMs: number): Promise<string> {
    const late = await linkRig(lab, `late ${lateMs}`, { createChannel: () => lateChannel(lateMs) });
    await late.up();
    const atMs = performance.now();
    late.proxy.reset();
    const { why } = await late.failureSince(atMs);
    await late.core.close();
    return why.code;
  }

  it('is shown as what it is, and no Gateway is blamed', async () => {
    expect(await shownFirst(100)).toBe('link-lost');
    // The control: later than anybody waits, and it is the end of the socket that is shown.
    expect(await shownFirst(2_000)).toBe('gateway-closed');
  });
});

describe('bytes that trickle in one by one', () => {
  it('carry the login, the history and an answer', async () => {
    const trickle = await linkRig(lab, 'trickle');
    trickle.proxy.set({ sliceBytes: 1 });
    await trickle.up();
    await trickle.core.write(trickle.key, 'one by one');
    await trickle.core.views.untilAnswered(trickle.key, 2);
    expectUntouched(
      trickle,
      trickle.core.states.find(({ state }) => state.status === 'connected')?.atMs ?? 0,
      1,
    );
    const [link] = trickle.proxy.connections();
    expect(link?.bytesDown).toBeGreaterThan(10_000);
    recordFault({
      row: 14,
      layer: 'core',
      injected: 'the fault proxy hands on single bytes',
      shown: 'connected; a message is answered',
      tookMs: null,
      limitMs: null,
      control: `${link?.bytesDown ?? 0} bytes were written one at a time`,
    });
    await trickle.core.close();
  });
});

describe('what is no SSH server', () => {
  const strangers: readonly [string, string, RegExp][] = [
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', /is not an SSH server.*HTTP\/1\.1 400/s],
    ['another protocol', '220 mail.example ESMTP\r\n', /is not an SSH server.*220 mail/s],
    ['nothing at all', '', /took too long to set up SSH.*within 10 s/s],
  ];
  it.each(strangers)('but says %s is named as what it is', async (name, says, shown) => {
    let asked = 0;
    const port = await startRawServer(lab, (socket) => {
      asked += 1;
      if (says !== '') socket.write(says);
    });
    const stranger = await linkRig(lab, `stranger ${name}`, {
      place: ({ user }: Sshd) => `${user}@127.0.0.1:${port}`,
    });
    const atMs = performance.now();
    stranger.core.gateway.connection.connect();
    const { why, afterMs } = await stranger.failureSince(atMs);
    expect(words(why)).toMatch(shown);
    expect(asked).toBeGreaterThan(0);
    await stranger.core.close();
    recordFault({
      row: 16,
      part: name,
      layer: 'core',
      injected: 'a TCP server that says this instead of an SSH identification',
      shown: `${why.code}: ${name === 'nothing at all' ? 'took too long to set up SSH' : 'is not an SSH server'}`,
      tookMs: afterMs,
      limitMs: name === 'nothing at all' ? 10_500 : 1_000,
      control: 'the server counted the connection',
    });
  });
});

describe('a way over a jump host', () => {
  it('names the hop that went away, and is back within 3 s', async () => {
    const { gateway } = await sharedGateway();
    const target = await lab.startSshd();
    const jumped = await linkRig(lab, 'jumped', {
      gatewayPort: gateway.port,
      place: () => 'target',
      prepare: (home, jump) => {
        home.writeKey('id_target', target.clientKey);
        home.writeKnownHosts([jump.knownHostsLine(), target.knownHostsLine()]);
        const host = (name: string, { port, user }: Sshd, key: string): string =>
          `Host ${name}\n HostName 127.0.0.1\n Port ${port}\n User ${user}\n IdentityFile ${home.sshDir}/${key}\n`;
        home.writeFile(
          '.ssh/config',
          `${host('jump', jump, 'id_ed25519')}${host('target', target, 'id_target')} ProxyJump jump\n`,
        );
      },
    });
    await jumped.up();
    for (const [sshd, named, injected] of [
      [
        jumped.sshd,
        /connection to jump \(127\.0\.0\.1\) was lost/,
        'SIGKILL to the session at the jump host',
      ],
      [target, /connection to 127\.0\.0\.1 was lost/, 'SIGKILL to the session at the target'],
    ] as const) {
      const from = jumped.generation();
      const atMs = performance.now();
      const killing = sshd.killSessions();
      const { why } = await jumped.failureSince(atMs);
      expect(await killing).toBe(1);
      const healedMs = await jumped.healed(atMs, from);
      expect(words(why)).toMatch(named);
      recordFault({
        row: 43,
        part: sshd === target ? 'target' : 'jump host',
        layer: 'core',
        injected,
        shown: `link-lost, with the name of the hop: ${named.source}`,
        tookMs: healedMs,
        limitMs: HEAL_LIMIT_MS,
        control: 'the other hop is named when the other one is killed',
      });
    }
    await jumped.core.close();
  });
});

describe('an sshd that listens on IPv6 alone', () => {
  it('is connected to', async () => {
    const six = await linkRig(lab, 'six', {
      sshd: { network: { address: '::1', within: [] } },
      place: ({ user, port }) => `${user}@[::1]:${port}`,
      prepare: (home, sshd) => home.writeKnownHosts([sshd.knownHostsLine('::1', sshd.port)]),
    });
    const atMs = performance.now();
    await six.up();
    const tookMs = performance.now() - atMs;
    expect(six.sshd.log()).toMatch(/Connection from ::1/);
    await six.core.close();
    recordFault({
      row: 51,
      part: 'IPv6 only',
      layer: 'core',
      injected: 'sshd on ::1 alone',
      shown: 'connected with the history',
      tookMs,
      limitMs: 6_000,
      control: 'sshd logged a connection from ::1, its only address',
    });
  });
});
