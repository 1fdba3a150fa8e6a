import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectionFailureOf } from '../../../../src/shared/connection-state.ts';
import { failureKind } from '../../../../src/shared/connection-failure.ts';
import { SAMPLE_FAILURES } from '../../../support/fakes/sample-failures.ts';
import { settle } from '../../../support/fakes/fake-clock.ts';
import { sampleHostKeyPrompt } from '../../../support/fakes/sample-prompts.ts';
import type { FakeRoute, FakeSession } from '../../../support/fakes/fake-drivers.ts';
import { Rig, sshProfile } from './rig.ts';

// The transition function alone cannot show what happens while effects take their time: here the supervisor runs them.

const FAILURES = [
  ...SAMPLE_FAILURES.filter(({ code }) => code !== 'bug'),
  ...SAMPLE_FAILURES.filter(({ code }) => failureKind(code) === 'transient' && code !== 'bug'),
];

type Act = (rig: Rig) => void | Promise<void>;

/** Closing may take long, but less than the limit after which the supervisor goes on without. */
const SLOW_CLOSE_MS = 3_000;
const BROKEN = 'driver broken';
const HOSTS = ['ops@homelab.example', 'ops@other.example', ''];

const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Act>((rig) => rig.supervisor.connect()) },
  {
    weight: 6,
    arbitrary: fc.constant<Act>((rig) =>
      rig.route.live === null || rig.session.live !== null ? undefined : rig.route.up(),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.constant<Act>((rig) => (rig.session.live === null ? undefined : rig.session.up())),
  },
  fc.constantFrom<Act>(
    (rig) => rig.supervisor.connect(),
    (rig) => rig.supervisor.connect(false),
    (rig) => rig.supervisor.attend(),
    (rig) => rig.supervisor.disconnect(),
    (rig) => rig.supervisor.pause(),
    (rig) => rig.supervisor.resume(),
    (rig) => rig.supervisor.reconnectNow(),
    (rig) => rig.supervisor.answerPrompt(sampleHostKeyPrompt.id, { type: 'cancel' }),
  ),
  fc.constantFrom(...HOSTS).map<Act>((host) => (rig) => rig.supervisor.profileChanged(sshProfile(host))),
  fc.constantFrom<Act>(
    (rig) => rig.connectivity.set(true),
    (rig) => rig.connectivity.set(false),
    (rig) => rig.power.suspend(),
    (rig) => rig.power.resume(),
    (rig) => rig.clock.sleep(8 * 3_600_000),
    (rig) => rig.clock.jumpWall(-86_400_000),
  ),
  // What the drivers do: the good way more often, so that long runs do reach a connection.
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Act>((rig) => rig.route.up()) },
    { weight: 3, arbitrary: fc.constant<Act>((rig) => rig.session.up()) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Act>(
        (rig) => rig.route.ask(sampleHostKeyPrompt),
        (rig) => closesSlowly(rig, rig.route),
        (rig) => closesSlowly(rig, rig.session),
        (rig) => breaksOnce(rig),
        (rig) => void (rig.route.probeAnswer = 'never'),
        (rig) => void (rig.session.probeAnswer = { alive: false, latencyMs: null }),
      ),
    },
  ),
  fc.constantFrom(...FAILURES).chain((failure) =>
    fc.constantFrom<Act>(
      (rig) => rig.route.down(failure),
      (rig) => rig.session.down(failure),
      (rig) => rig.route.forwardFailed(failure),
    ),
  ),
  fc.nat(20_000).map<Act>((ms) => (rig) => rig.clock.advance(ms)),
);

function closesSlowly(rig: Rig, driver: FakeRoute | FakeSession): void {
  driver.slowClose = true;
  rig.clock.setTimer(SLOW_CLOSE_MS, () => driver.finishClosing());
}

function breaksOnce({ route }: Rig): void {
  const open = route.open.bind(route);
  route.open = () => {
    route.open = open;
    throw new Error(BROKEN);
  };
}

async function tell(story: readonly Act[]): Promise<Rig> {
  const rig = new Rig();
  for (const act of story) {
    await act(rig);
    expect([rig.routes.most, rig.sessions.most].every((most) => most <= 1)).toBe(true);
    const { state } = rig;
    // What a driver throws that is opened a second time; the one that is broken on purpose says something else.
    const reason = connectionFailureOf(state);
    if (reason?.code === 'bug') expect(reason.facts.detail).toContain(BROKEN);
    if (state.status === 'connected') expect([rig.route.live, rig.session.live]).not.toContain(null);
    if (state.status === 'paused' || state.status === 'disconnected' || state.status === 'unconfigured') {
      await settle();
      // A block closes what is open; who pauses then does not wait for that once more.
      const closing = [Number(rig.route.isClosing), Number(rig.session.isClosing)];
      if (rig.state === state) expect([rig.routes.live, rig.sessions.live]).toEqual(closing);
    }
  }
  return rig;
}

const stories = fc.array(acts, { minLength: 20, maxLength: 50, size: 'max' });

describe('a supervisor whose drivers are slow, late and broken', { timeout: 120_000 }, () => {
  it('never has two sessions, and leaves neither a session nor a timer behind', async () => {
    let opened = 0;
    await fc.assert(
      fc.asyncProperty(stories, async (story) => {
        const rig = await tell(story);
        const ended = rig.supervisor.dispose();
        await rig.clock.advance(4 * SLOW_CLOSE_MS);
        await ended;
        await rig.clock.advance(SLOW_CLOSE_MS);
        expect([rig.routes.live, rig.sessions.live, rig.clock.pendingTimers]).toEqual([0, 0, 0]);
        const broken = rig.logger.of('connection.effect-failed');
        expect([broken, rig.logger.of('connection.close-hung')]).toEqual([[], []]);
        opened += rig.sessions.opened;
      }),
      { numRuns: 1_000 },
    );
    // The stories do get somewhere.
    expect(opened).toBeGreaterThan(200);
  });

  it('would be found out, did a session outlive its close', async () => {
    const outlives: Act = (rig) => {
      rig.session.close = () => Promise.resolve();
    };
    const story: readonly Act[] = [
      (rig) => rig.supervisor.connect(),
      (rig) => rig.route.up(),
      (rig) => rig.session.up(),
      outlives,
      (rig) => rig.supervisor.reconnectNow(),
      () => settle(),
      (rig) => rig.route.up(),
      () => settle(),
    ];
    await tell(story.filter((act) => act !== outlives));
    await expect(tell(story)).rejects.toThrow('a session is open already');
  });
});
