import { describe, expect, it } from 'vitest';
import { RETRY_LADDER_MS } from '../../../../src/main/core/connection/retry-policy.ts';
import { CLOSE_LIMIT_MS } from '../../../../src/main/core/connection/supervisor.ts';
import { SIGN_IN_GUARD_MS } from '../../../../src/main/core/connection/work.ts';
import { failure } from '../../../../src/shared/connection-failure.ts';
import type { UserPrompt } from '../../../../src/shared/connection-state.ts';
import { emptyProfile } from '../../../../src/shared/gateway-profile.ts';
import { settle } from '../../../support/fakes/fake-clock.ts';
import { ENDPOINT } from '../../../support/fakes/fake-drivers.ts';
import {
  sampleHostKeyPrompt as hostKey,
  sampleInteractivePrompt as interactive,
  sampleNoticePrompt as notice,
  samplePassphrasePrompt as passphrase,
  samplePasswordPrompt as password,
} from '../../../support/fakes/sample-prompts.ts';
import { Rig, sshProfile } from './rig.ts';

const refused = failure('ssh-refused', { host: 'homelab.example', port: 22 });
const lost = failure('link-lost', { host: 'homelab.example', detail: 'ECONNRESET' });
const restarting = failure('gateway-restarting', { expectedMs: null });
const notListening = failure('gateway-not-listening', { host: 'homelab.example', gatewayPort: 18789 });
const rejected = failure('auth-rejected', {
  user: 'ops',
  host: 'homelab.example',
  offered: ['publickey'],
  tried: [],
});
const mismatch = failure('token-mismatch', {});

describe('connecting', () => {
  it('is connected only once the gateway has answered', () => {
    const rig = new Rig();
    rig.supervisor.connect();
    expect(rig.state).toMatchObject({ status: 'connecting', stage: 'opening-listener', reconnecting: false });
    rig.route.up();
    expect(rig.state).toMatchObject({ status: 'connecting', stage: 'gateway-handshake' });
    rig.session.up();
    expect(rig.state).toMatchObject({ status: 'connected', generation: 1, endpoint: ENDPOINT });
  });

  it('shows the stages that the route reports', () => {
    const rig = new Rig();
    rig.supervisor.connect();
    rig.route.emit({ type: 'route-stage', attempt: 1, stage: 'authenticating', limitMs: null });
    expect(rig.state).toMatchObject({ status: 'connecting', stage: 'authenticating' });
  });

  it('does nothing without a target and starts as soon as there is one', async () => {
    const rig = new Rig(emptyProfile('g1'));
    rig.supervisor.connect();
    expect(rig.state).toEqual({ status: 'unconfigured' });
    rig.supervisor.profileChanged(sshProfile());
    await settle();
    expect(rig.state.status).toBe('connecting');
  });

  it('drops the result of a superseded attempt', async () => {
    const rig = await new Rig().connected();
    rig.supervisor.reconnectNow();
    await settle();
    rig.route.emit({ type: 'route-down', attempt: 1, failure: lost });
    rig.session.emit({ type: 'session-down', attempt: 1, failure: restarting });
    expect(rig.state).toMatchObject({ status: 'connecting', attempt: 2 });
  });
});

describe('retrying', () => {
  it('climbs the ladder and shows when it tries next', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    const waits: number[] = [];
    for (let round = 0; round < RETRY_LADDER_MS.length + 2; round++) {
      rig.route.down(refused);
      await settle();
      if (rig.state.status !== 'backing-off') {
        waits.push(0);
        continue;
      }
      const waitMs = rig.state.retryAtMs - rig.clock.nowMs();
      waits.push(waitMs);
      await rig.clock.advance(waitMs - 1);
      expect(rig.state.status).toBe('backing-off');
      await rig.clock.advance(1);
      expect(rig.state.status).toBe('connecting');
    }
    expect(waits).toEqual([...RETRY_LADDER_MS, 30_000, 30_000]);
  });

  it('counts a lost link once, also where the gateway session told of it first', async () => {
    const rig = await new Rig().connected();
    rig.session.down(failure('gateway-closed', { code: 1006, reason: '' }));
    rig.route.down(lost);
    await settle();
    expect(rig.state.status).toBe('connecting');
    // The next failure is the second one, on whichever way the first was told.
    rig.route.down(refused);
    await settle();
    expect(rig.state).toMatchObject({ status: 'backing-off' });
    if (rig.state.status === 'backing-off')
      expect(rig.state.retryAtMs - rig.clock.nowMs()).toBe(RETRY_LADDER_MS[1]);
  });

  it.each([
    { heldMs: 900, waitMs: RETRY_LADDER_MS[5] },
    { heldMs: 1_000, waitMs: 1_000 },
    { heldMs: 2_500, waitMs: 2_000 },
    { heldMs: 5_000, waitMs: 0 },
    { heldMs: 40_000, waitMs: 0 },
  ])('waits $waitMs ms after a connection of $heldMs ms that came late', async ({ heldMs, waitMs }) => {
    const rig = await new Rig().connected();
    rig.route.down(lost);
    for (const delayMs of RETRY_LADDER_MS.slice(1, 5)) {
      await settle();
      rig.route.down(refused);
      await rig.clock.advance(delayMs);
    }
    rig.route.up();
    rig.session.up();
    await rig.clock.advance(heldMs);
    rig.route.down(lost);
    if (waitMs === 0) expect(rig.state.status).toBe('connecting');
    else expect(rig.state).toMatchObject({ status: 'backing-off', retryAtMs: rig.clock.nowMs() + waitMs });
  });

  it('tries again less than once a second while every connection ends as soon as it is up', async () => {
    const rig = await new Rig().connected();
    const first = rig.routes.opened;
    for (let ms = 0; ms < 60_000; ms += 100) {
      if (rig.state.status === 'connected') rig.route.down(lost);
      else if (rig.route.live !== null && rig.state.status === 'connecting') {
        rig.route.up();
        rig.session.up();
      }
      await settle();
      await rig.clock.advance(100);
    }
    expect(rig.routes.opened - first).toBeLessThanOrEqual(12);
  });

  it('keeps the route and opens a new session when only the gateway went away', async () => {
    const rig = await new Rig().connected();
    rig.session.down(restarting);
    await settle();
    expect(rig.route.opens).toHaveLength(1);
    expect(rig.session.opens.map((open) => open.attempt)).toEqual([1, 2]);
    rig.session.up();
    expect(rig.state).toMatchObject({ status: 'connected', generation: 2 });
  });

  it('takes both down when the route is lost, and says "reconnecting"', async () => {
    const rig = await new Rig().connected();
    rig.route.down(lost);
    await settle();
    expect(rig.session.live).toBeNull();
    expect(rig.state).toMatchObject({
      status: 'connecting',
      reconnecting: true,
      lastFailure: { code: 'link-lost' },
    });
  });

  it('asks for a closed gateway port every 5 s, then every 30 s, over the same SSH session', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    const waits: number[] = [];
    for (let round = 0; round < 26; round++) {
      rig.route.forwardFailed(notListening);
      await settle();
      if (rig.state.status !== 'backing-off') throw new Error(rig.state.status);
      waits.push(rig.state.retryAtMs - rig.clock.nowMs());
      await rig.clock.advance(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([...Array<number>(24).fill(5_000), 30_000, 30_000]);
    expect(rig.route.closes).toBe(0);
    expect(rig.routes.opened).toBe(1);
  });

  it('is not held off by other clients of the local port that are refused meanwhile', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    rig.route.forwardFailed(notListening);
    for (let second = 0; second < 5; second++) {
      await rig.clock.advance(900);
      rig.route.forwardFailed(notListening);
    }
    await rig.clock.advance(500);
    expect(rig.route.opens).toHaveLength(2);
  });

  it('honours the time that a rate-limiting gateway names, also when the network changes', async () => {
    const rig = await new Rig().connected();
    rig.session.down(failure('rate-limited', { retryAfterMs: 60_000 }));
    rig.connectivity.set(true);
    await rig.clock.advance(59_999);
    expect(rig.session.opens).toHaveLength(1);
    await rig.clock.advance(1);
    expect(rig.session.opens).toHaveLength(2);
  });

  it.each([
    ['a clock that is set', (rig: Rig) => rig.clock.jumpWall(86_400_000)],
    ['a sleep that is shorter', (rig: Rig) => rig.power.suspend()],
    [
      'a sleep after which the network is away',
      (rig: Rig) => {
        rig.power.suspend();
        rig.connectivity.set(false);
      },
    ],
  ])('does not let %s end a lockout early, nor forget its end', async (_what, disturb) => {
    const rig = await new Rig().connected();
    rig.session.down(failure('rate-limited', { retryAfterMs: 60_000 }));
    disturb(rig);
    await rig.clock.advance(10_000);
    rig.power.resume();
    rig.connectivity.set(true);
    await rig.clock.advance(49_999);
    expect(rig.state).toMatchObject({ status: 'backing-off', lastFailure: { code: 'rate-limited' } });
    await rig.clock.advance(1);
    expect(rig.state.status).toBe('connecting');
  });

  it('ends a lockout over which the computer slept', async () => {
    const rig = await new Rig().connected();
    rig.session.down(failure('rate-limited', { retryAfterMs: 60_000 }));
    await rig.clock.advance(2_000);
    rig.clock.sleep(58_000);
    rig.power.resume();
    await settle();
    expect(rig.state.status).toBe('connecting');
  });

  it('waits when blocked, keeps the live route, and tries again only when asked', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    rig.route.up();
    rig.session.down(mismatch);
    await rig.clock.advance(3_600_000);
    rig.connectivity.set(true);
    rig.power.resume();
    await settle();
    expect(rig.state).toMatchObject({ status: 'blocked', failure: { code: 'token-mismatch' } });
    expect(rig.session.opens).toHaveLength(1);
    rig.supervisor.connect();
    expect(rig.state.status).toBe('connecting');
    expect(rig.route.opens).toHaveLength(1);
    rig.supervisor.reconnectNow();
    await settle();
    expect(rig.route.opens).toHaveLength(2);
  });

  it('ends a route that hangs after 20 s and a gateway that stays silent after 15 s', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    await rig.clock.advance(20_000);
    expect(rig.state).toMatchObject({
      lastFailure: { code: 'tunnel-process-crashed', facts: { exitCode: null } },
    });
    rig.route.up();
    await rig.clock.advance(15_000);
    expect(rig.state).toMatchObject({ lastFailure: { code: 'gateway-silent', facts: { limitMs: 15_000 } } });
    expect(rig.sessions.most).toBe(1);
  });

  it('gives a person time to touch a security key, and cuts the rest of the way short again after it', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    rig.route.emit({ type: 'route-stage', attempt: 1, stage: 'authenticating', limitMs: null });
    await rig.clock.advance(100_000);
    expect(rig.state).toMatchObject({ status: 'connecting', attempt: 1 });
    rig.route.emit({ type: 'route-stage', attempt: 1, stage: 'opening-forward', limitMs: null });
    await rig.clock.advance(20_000);
    expect(rig.state).toMatchObject({ lastFailure: { code: 'forward-timeout' } });
  });

  it('treats a driver that throws as a bug with a name, not as the end of the app', () => {
    const rig = new Rig();
    rig.route.open = () => {
      throw new TypeError('boom');
    };
    rig.supervisor.connect();
    expect(rig.state).toMatchObject({
      status: 'blocked',
      failure: { code: 'bug', facts: { detail: 'TypeError: boom' } },
    });
  });
});

describe('asking the person', () => {
  /** Connecting because a person asked for it, and asked in turn. */
  function asked(prompt: UserPrompt): Rig {
    const rig = new Rig();
    rig.supervisor.connect();
    rig.route.ask(prompt);
    return rig;
  }

  it('keeps the attempt open for the answer and counts no time against the person', async () => {
    const rig = asked(password);
    await rig.clock.advance(3_600_000);
    expect(rig.state).toMatchObject({ status: 'waiting-for-user', attended: true, prompt: { id: 'p5' } });
    expect(rig.route.live).toBe(1);
    const answer = { type: 'password', password: 'hunter2 hunter2', remember: false } as const;
    rig.supervisor.answerPrompt('p5', answer);
    expect(rig.route.answers).toEqual([{ attempt: 1, promptId: 'p5', answer }]);
    expect(rig.state).toMatchObject({ status: 'connecting', stage: 'authenticating', attempt: 1 });
    rig.route.up();
    rig.session.up();
    expect(rig.route.opens).toHaveLength(1);
  });

  it('ignores an answer to an older question, of another kind, or to another key', () => {
    const rig = asked(hostKey);
    rig.supervisor.answerPrompt('p0', { type: 'cancel' });
    rig.supervisor.answerPrompt('p1', { type: 'trust-host-key', fingerprint: 'SHA256:other' });
    rig.supervisor.answerPrompt('p1', { type: 'passphrase', passphrase: 'x', remember: false });
    expect(rig.state.status).toBe('waiting-for-user');
    rig.route.ask(interactive);
    rig.supervisor.answerPrompt('p3', { type: 'responses', responses: ['only one'], remember: false });
    expect([rig.state.status, rig.route.answers]).toEqual(['waiting-for-user', []]);
  });

  it('is blocked after a refusal, with nothing left open', async () => {
    const rig = asked(hostKey);
    rig.supervisor.answerPrompt('p1', { type: 'cancel' });
    await settle();
    expect(rig.state).toMatchObject({ status: 'blocked', failure: { code: 'host-key-declined' } });
    expect(rig.route.live).toBeNull();
    const refusals = [
      [passphrase, 'passphrase-declined'],
      [password, 'sign-in-declined'],
      [interactive, 'sign-in-declined'],
      [notice, 'sign-in-declined'],
    ] as const;
    for (const [prompt, code] of refusals) {
      rig.supervisor.reconnectNow();
      await settle();
      rig.route.ask(prompt);
      rig.supervisor.answerPrompt(prompt.id, { type: 'cancel' });
      expect(rig.state).toMatchObject({ status: 'blocked', failure: { code } });
    }
  });

  it('hands an answer to the route and keeps it nowhere', async () => {
    const seen: unknown[] = [];
    const rig = new Rig();
    rig.supervisor.onChange((state) => seen.push(state));
    rig.supervisor.connect();
    rig.route.ask(passphrase);
    rig.supervisor.answerPrompt('p2', { type: 'passphrase', passphrase: 'correct horse', remember: true });
    expect(rig.route.answers).toHaveLength(1);
    rig.route.down(lost);
    await rig.clock.advance(1_000);
    expect(rig.route.answers).toHaveLength(1);
    expect(JSON.stringify([seen, rig.logger.lines])).not.toContain('correct horse');
  });

  it('ends an answered attempt that goes no further', async () => {
    const rig = asked(password);
    rig.supervisor.answerPrompt('p5', { type: 'password', password: 'x', remember: false });
    await rig.clock.advance(SIGN_IN_GUARD_MS);
    expect(rig.state).toMatchObject({
      status: 'connecting',
      attempt: 2,
      lastFailure: { code: 'ssh-handshake-timeout', facts: { limitMs: SIGN_IN_GUARD_MS } },
    });
  });

  it('goes on by itself when the question is over without an answer', () => {
    const rig = asked(notice);
    rig.route.questionOver('another');
    expect(rig.state.status).toBe('waiting-for-user');
    rig.route.questionOver('p4');
    expect(rig.state).toMatchObject({ status: 'connecting', stage: 'authenticating' });
  });

  it('puts the question aside when the server does not wait, and asks anew once somebody attends', async () => {
    const rig = asked(password);
    rig.route.down(lost);
    await rig.clock.advance(3_600_000);
    expect(rig.state).toMatchObject({ status: 'waiting-for-user', attended: false });
    expect(rig.route.opens).toHaveLength(1);
    rig.supervisor.answerPrompt('p5', { type: 'password', password: 'late', remember: false });
    expect([rig.state.status, rig.route.answers]).toEqual(['waiting-for-user', []]);
    rig.supervisor.attend();
    rig.route.ask({ ...password, id: 'next' });
    expect(rig.state).toMatchObject({ attended: true, attempt: 2, prompt: { id: 'next' } });
  });

  it('asks again where the server went away on the answer, for the person is there', async () => {
    const rig = asked(password);
    rig.supervisor.answerPrompt('p5', { type: 'password', password: 'x', remember: false });
    rig.route.down(lost);
    await settle();
    rig.route.ask({ ...password, id: 'again' });
    expect(rig.state).toMatchObject({ status: 'waiting-for-user', attended: true, prompt: { id: 'again' } });
  });

  it('is blocked when the attempt fails for good while the question waits', () => {
    const rig = asked(password);
    rig.route.down(rejected);
    expect(rig.state).toMatchObject({ status: 'blocked', failure: { code: 'auth-rejected' } });
  });

  it('leaves what the local port refuses to others out of account while it asks', async () => {
    const rig = asked(password);
    rig.route.forwardFailed(notListening);
    expect(rig.state.status).toBe('waiting-for-user');
    rig.supervisor.answerPrompt('p5', { type: 'password', password: 'x', remember: false });
    rig.route.up();
    await settle();
    expect(rig.state).toMatchObject({ status: 'connecting', stage: 'gateway-handshake' });
  });

  const endings: readonly (readonly [string, (rig: Rig) => void])[] = [
    ['a pause', (rig) => rig.supervisor.pause()],
    ['a disconnect', (rig) => rig.supervisor.disconnect()],
    ['a sleep', (rig) => rig.power.suspend()],
    ['another profile', (rig) => rig.supervisor.profileChanged(sshProfile('ops@other.example'))],
    ['a new start', (rig) => rig.supervisor.reconnectNow()],
  ];
  it.each(endings)('never leaves the questioned session behind on %s', async (_what, end) => {
    const rig = asked(password);
    const first = rig.route;
    end(rig);
    await settle();
    expect(first.closes).toBeGreaterThan(0);
    expect([first.live === 1, rig.routes.most]).toEqual([false, 1]);
    rig.supervisor.answerPrompt('p5', { type: 'password', password: 'late', remember: false });
    expect([...first.answers, ...rig.route.answers]).toEqual([]);
  });

  it('asks anew on "Reconnect now"', async () => {
    const rig = asked(password);
    rig.supervisor.reconnectNow();
    await settle();
    expect(rig.state).toMatchObject({ status: 'connecting', attempt: 2 });
    rig.route.ask({ ...password, id: 'anew' });
    expect(rig.state).toMatchObject({ attended: true, prompt: { id: 'anew' } });
  });

  it('waits through network changes and a second request to connect', async () => {
    const rig = asked(password);
    rig.connectivity.set(false);
    rig.connectivity.set(true);
    rig.supervisor.connect();
    rig.supervisor.attend();
    await rig.clock.advance(60_000);
    expect(rig.state).toMatchObject({ status: 'waiting-for-user', attended: true });
    expect(rig.route.opens).toHaveLength(1);
  });
});

describe('a question while nobody is there', () => {
  it('of a reconnect in the background closes the attempt and waits to be attended to', async () => {
    const rig = await new Rig().connected();
    rig.route.down(lost);
    await settle();
    rig.route.ask(passphrase);
    await settle();
    expect(rig.state).toMatchObject({ status: 'waiting-for-user', attended: false, reconnecting: true });
    expect(rig.route.live).toBeNull();
    rig.power.suspend();
    rig.connectivity.set(false);
    rig.connectivity.set(true);
    rig.power.resume();
    await rig.clock.advance(3_600_000);
    expect([rig.state.status, rig.route.opens.length]).toEqual(['waiting-for-user', 2]);
    rig.supervisor.attend();
    rig.route.ask({ ...passphrase, id: 'shown' });
    expect(rig.state).toMatchObject({ attended: true, prompt: { id: 'shown' } });
  });

  it('of a start of the app waits as well, and can be declined', async () => {
    const rig = new Rig();
    rig.supervisor.connect(false);
    rig.route.ask(hostKey);
    await settle();
    expect([rig.state, rig.route.live]).toMatchObject([{ attended: false }, null]);
    rig.supervisor.answerPrompt('p1', { type: 'trust-host-key', fingerprint: hostKey.fingerprint });
    expect(rig.state.status).toBe('waiting-for-user');
    rig.supervisor.answerPrompt('p1', { type: 'cancel' });
    expect(rig.state).toMatchObject({ status: 'blocked', failure: { code: 'host-key-declined' } });
  });

  it('is shown where a person asked and the first tries failed', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    rig.route.down(refused);
    rig.route.down(refused);
    await rig.clock.advance(1_000);
    rig.route.ask(password);
    expect(rig.state).toMatchObject({ status: 'waiting-for-user', attended: true });
  });

  it('is not shown because somebody asked to connect what was connected', async () => {
    const rig = await new Rig().connected();
    rig.supervisor.connect();
    rig.supervisor.attend();
    rig.route.down(lost);
    await settle();
    rig.route.ask(password);
    expect(rig.state).toMatchObject({ attended: false });
  });

  it('is not shown after a sleep either', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    rig.power.suspend();
    await settle();
    rig.power.resume();
    rig.route.ask(password);
    expect(rig.state).toMatchObject({ attended: false });
  });

  it('is shown to a person who asked for it just before it came', () => {
    const rig = new Rig();
    rig.supervisor.connect(false);
    rig.supervisor.attend();
    rig.route.ask(password);
    expect(rig.state).toMatchObject({ attended: true });
  });
});

describe('network', () => {
  it('waits for a network without spending attempts, and tries at once when it is back', async () => {
    const rig = new Rig();
    rig.connectivity.set(false);
    rig.supervisor.connect();
    expect(rig.state).toEqual({ status: 'paused', reason: 'offline' });
    await rig.clock.advance(3_600_000);
    expect(rig.route.opens).toHaveLength(0);
    rig.connectivity.set(true);
    expect(rig.state.status).toBe('connecting');
  });

  it('leaves a wait for the network as soon as the person insists', () => {
    const rig = new Rig();
    rig.connectivity.set(false);
    rig.supervisor.connect();
    rig.supervisor.reconnectNow();
    expect(rig.state.status).toBe('connecting');
    rig.route.down(refused);
    expect(rig.state).toEqual({ status: 'paused', reason: 'offline' });
  });

  it('does not care about "offline" where the gateway is on this computer', () => {
    for (const profile of [{ ...sshProfile(), mode: 'local' as const }, sshProfile('ops@127.0.0.1:2222')]) {
      const rig = new Rig(profile);
      rig.connectivity.set(false);
      rig.supervisor.connect();
      expect(rig.state.status).toBe('connecting');
    }
  });

  it('asks a live session for a sign of life and leaves it alone when it answers', async () => {
    const rig = await new Rig().connected();
    rig.connectivity.set(false);
    rig.connectivity.set(true);
    await rig.clock.advance(5_000);
    expect(rig.route.probes + rig.session.probes).toBeGreaterThanOrEqual(2);
    expect(rig.state).toMatchObject({ status: 'connected', generation: 1 });
    expect(rig.states.filter((status) => status !== 'connected')).toEqual(['connecting', 'connecting']);
  });

  it('does not turn a storm of network events into a storm of attempts', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    for (let event = 0; event < 200; event++) {
      rig.route.down(refused);
      await rig.clock.advance(50);
      rig.connectivity.set(event % 2 === 0);
    }
    expect(rig.route.opens.length).toBeLessThanOrEqual(12);
  });
});

describe('sleep and wake', () => {
  it('keeps a session that survived a short sleep', async () => {
    const rig = await new Rig().connected();
    rig.power.suspend();
    rig.clock.sleep(30_000);
    rig.power.resume();
    await rig.clock.advance(5_000);
    expect(rig.state).toMatchObject({ status: 'connected', generation: 1 });
    expect(rig.route.opens).toHaveLength(1);
  });

  it('replaces everything within 2.5 s of waking when nothing answers', async () => {
    const rig = await new Rig().connected();
    rig.route.probeAnswer = 'never';
    rig.session.probeAnswer = 'never';
    rig.power.suspend();
    rig.clock.sleep(8 * 3_600_000);
    rig.power.resume();
    await rig.clock.advance(2_500);
    expect(rig.state).toMatchObject({
      status: 'connecting',
      reconnecting: true,
      lastFailure: { code: 'link-dead' },
    });
    expect(rig.route.opens).toHaveLength(2);
  });

  it('replaces only the session when the route answers and the gateway does not', async () => {
    const rig = await new Rig().connected();
    rig.session.probeAnswer = { alive: false, latencyMs: null };
    rig.power.resume();
    await settle();
    expect(rig.state).toMatchObject({ status: 'connecting', lastFailure: { code: 'gateway-silent' } });
    expect(rig.route.opens).toHaveLength(1);
    expect(rig.session.opens).toHaveLength(2);
  });

  it('finds an 8-hour sleep that no power event told of', async () => {
    const rig = await new Rig().connected();
    rig.route.probeAnswer = { alive: false, latencyMs: null };
    rig.session.probeAnswer = { alive: false, latencyMs: null };
    rig.clock.sleep(8 * 3_600_000);
    await rig.clock.advance(2_000);
    expect(rig.route.opens).toHaveLength(2);
  });

  it('lets go of an SSH session that stood without a gateway through a sleep, but not because the clock was set', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    rig.route.forwardFailed(notListening);
    rig.clock.jumpWall(86_400_000);
    await rig.clock.advance(3_000);
    expect([rig.state.status, rig.route.closes]).toEqual(['backing-off', 0]);
    rig.clock.sleep(8 * 3_600_000);
    await rig.clock.advance(2_000);
    expect([rig.state.status, rig.route.closes]).toEqual(['connecting', 1]);
  });

  it('does not drop a connection because the wall clock was set by a day, either way', async () => {
    const rig = await new Rig().connected();
    for (const day of [86_400_000, -86_400_000]) {
      rig.clock.jumpWall(day);
      await rig.clock.advance(10_000);
    }
    expect(rig.state).toMatchObject({ status: 'connected', generation: 1 });
    expect(rig.session.probes).toBe(2);
  });

  it('retries after a wall-clock jump as late as the monotonic clock says, not eight hours later', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    for (let failures = 0; failures < 5; failures++) {
      rig.route.down(refused);
      await rig.clock.advance(failures === 4 ? 0 : 8_000);
    }
    expect(rig.state.status).toBe('backing-off');
    rig.clock.jumpWall(-8 * 3_600_000);
    await rig.clock.advance(8_000);
    expect(rig.state.status).toBe('connecting');
  });

  it('stops trying while asleep and starts on waking', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    rig.power.suspend();
    await settle();
    expect(rig.state).toEqual({ status: 'paused', reason: 'asleep' });
    expect(rig.route.live).toBeNull();
    await rig.clock.advance(5_000);
    rig.power.resume();
    expect(rig.state.status).toBe('connecting');
    expect(rig.route.opens).toHaveLength(2);
  });

  it('does not stay asleep for ever when a sleep is announced and never comes', async () => {
    const rig = new Rig();
    rig.supervisor.connect();
    rig.power.suspend();
    await rig.clock.advance(15_000);
    expect(rig.state.status).toBe('connecting');
  });
});

describe('stopping', () => {
  it('stays paused through everything but the person', async () => {
    const rig = await new Rig().connected();
    rig.supervisor.pause();
    await settle();
    rig.connectivity.set(true);
    rig.power.resume();
    await rig.clock.advance(3_600_000);
    expect(rig.state).toEqual({ status: 'paused', reason: 'user' });
    expect([rig.route.live, rig.session.live]).toEqual([null, null]);
    rig.supervisor.resume();
    expect(rig.state).toMatchObject({ status: 'connecting', reconnecting: false });
  });

  it('opens nothing new before the old has closed', async () => {
    const rig = await new Rig().connected();
    rig.route.slowClose = true;
    rig.supervisor.reconnectNow();
    await rig.clock.advance(1_000);
    expect(rig.route.opens).toHaveLength(1);
    rig.route.finishClosing();
    await settle();
    expect(rig.route.opens).toHaveLength(2);
    expect(rig.routes.most).toBe(1);
  });

  it('goes on after a driver whose close hangs', async () => {
    const rig = await new Rig().connected();
    rig.route.slowClose = true;
    rig.supervisor.disconnect();
    expect(rig.state).toEqual({ status: 'disconnecting', then: 'stay-off' });
    await rig.clock.advance(CLOSE_LIMIT_MS);
    expect(rig.state.status).toBe('disconnected');
    expect(rig.logger.of('connection.close-hung')).toHaveLength(1);
  });

  it('replaces the drivers when the profile changes, old ones first', async () => {
    const rig = await new Rig().connected();
    const [oldRoute, oldSession] = [rig.route, rig.session];
    oldRoute.slowClose = true;
    rig.supervisor.profileChanged(sshProfile('ops@other.example'));
    await settle();
    expect(rig.state).toEqual({ status: 'disconnecting', then: 'reconnect' });
    expect(rig.drivers).toBe(1);
    oldRoute.finishClosing();
    await settle();
    expect([oldRoute.disposed, oldSession.disposed, rig.drivers]).toEqual([true, true, 2]);
    expect(rig.state).toMatchObject({ status: 'connecting', reconnecting: false });
    expect(rig.routes.most).toBe(1);
  });

  it('lets the last of 50 rapid toggles win, with one session', async () => {
    const rig = new Rig();
    for (let toggle = 0; toggle < 50; toggle++) {
      rig.supervisor.connect();
      if (toggle % 3 === 0) await settle();
      rig.supervisor.disconnect();
    }
    rig.supervisor.connect();
    await settle();
    rig.route.up();
    await settle();
    rig.session.up();
    expect(rig.state.status).toBe('connected');
    expect([rig.routes.most, rig.sessions.most]).toEqual([1, 1]);
  });

  const stages: readonly (readonly [string, (rig: Rig) => void])[] = [
    ['before anything', () => undefined],
    ['opening the route', (rig) => rig.supervisor.connect()],
    [
      'authenticating',
      (rig) => {
        rig.supervisor.connect();
        rig.route.emit({ type: 'route-stage', attempt: 1, stage: 'authenticating', limitMs: null });
      },
    ],
    [
      'waiting for the person',
      (rig) => {
        rig.supervisor.connect();
        rig.route.ask(hostKey);
      },
    ],
    [
      'the gateway handshake',
      (rig) => {
        rig.supervisor.connect();
        rig.route.up();
      },
    ],
    [
      'connected',
      (rig) => {
        rig.supervisor.connect();
        rig.route.up();
        rig.session.up();
      },
    ],
    [
      'probing',
      (rig) => {
        rig.supervisor.connect();
        rig.route.up();
        rig.session.up();
        rig.session.probeAnswer = 'never';
        rig.power.resume();
      },
    ],
    [
      'backing off',
      (rig) => {
        rig.supervisor.connect();
        rig.route.down(refused);
        rig.route.down(refused);
      },
    ],
    [
      'a gateway port that is closed',
      (rig) => {
        rig.supervisor.connect();
        rig.route.forwardFailed(notListening);
      },
    ],
    [
      'blocked',
      (rig) => {
        rig.supervisor.connect();
        rig.route.down(rejected);
      },
    ],
    [
      'paused without a network',
      (rig) => {
        rig.connectivity.set(false);
        rig.supervisor.connect();
      },
    ],
    [
      'paused by the person',
      (rig) => {
        rig.supervisor.connect();
        rig.supervisor.pause();
      },
    ],
    [
      'asleep',
      (rig) => {
        rig.supervisor.connect();
        rig.power.suspend();
      },
    ],
    [
      'a profile change',
      (rig) => {
        rig.supervisor.connect();
        rig.route.up();
        rig.supervisor.profileChanged(sshProfile('ops@other.example'));
      },
    ],
  ];
  it.each(stages)('releases everything when it must end during %s', async (_stage, reach) => {
    const rig = new Rig();
    reach(rig);
    const ended = rig.supervisor.dispose();
    await rig.clock.advance(0);
    await rig.clock.advance(3_000);
    await ended;
    expect(rig.state.status).toBe('disconnected');
    expect([rig.routes.live, rig.sessions.live]).toEqual([0, 0]);
    expect([rig.route.disposed, rig.session.disposed]).toEqual([true, true]);
    expect(rig.clock.pendingTimers).toBe(0);
    rig.supervisor.connect();
    rig.connectivity.set(true);
    expect(rig.state.status).toBe('disconnected');
  });

  it('writes one log line per transition, with codes', async () => {
    const rig = await new Rig().connected();
    rig.route.down(rejected);
    expect(rig.logger.of('connection.transition').map(({ from, to, code }) => [from, to, code])).toEqual([
      ['disconnected', 'connecting', null],
      ['connecting', 'connected', null],
      ['connected', 'blocked', 'auth-rejected'],
    ]);
  });
});
