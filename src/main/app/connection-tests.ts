import { randomUUID } from 'node:crypto';
import type { GatewayProfile } from '../../shared/gateway-profile.ts';
import type { TestProgress } from '../../shared/ipc-contract.ts';
import type { Closable } from '../core/lifecycle.ts';
import type { Clock, Logger, SecretStore } from '../core/ports.ts';
import {
  ConnectionTest,
  type ConnectionTestPorts,
  testProfile,
  TestSecrets,
  type TypedSecrets,
} from './connection-test.ts';

/** More at a time would be a mistake; the oldest ends. */
const MAX_RUNNING = 2;

export interface ConnectionTestsPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly secrets: SecretStore;
  /** A port on 127.0.0.1 that nobody listens on at this moment. */
  readonly freePort: () => Promise<number>;
  /** Drivers of their own for one test. */
  readonly createDrivers: (
    profile: GatewayProfile,
    secrets: SecretStore,
  ) => Pick<ConnectionTestPorts, 'route' | 'session' | 'askHealth'>;
  readonly onProgress: (progress: TestProgress) => void;
}

/** The tests of forms that run at the moment. */
export class ConnectionTests implements Closable {
  readonly #ports: ConnectionTestsPorts;
  readonly #running = new Map<string, ConnectionTest>();

  constructor(ports: ConnectionTestsPorts) {
    this.#ports = ports;
  }

  /** Starts a test of a validated form and returns its id. */
  async start(profile: GatewayProfile, typed: TypedSecrets): Promise<string> {
    const { clock, logger, secrets, freePort, createDrivers, onProgress } = this.#ports;
    const port = await freePort();
    const testId = randomUUID();
    const drivers = createDrivers(testProfile(profile, port), new TestSecrets(secrets, profile, typed));
    const test = new ConnectionTest(testId, profile.mode, {
      clock,
      logger,
      ...drivers,
      onProgress: (progress) => {
        onProgress(progress);
        if (progress.outcome.type === 'running') return;
        queueMicrotask(() => void test.close().finally(() => this.#running.delete(testId)));
      },
    });
    const [oldest] = this.#running.values();
    if (oldest && this.#running.size >= MAX_RUNNING) oldest.cancel();
    this.#running.set(testId, test);
    // A turn later, so that whoever asked knows the id before the first progress arrives.
    clock.setTimer(0, () => test.start());
    return testId;
  }

  cancel(testId: string): void {
    this.#running.get(testId)?.cancel();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((test) => test.close()));
  }
}
