import { describe, expect, it } from 'vitest';
import { failure, type ConnectionFailure } from '../../../src/shared/connection-failure.ts';
import { emptyProfile } from '../../../src/shared/gateway-profile.ts';
import type { TestProgress } from '../../../src/shared/ipc-contract.ts';
import { ConnectionTest, testProfile, TestSecrets } from '../../../src/main/app/connection-test.ts';
import type { RouteEvent, SessionEvent } from '../../../src/main/core/connection/ports.ts';
import { Emitter } from '../../../src/main/core/emitter.ts';
import { toDisposable } from '../../../src/main/core/lifecycle.ts';
import type { SecretStore } from '../../../src/main/core/ports.ts';
import { NO_SSH_FACTS } from '../../../src/main/node/tunnel/no-ssh-facts.ts';
import { secretNames } from '../../../src/main/core/secret-names.ts';

const endpoint = { url: 'ws://127.0.0.1:4000', localPort: 4000 };
const refused = failure('ssh-refused', { host: 'homelab', port: 22 });

class Bench {
  nowMs = 0;
  timeout: (() => void) | null = null;
  readonly routeEvents = new Emitter<RouteEvent>();
  readonly sessionEvents = new Emitter<SessionEvent>();
  readonly calls: string[] = [];
  readonly progress: TestProgress[] = [];
  alive = true;
  healthFailure: ConnectionFailure | null = null;
  readonly test: ConnectionTest;

  constructor(mode: 'ssh' | 'local' = 'ssh') {
    const driver = (name: string) => ({
      close: () => Promise.resolve(),
      probe: () => Promise.resolve({ alive: this.alive, latencyMs: 1 }),
      dispose: () => {
        this.calls.push(`dispose ${name}`);
        return Promise.resolve();
      },
    });
    this.test = new ConnectionTest('t1', mode, {
      clock: {
        nowMs: () => this.nowMs,
        monotonicMs: () => this.nowMs,
        uptimeMs: () => this.nowMs,
        setTimer: (_delayMs, run) => {
          this.timeout = run;
          return toDisposable(() => (this.timeout = null));
        },
      },
      logger: { log: () => undefined },
      route: {
        ...driver('route'),
        open: (attempt) => this.calls.push(`open route ${attempt}`),
        answer: () => this.calls.push('answer'),
        rest: () => this.calls.push('rest'),
        onEvent: (listener) => this.routeEvents.on(listener),
      },
      session: {
        ...driver('session'),
        open: (attempt, { url }) => this.calls.push(`open session ${attempt} ${url}`),
        onEvent: (listener) => this.sessionEvents.on(listener),
      },
      askHealth: () => Promise.resolve(this.healthFailure),
      onProgress: (progress) => this.progress.push(progress),
    });
    this.test.start();
  }

  stage(stage: Extract<RouteEvent, { type: 'route-stage' }>['stage'], tookMs = 0): void {
    this.nowMs += tookMs;
    this.routeEvents.emit({ type: 'route-stage', attempt: 1, stage, limitMs: null });
  }
  up(): void {
    this.routeEvents.emit({ type: 'route-up', attempt: 1, endpoint, facts: NO_SSH_FACTS });
  }
  sessionUp(): void {
    const sessionFacts = { gatewayVersion: null, mainSessionKey: 'main', scopes: [] };
    this.sessionEvents.emit({ type: 'session-up', attempt: 1, facts: sessionFacts });
  }
  get last(): TestProgress {
    const last = this.progress.at(-1);
    if (!last) throw new Error('no progress');
    return last;
  }
  get steps(): string[] {
    return this.last.steps.map(({ step, status }) => `${step} ${status}`);
  }
  async ended(): Promise<TestProgress['outcome']> {
    await expect.poll(() => this.last.outcome.type, { interval: 1 }).not.toBe('running');
    await this.test.close();
    return this.last.outcome;
  }
}

describe('ConnectionTest', () => {
  it('passes every step in order, with its time, and ends its drivers', async () => {
    const bench = new Bench();
    bench.stage('opening-listener');
    bench.stage('loading-keys', 5);
    bench.stage('opening-socket', 7);
    bench.stage('verifying-host-key', 11);
    bench.stage('authenticating', 13);
    bench.stage('opening-forward', 17);
    bench.up();
    expect(bench.calls).toContain('open session 1 ws://127.0.0.1:4000');
    bench.sessionUp();
    expect(await bench.ended()).toEqual({ type: 'passed' });
    expect(new Set(bench.last.steps.map(({ status }) => status))).toEqual(new Set(['passed']));
    expect(bench.last.steps.find(({ step }) => step === 'opening-socket')?.durationMs).toBe(11);
    expect(bench.calls.slice(-2)).toEqual(['dispose session', 'dispose route']);
  });

  it('answers no question: an unknown host key ends it with the fingerprint, and nothing was trusted', async () => {
    const bench = new Bench();
    bench.stage('verifying-host-key');
    bench.routeEvents.emit({
      type: 'route-needs-user',
      attempt: 1,
      prompt: {
        type: 'host-key',
        jump: null,
        id: 'p',
        host: 'homelab',
        port: 22,
        keyType: 'ssh-ed25519',
        fingerprint: 'SHA256:abc',
        knownHostsFile: '/home/me/.ssh/known_hosts',
        otherKnownTypes: [],
      },
    });
    expect(await bench.ended()).toEqual({ type: 'needs-user', reason: 'host-key', detail: 'SHA256:abc' });
    expect(bench.steps).toContain('verifying-host-key needs-user');
    expect(bench.steps).toContain('authenticating pending');
    expect(bench.calls[0]).toBe('open route 1');
    expect(bench.calls).not.toContain('answer');
  });

  it('marks the step that failed, and leaves those after it as not reached', async () => {
    const bench = new Bench();
    bench.stage('opening-socket', 40);
    bench.routeEvents.emit({ type: 'route-down', attempt: 1, failure: refused });
    expect(await bench.ended()).toEqual({ type: 'failed', failure: refused });
    expect(bench.steps).toContain('opening-socket failed');
    expect(bench.steps).toContain('gateway-handshake pending');
  });

  it('fails the settings where the ssh configuration leads nowhere: no port was opened yet', async () => {
    const bench = new Bench();
    const broken = failure('ssh-config-invalid', { target: 'homelab', detail: 'Bad configuration option' });
    bench.routeEvents.emit({ type: 'route-down', attempt: 1, failure: broken });
    expect(await bench.ended()).toEqual({ type: 'failed', failure: broken });
    expect(bench.steps).toContain('settings failed');
    expect(bench.steps).toContain('opening-listener pending');
  });

  it('fails where the gateway does not answer although the session is up', async () => {
    const bench = new Bench('local');
    bench.alive = false;
    bench.up();
    bench.sessionUp();
    expect(await bench.ended()).toMatchObject({ type: 'failed', failure: { code: 'gateway-silent' } });
    expect(bench.steps).toContain('probing failed');
  });

  it('fails with the gateway’s own refusal of its health', async () => {
    const bench = new Bench('local');
    bench.healthFailure = failure('scope-missing', { scopes: ['operator.read'] });
    bench.up();
    bench.sessionUp();
    expect(await bench.ended()).toMatchObject({ type: 'failed', failure: { code: 'scope-missing' } });
    expect(bench.steps).toContain('health failed');
  });

  it('ends by itself where nothing ever happens', async () => {
    const bench = new Bench();
    bench.timeout?.();
    expect(await bench.ended()).toMatchObject({ type: 'failed' });
    expect(bench.calls.slice(-2)).toEqual(['dispose session', 'dispose route']);
  });

  it('stops at a cancel, and what comes later changes nothing', async () => {
    const bench = new Bench();
    bench.stage('opening-socket');
    bench.test.cancel();
    bench.up();
    bench.sessionUp();
    expect(await bench.ended()).toEqual({ type: 'cancelled' });
    expect(bench.calls.filter((call) => call.startsWith('open session'))).toEqual([]);
    expect(bench.calls.filter((call) => call.startsWith('dispose'))).toHaveLength(2);
  });
});

describe('TestSecrets', () => {
  const stored: SecretStore = {
    persistence: 'keychain',
    backend: 'test',
    get: (name) => Promise.resolve(`stored ${name}`),
    set: () => Promise.reject(new Error('must not be written')),
    delete: () => Promise.reject(new Error('must not be deleted')),
    has: () => true,
  };
  const device = secretNames.deviceToken('a', 'operator');

  it('puts what was typed in the place of what is stored, and hides the device token that would let anything pass', async () => {
    const secrets = new TestSecrets(
      stored,
      { id: 'a', mode: 'ssh' },
      { token: 'typed', password: null, isElsewhere: false },
    );
    expect(await secrets.get(secretNames.token('a', 'ssh'))).toBe('typed');
    expect(await secrets.get(secretNames.password('a', 'ssh'))).toBe(
      `stored ${secretNames.password('a', 'ssh')}`,
    );
    expect(await secrets.get(device)).toBeNull();
  });

  it('takes an emptied field for no secret', async () => {
    const secrets = new TestSecrets(
      stored,
      { id: 'a', mode: 'ssh' },
      { token: '', password: null, isElsewhere: false },
    );
    expect(await secrets.get(secretNames.token('a', 'ssh'))).toBeNull();
    expect(secrets.has(secretNames.token('a', 'ssh'))).toBe(false);
  });

  it('uses everything that is stored where nothing was typed', async () => {
    const secrets = new TestSecrets(
      stored,
      { id: 'a', mode: 'ssh' },
      { token: null, password: null, isElsewhere: false },
    );
    expect(await secrets.get(device)).toBe(`stored ${device}`);
  });

  it('keeps the device token from another gateway than it is for', async () => {
    const secrets = new TestSecrets(
      stored,
      { id: 'a', mode: 'ssh' },
      { token: null, password: null, isElsewhere: true },
    );
    expect(await secrets.get(device)).toBeNull();
    expect(await secrets.get(secretNames.token('a', 'ssh'))).toBe(`stored ${secretNames.token('a', 'ssh')}`);
  });

  it('writes nothing through', async () => {
    const secrets = new TestSecrets(
      stored,
      { id: 'a', mode: 'ssh' },
      { token: null, password: null, isElsewhere: false },
    );
    await secrets.set(device, 'new');
    expect(await secrets.get(device)).toBe('new');
    await secrets.delete(device);
    expect(await secrets.get(device)).toBeNull();
  });
});

describe('testProfile', () => {
  it('takes a listener of its own and leaves everything else', () => {
    const profile = emptyProfile('a');
    expect(testProfile(profile, 4000)).toEqual({ ...profile, ssh: { ...profile.ssh, localPort: 4000 } });
  });
});
