import { type ConnectionFailure, failure } from '../../shared/connection-failure.ts';
import type { ConnectStage, UserPrompt } from '../../shared/connection-state.ts';
import type { GatewayMode, GatewayProfile } from '../../shared/gateway-profile.ts';
import type { TestProgress, TestStep } from '../../shared/ipc-contract.ts';
import { assertNever } from '../../shared/result.ts';
import {
  type RouteDriver,
  type RouteEvent,
  type SessionDriver,
  type SessionEvent,
} from '../core/connection/ports.ts';
import { type Closable, DisposableStore } from '../core/lifecycle.ts';
import type { Clock, Logger, SecretStore } from '../core/ports.ts';
import { secretNames } from '../core/secret-names.ts';

/** Drivers keep their own limits; this one covers all of them together. */
const TEST_LIMIT_MS = 45_000;
const PROBE_LIMIT_MS = 5_000;
/** A test has one attempt of its own drivers. */
const ATTEMPT = 1;

const TUNNEL_STEPS: readonly TestStep[] = [
  'opening-listener',
  'loading-keys',
  'opening-socket',
  'verifying-host-key',
  'authenticating',
  'opening-forward',
];

type Step = TestProgress['steps'][number];
type Outcome = TestProgress['outcome'];

export interface ConnectionTestPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly route: RouteDriver;
  readonly session: SessionDriver;
  /** Asks the gateway for its health; null when it answered, else why it did not. */
  readonly askHealth: () => Promise<ConnectionFailure | null>;
  readonly onProgress: (progress: TestProgress) => void;
}

/**
 * Tries a form's connection once, with drivers of its own that it ends in any case: nothing is saved, the live connection
 * is not touched, and a question to the person ends the test with the question's facts.
 */
export class ConnectionTest implements Closable {
  readonly testId: string;
  readonly #ports: ConnectionTestPorts;
  readonly #store = new DisposableStore();
  readonly #startedMs = new Map<TestStep, number>();
  #steps: readonly Step[];
  #outcome: Outcome = { type: 'running' };
  #closing: Promise<void> | null = null;

  constructor(testId: string, mode: GatewayMode, ports: ConnectionTestPorts) {
    this.testId = testId;
    this.#ports = ports;
    this.#steps = stepsOf(mode).map((step) => ({ step, status: 'pending', durationMs: null }));
  }

  /** Starts; progress comes from now on until an outcome other than `running`. */
  start(): void {
    if (!this.#isRunning()) return;
    const { route, session, clock } = this.#ports;
    this.#store.add(route.onEvent((event) => this.#onRoute(event)));
    this.#store.add(session.onEvent((event) => this.#onSession(event)));
    this.#store.add(
      clock.setTimer(TEST_LIMIT_MS, () => this.#fail(failure('gateway-silent', { limitMs: TEST_LIMIT_MS }))),
    );
    // The form was validated before the test was made; the route still reads the ssh configuration before its first stage.
    this.#begin('settings');
    this.#report();
    route.open(ATTEMPT);
  }

  cancel(): void {
    this.#end({ type: 'cancelled' });
  }

  /** Ends the drivers; resolves when they are gone. */
  close(): Promise<void> {
    this.#end({ type: 'cancelled' });
    return this.#closing ?? Promise.resolve();
  }

  #onRoute(event: RouteEvent): void {
    switch (event.type) {
      case 'route-stage':
        this.#reach(event.stage);
        return;
      case 'route-needs-user':
        this.#needsUser(event.prompt);
        return;
      case 'route-up':
        this.#reach('gateway-handshake');
        if (this.#isRunning()) this.#ports.session.open(ATTEMPT, event.endpoint);
        return;
      case 'route-down':
      case 'forward-failed':
        this.#fail(event.failure);
        return;
      case 'route-alive':
      case 'route-question-over':
        return;
      default:
        assertNever(event);
    }
  }

  #onSession(event: SessionEvent): void {
    switch (event.type) {
      case 'session-up':
        void this.#ask();
        return;
      case 'session-down':
        this.#fail(event.failure);
        return;
      case 'session-alive':
        return;
      default:
        assertNever(event);
    }
  }

  async #ask(): Promise<void> {
    if (!this.#isRunning()) return;
    this.#reach('probing');
    const { session, askHealth } = this.#ports;
    try {
      const probe = await session.probe(PROBE_LIMIT_MS);
      if (!this.#isRunning()) return;
      if (!probe.alive) {
        this.#fail(failure('gateway-silent', { limitMs: PROBE_LIMIT_MS }));
        return;
      }
      this.#reach('health');
      const refused = await askHealth();
      if (!this.#isRunning()) return;
      if (refused === null) this.#end({ type: 'passed' });
      else this.#fail(refused);
    } catch (error) {
      this.#fail(failure('bug', { detail: error instanceof Error ? error.name : 'unknown' }));
    }
  }

  #needsUser(prompt: UserPrompt): void {
    this.#finishRunning('needs-user');
    this.#end({ type: 'needs-user', reason: prompt.type, detail: detailOf(prompt) });
  }

  #fail(reason: ConnectionFailure): void {
    if (!this.#isRunning()) return;
    this.#finishRunning('failed');
    this.#end({ type: 'failed', failure: reason });
  }

  #isRunning(): boolean {
    return this.#outcome.type === 'running';
  }

  /** The step runs now: the one before it passed, and those between were not needed on this way. */
  #reach(step: TestStep | ConnectStage): void {
    if (!this.#isRunning()) return;
    const target = this.#steps.findIndex((known) => known.step === step);
    const current = this.#steps[target];
    if (current?.status !== 'pending') return;
    this.#finishRunning('passed');
    this.#steps = this.#steps.map((known, index) =>
      index < target && known.status === 'pending' ? { ...known, status: 'skipped' } : known,
    );
    this.#begin(current.step);
    this.#report();
  }

  #begin(step: TestStep): void {
    this.#startedMs.set(step, this.#ports.clock.monotonicMs());
    this.#set(step, 'running', null);
  }

  #finishRunning(status: 'passed' | 'failed' | 'needs-user'): void {
    for (const { step, status: was } of this.#steps)
      if (was === 'running') this.#set(step, status, this.#durationOf(step));
  }

  #durationOf(step: TestStep): number {
    const startedMs = this.#startedMs.get(step) ?? this.#ports.clock.monotonicMs();
    return Math.round(this.#ports.clock.monotonicMs() - startedMs);
  }

  #set(step: TestStep, status: Step['status'], durationMs: number | null): void {
    this.#steps = this.#steps.map((known) => (known.step === step ? { step, status, durationMs } : known));
  }

  #report(): void {
    this.#ports.onProgress({ testId: this.testId, steps: this.#steps, outcome: this.#outcome });
  }

  #end(outcome: Exclude<Outcome, { type: 'running' }>): void {
    if (!this.#isRunning()) return;
    if (outcome.type === 'passed') this.#finishRunning('passed');
    // Not reached, which is something else than skipped: not needed on this way.
    this.#steps = this.#steps.map((known) =>
      known.status === 'running' ? { ...known, status: 'pending', durationMs: null } : known,
    );
    this.#outcome = outcome;
    this.#report();
    this.#closing = this.#tearDown();
  }

  async #tearDown(): Promise<void> {
    this.#store.dispose();
    const { session, route, logger } = this.#ports;
    for (const driver of [session, route]) {
      try {
        await driver.dispose();
      } catch {
        logger.log('error', 'connection-test.close-failed');
      }
    }
  }
}

function stepsOf(mode: GatewayMode): readonly TestStep[] {
  const way: readonly TestStep[] = mode === 'ssh' ? TUNNEL_STEPS : ['opening-socket'];
  return ['settings', ...way, 'gateway-handshake', 'probing', 'health'];
}

/** What a form adds to the stored secrets; null leaves the stored one. */
export interface TypedSecrets {
  readonly token: string | null;
  readonly password: string | null;
  /** The form names another gateway than the saved one, whose device token is not for it. */
  readonly isElsewhere: boolean;
}

/**
 * The stored secrets with a form's typed ones in their place. Reads go through; writes (a device token that the gateway
 * issues during the test) stay in memory and end with the test.
 */
export class TestSecrets implements SecretStore {
  readonly #stored: SecretStore;
  readonly #own = new Map<string, string | null>();

  constructor(
    stored: SecretStore,
    { id: gatewayId, mode }: Pick<GatewayProfile, 'id' | 'mode'>,
    typed: TypedSecrets,
  ) {
    this.#stored = stored;
    if (typed.token !== null)
      this.#own.set(secretNames.token(gatewayId, mode), typed.token === '' ? null : typed.token);
    if (typed.password !== null)
      this.#own.set(secretNames.password(gatewayId, mode), typed.password === '' ? null : typed.password);
    // With a device token the gateway would let us in whatever was typed: then the test would prove nothing.
    if (this.#own.size > 0 || typed.isElsewhere)
      this.#own.set(secretNames.deviceToken(gatewayId, 'operator'), null);
  }

  get persistence(): SecretStore['persistence'] {
    return this.#stored.persistence;
  }
  get backend(): string {
    return this.#stored.backend;
  }
  async get(name: string): Promise<string | null> {
    const own = this.#own.get(name);
    return own === undefined ? await this.#stored.get(name) : own;
  }
  set(name: string, value: string): Promise<void> {
    this.#own.set(name, value);
    return Promise.resolve();
  }
  delete(name: string): Promise<void> {
    this.#own.set(name, null);
    return Promise.resolve();
  }
  has(name: string): boolean {
    const own = this.#own.get(name);
    return own === undefined ? this.#stored.has(name) : own !== null;
  }
}

/** The profile for a test: its listener takes a port of its own, so that a live connection keeps the saved one. */
export function testProfile(profile: GatewayProfile, freePort: number): GatewayProfile {
  return { ...profile, ssh: { ...profile.ssh, localPort: freePort } };
}

/** What the question is about, for one line. */
function detailOf(prompt: UserPrompt): string {
  switch (prompt.type) {
    case 'host-key':
      return prompt.fingerprint;
    case 'passphrase':
      return prompt.keyPath;
    case 'password':
    case 'keyboard-interactive':
      return `${prompt.user}@${prompt.host}`;
    case 'confirm':
    case 'notice':
      return prompt.host;
    default:
      return assertNever(prompt);
  }
}
