import { expect } from 'vitest';
import type { ConnectionTarget } from '../../../../src/main/core/connection/connection-target.ts';
import {
  type Effect,
  initialMachine,
  type Machine,
  type MachineEvent,
  type TimerEvent,
  type TimerName,
  type Transition,
} from '../../../../src/main/core/connection/machine.ts';
import { HELD_MS, RETRY_LADDER_MS } from '../../../../src/main/core/connection/retry-policy.ts';
import { TIMER_OF } from '../../../../src/main/core/connection/system-events.ts';
import { transition } from '../../../../src/main/core/connection/transition.ts';
import type { ConnectionFailure } from '../../../../src/shared/connection-failure.ts';
import type { UserPrompt } from '../../../../src/shared/connection-state.ts';
import { ENDPOINT, ROUTE_FACTS, SESSION_FACTS } from '../../../support/fakes/fake-drivers.ts';
import {
  sampleHostKeyPrompt,
  sampleInteractivePrompt,
  sampleNoticePrompt,
  samplePassphrasePrompt,
} from '../../../support/fakes/sample-prompts.ts';

const SECRET = 'correct horse battery';

export const TARGET: ConnectionTarget = {
  mode: 'ssh',
  configured: true,
  host: 'homelab.example',
  port: 22,
  gatewayPort: 18789,
  url: '',
  needsNetwork: true,
};
export const TARGETS: readonly ConnectionTarget[] = [
  TARGET,
  { ...TARGET, configured: false },
  { ...TARGET, needsNetwork: false, host: '127.0.0.1' },
  { ...TARGET, mode: 'local', host: '127.0.0.1', url: 'ws://127.0.0.1:18789', needsNetwork: false },
  { ...TARGET, mode: 'direct', url: 'wss://gateway.example' },
];
const PROMPTS: readonly UserPrompt[] = [
  sampleHostKeyPrompt,
  samplePassphrasePrompt,
  sampleInteractivePrompt,
  sampleNoticePrompt,
];

export const COMMANDS: readonly MachineEvent[] = [
  { type: 'connect', attended: true },
  { type: 'connect', attended: false },
  { type: 'attend' },
  { type: 'disconnect' },
  { type: 'pause' },
  { type: 'resume' },
  { type: 'reconnect-now' },
  { type: 'quit' },
  {
    type: 'answer-prompt',
    promptId: 'p1',
    answer: { type: 'trust-host-key', fingerprint: sampleHostKeyPrompt.fingerprint },
  },
  {
    type: 'answer-prompt',
    promptId: 'p2',
    answer: { type: 'passphrase', passphrase: SECRET, remember: true },
  },
  {
    type: 'answer-prompt',
    promptId: 'p3',
    answer: { type: 'responses', responses: [SECRET, '123456'], remember: false },
  },
  { type: 'answer-prompt', promptId: 'p4', answer: { type: 'confirm' } },
  { type: 'answer-prompt', promptId: 'p1', answer: { type: 'cancel' } },
  { type: 'answer-prompt', promptId: 'p2', answer: { type: 'cancel' } },
  { type: 'answer-prompt', promptId: 'old', answer: { type: 'cancel' } },
  ...TARGETS.map((target): MachineEvent => ({ type: 'profile-changed', target })),
];
export const SYSTEM: readonly MachineEvent[] = [
  { type: 'network-changed', online: true },
  { type: 'network-changed', online: false },
  { type: 'suspend' },
  { type: 'resume-from-sleep' },
  { type: 'clock-jumped', slept: true },
  { type: 'clock-jumped', slept: false },
];
export const TIMERS: readonly TimerEvent[] = [
  { type: 'retry-due' },
  { type: 'attempt-timeout' },
  { type: 'awake-check' },
];

const PERSON: readonly string[] = ['connect', 'attend', 'resume', 'reconnect-now'];
const HINTS: readonly string[] = ['network-changed', 'resume-from-sleep', 'clock-jumped', 'awake-check'];

/** Every event of the drivers for an attempt. */
export function driverEvents(attempt: number, failure: ConnectionFailure): readonly MachineEvent[] {
  return [
    { type: 'route-stage', attempt, stage: 'authenticating', limitMs: null },
    { type: 'route-stage', attempt, stage: 'opening-socket', limitMs: 60_000 },
    ...PROMPTS.map((prompt): MachineEvent => ({ type: 'route-needs-user', attempt, prompt })),
    { type: 'route-question-over', attempt, promptId: 'p4' },
    { type: 'route-up', attempt, endpoint: ENDPOINT, facts: ROUTE_FACTS },
    { type: 'route-down', attempt, failure },
    { type: 'forward-failed', attempt, failure },
    { type: 'route-alive', attempt, latencyMs: 3, bytesReceived: 1, bytesSent: 1 },
    { type: 'session-up', attempt, facts: SESSION_FACTS },
    { type: 'session-down', attempt, failure },
    { type: 'session-alive', attempt, latencyMs: 3 },
  ];
}

/** Plays the supervisor and the drivers by the rules of their ports, and checks every promise after every step. */
export class Model {
  machine: Machine;
  nowMs = 1_000_000;
  random = 0;
  #routeOpen = false;
  #sessionOpen = false;
  #closeReported = 0;
  /** Of the open route, which waits for its answer. */
  #question: string | null = null;
  /** Timers that really run, by the effects alone. */
  readonly #timers = new Set<TimerName>();
  readonly #decide: typeof transition;

  /** `decide` takes the place of `transition` where the checks themselves are to be checked. */
  constructor(target: ConnectionTarget, decide = transition) {
    this.machine = initialMachine(target, true);
    this.#decide = decide;
  }

  step(event: MachineEvent): readonly Effect[] {
    const before = this.machine;
    if (event.type === 'route-needs-user' && event.attempt === before.routeAttempt)
      this.#question = event.prompt.id;
    const at = { nowMs: this.nowMs, monotonicMs: this.nowMs, uptimeMs: this.nowMs, random: this.random };
    const result = this.#decide(before, event, at);
    // Comparing is slow, and one step in eight is enough to find a function that is not pure.
    if (this.nowMs % 8 === 0) expect(this.#decide(before, event, at)).toEqual(result);
    this.machine = result.machine;
    for (const { type } of TIMERS) if (type === event.type) this.#timers.delete(TIMER_OF[type]);
    for (const effect of result.effects) this.#run(effect, event, before);
    this.#checkLate(before, event, result);
    this.#checkEffects(before, event, result.effects);
    this.#checkMachine();
    return result.effects;
  }

  #run(effect: Effect, event: MachineEvent, before: Machine): void {
    switch (effect.type) {
      case 'open-route':
        // Over a route that stands the driver reuses its SSH session; otherwise the old one must be gone.
        if (this.#routeOpen)
          expect(before.route === 'standing' || event.type === 'forward-failed').toBe(true);
        this.#routeOpen = true;
        this.#question = null;
        return;
      case 'answer-route':
        expect([this.#routeOpen, effect.attempt]).toEqual([true, this.machine.routeAttempt]);
        expect(effect.promptId).toBe(this.#question);
        if (event.type === 'answer-prompt') expect(event.promptId).toBe(effect.promptId);
        this.#question = null;
        return;
      case 'close-route':
        expect(this.#routeOpen).toBe(true);
        this.#routeOpen = false;
        this.#question = null;
        return;
      case 'open-session':
        expect([this.#routeOpen, this.#sessionOpen, event.type]).toEqual([true, false, event.type]);
        this.#sessionOpen = true;
        return;
      case 'close-session':
        expect(this.#sessionOpen).toBe(true);
        this.#sessionOpen = false;
        return;
      case 'report-closed':
        this.#closeReported = effect.closeId;
        return;
      case 'replace-drivers':
        expect([this.#routeOpen, this.#sessionOpen]).toEqual([false, false]);
        return;
      case 'start-timer':
        expect(effect.delayMs).toBeGreaterThan(0);
        this.#timers.add(effect.name);
        return;
      case 'cancel-timer':
        this.#timers.delete(effect.name);
        return;
      case 'probe-all':
        expect([this.#routeOpen, this.#sessionOpen]).toEqual([true, true]);
        return;
    }
  }

  /** What belongs to an older attempt, probe or closing changes nothing at all. */
  #checkLate(before: Machine, event: MachineEvent, result: Transition): void {
    const isLate =
      ('attempt' in event &&
        event.attempt !== (event.type.startsWith('session') ? before.sessionAttempt : before.routeAttempt)) ||
      (event.type === 'closed' && event.closeId !== before.closeId) ||
      (event.type === 'probed' && event.probeId !== before.probeId) ||
      (event.type === 'answer-prompt' &&
        (before.state.status !== 'waiting-for-user' || before.state.prompt.id !== event.promptId));
    if (isLate) expect(result).toEqual({ machine: before, effects: [] });
  }

  #checkEffects(before: Machine, event: MachineEvent, effects: readonly Effect[]): void {
    const opens = effects.filter(({ type }) => type === 'open-route' || type === 'open-session');
    expect(opens.length).toBeLessThanOrEqual(1);
    expect(this.machine.attempt).toBeGreaterThanOrEqual(before.attempt);
    this.#checkLadder(before, event);
    if (event.type === 'reconnect-now' && before.target.configured && !before.ended) {
      expect(this.machine.state.status).toBe('connecting');
      expect(opens[0]?.type).toBe('open-route');
    }
    if (opens.length === 0) return;
    expect(before.ended).toBe(false);
    const { state } = before;
    const byPerson = PERSON.includes(event.type);
    expect(this.machine.power).toBe('awake');
    // The hint "offline" costs no attempts, unless a way that stands says otherwise.
    if (
      before.network === 'offline' &&
      this.machine.network === 'offline' &&
      this.machine.target.needsNetwork
    )
      expect(byPerson || before.route !== 'down').toBe(true);
    const isPutAside = state.status === 'waiting-for-user' && !state.attended;
    if (isPutAside || state.status === 'blocked' || state.status === 'disconnected')
      expect([state.status, byPerson]).toEqual([state.status, true]);
    if (state.status === 'paused' && state.reason === 'user') expect(byPerson).toBe(true);
    if (state.status === 'paused' && state.reason === 'offline') {
      expect(byPerson || event.type === 'network-changed').toBe(true);
    }
  }

  /** The waits begin anew for a person; hints, and a connection that held, lower them to the second step at most. */
  #checkLadder(before: Machine, event: MachineEvent): void {
    const [from, to] = [before.retry.failures, this.machine.retry.failures];
    const { state } = this.machine;
    if (to > from) expect(['backing-off', 'connecting']).toContain(state.status);
    if (to >= from || ['profile-changed', ...PERSON].includes(event.type)) return;
    // A fault that the session told of first climbed already, and is counted once.
    if (event.type === 'route-down' && before.retryBeforeSessionLost !== null) {
      expect(to).toBe(from - 1);
      return;
    }
    const { connectedSinceMs } = before;
    if (connectedSinceMs !== null && this.machine.connectedSinceMs === null) {
      expect(this.nowMs - connectedSinceMs).toBeGreaterThanOrEqual(
        RETRY_LADDER_MS[to === 0 ? 1 : to - 1] ?? 0,
      );
      expect(this.nowMs - connectedSinceMs).toBeGreaterThanOrEqual(to < 2 ? HELD_MS : RETRY_LADDER_MS[1]);
      return;
    }
    expect(HINTS).toContain(event.type);
    expect(to).toBe(1);
  }

  #checkMachine(): void {
    const { state, route, session, timers, power, network, target, intent, ended } = this.machine;
    expect({ route: route !== 'down', session: session !== 'down' }).toEqual({
      route: this.#routeOpen,
      session: this.#sessionOpen,
    });
    const phases = `${state.status} ${route} ${session}`;
    switch (state.status) {
      case 'connected':
        expect(phases).toBe('connected up up');
        break;
      case 'connecting':
        expect(['connecting opening down', 'connecting up opening']).toContain(phases);
        break;
      case 'blocked':
      case 'backing-off':
        expect(session).toBe('down');
        expect(route).not.toBe('opening');
        break;
      case 'waiting-for-user':
        // Somebody sees it and the server waits, or nobody does and nothing is open.
        expect(phases).toBe(`waiting-for-user ${state.attended ? 'opening' : 'down'} down`);
        expect(state.attended).toBe(this.machine.attended);
        if (state.attended) expect([state.prompt.id, power]).toEqual([this.#question, 'awake']);
        break;
      case 'paused':
      case 'disconnected':
      case 'unconfigured':
      case 'disconnecting':
        expect(phases).toBe(`${state.status} down down`);
        break;
    }
    // Whatever waits has something that ends the wait.
    expect([...this.#timers].sort()).toEqual([...timers].sort());
    expect(timers.includes('retry')).toBe(state.status === 'backing-off');
    expect(timers.includes('attempt')).toBe(state.status === 'connecting');
    expect(this.machine.connectedSinceMs !== null).toBe(session === 'up');
    if (state.status === 'connected') expect(this.machine.attended).toBe(false);
    if (!ended) expect(timers.includes('awake-check')).toBe(power === 'asleep');
    if (state.status === 'disconnecting') expect(this.#closeReported).toBe(this.machine.closeId);
    if (state.status === 'paused') {
      if (state.reason === 'user') expect(intent).toBe('paused');
      if (state.reason === 'asleep') expect(power).toBe('asleep');
      if (state.reason === 'offline') expect([network, target.needsNetwork]).toEqual(['offline', true]);
    }
    if (state.status === 'disconnected') expect(intent === 'off' || ended).toBe(true);
    expect(new Set(timers).size).toBe(timers.length);
    expect(JSON.stringify(this.machine)).not.toContain(SECRET);
  }

  /** What the world does when all goes well. `person` says whether one is at the keyboard. */
  goWell(person: boolean): void {
    this.step({ type: 'network-changed', online: true });
    this.step({ type: 'resume-from-sleep' });
    if (person) {
      this.step({ type: 'profile-changed', target: TARGET });
      this.step({ type: 'closed', closeId: this.machine.closeId });
      this.step({ type: 'reconnect-now' });
    }
    for (let round = 0; round < 8 && this.machine.state.status !== 'connected'; round++) {
      this.nowMs += 60_000;
      const { machine } = this;
      switch (machine.state.status) {
        case 'disconnecting':
          this.step({ type: 'closed', closeId: machine.closeId });
          break;
        case 'backing-off':
          this.step({ type: 'retry-due' });
          break;
        case 'connecting':
          if (machine.route === 'opening') {
            this.step({
              type: 'route-up',
              attempt: machine.routeAttempt,
              endpoint: ENDPOINT,
              facts: ROUTE_FACTS,
            });
          } else this.step({ type: 'session-up', attempt: machine.sessionAttempt, facts: SESSION_FACTS });
          break;
        case 'unconfigured':
        case 'disconnected':
        case 'paused':
        case 'waiting-for-user':
        case 'connected':
        case 'blocked':
          return;
      }
    }
  }
}
