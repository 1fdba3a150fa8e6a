import { describe, expect, it } from 'vitest';
import { NO_ANSWERS, type RouteEvent } from '../../../src/main/core/connection/ports.ts';
import { Emitter } from '../../../src/main/core/emitter.ts';
import type {
  TunnelChannel,
  TunnelCommand,
  TunnelReport,
} from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { NO_SSH_FACTS } from '../../../src/main/node/tunnel/no-ssh-facts.ts';
import { SshRoute } from '../../../src/main/node/tunnel/ssh-route.ts';
import { ok } from '../../../src/shared/result.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';

const CONFIG = {
  target: { original: 'box', host: 'box', port: 22, user: 'me' },
  forward: { host: '127.0.0.1', port: 18789 },
  localPort: 18789,
  identityFiles: [],
  identityFileIsExplicit: false,
  agentSocket: null,
  knownHostsFiles: { user: ['/dev/null'], global: [] },
};

/** A tunnel process that does what the test says; `hang` makes it deaf, and a kill takes it `dyingMs`. */
class FakeProcess implements TunnelChannel {
  readonly posted: TunnelCommand[] = [];
  hangs = false;
  isGone = false;
  readonly #clock: FakeClock;
  readonly #dyingMs: number;
  readonly #reports = new Emitter<TunnelReport>();
  readonly #exits = new Emitter<number | null>();

  constructor(clock: FakeClock, dyingMs: number) {
    this.#clock = clock;
    this.#dyingMs = dyingMs;
  }

  post(command: TunnelCommand): void {
    this.posted.push(command);
    if (this.hangs) return;
    if (command.type === 'close') this.say({ type: 'closed', attempt: command.attempt });
    if (command.type === 'probe')
      this.say({ type: 'probed', probeId: command.probeId, alive: false, latencyMs: null });
    if (command.type === 'shutdown') this.#exits.emit(0);
    if (command.type === 'open')
      this.say({ type: 'up', attempt: command.attempt, localPort: 18789, facts: NO_SSH_FACTS });
  }
  say(report: TunnelReport): void {
    this.#reports.emit(report);
  }
  onReport(listener: (report: TunnelReport) => void) {
    return this.#reports.on(listener);
  }
  onExit(listener: (code: number | null) => void) {
    return this.#exits.on(listener);
  }
  kill(): void {
    this.#clock.setTimer(this.#dyingMs, () => {
      this.isGone = true;
      this.#exits.emit(null);
    });
  }
}

function routeOver(dyingMs: number) {
  const clock = new FakeClock();
  const processes: FakeProcess[] = [];
  const events: RouteEvent[] = [];
  const route = new SshRoute({
    resolveConfig: () => Promise.resolve(ok(CONFIG)),
    createChannel: () => {
      const process = new FakeProcess(clock, dyingMs);
      processes.push(process);
      return process;
    },
    clock,
    logger: { log: () => undefined },
  });
  route.onEvent((event) => events.push(event));
  return { clock, processes, events, route };
}

describe('a tunnel process', () => {
  it('that hangs while its route is up is ended, and its end is reported as a crash', async () => {
    const { clock, processes, events, route } = routeOver(50);
    route.open(1, NO_ANSWERS);
    await settle();
    const [process] = processes;
    if (!process) throw new Error('no process');
    process.hangs = true;
    await clock.advance(16_000);
    expect(process.isGone).toBe(true);
    expect(events.at(-1)).toEqual({
      type: 'route-down',
      attempt: 1,
      failure: { code: 'tunnel-process-crashed', facts: { exitCode: null } },
    });
    route.open(2, NO_ANSWERS);
    await settle();
    expect(events.at(-1)).toMatchObject({ type: 'route-up', attempt: 2 });
    await route.dispose();
    expect(clock.pendingTimers).toBe(0);
  });

  it('that is quiet but answers is left alone', async () => {
    const { clock, processes, events, route } = routeOver(50);
    route.open(1, NO_ANSWERS);
    await clock.advance(60_000);
    expect(processes[0]?.posted.filter(({ type }) => type === 'probe').length).toBeGreaterThan(2);
    expect(processes[0]?.isGone).toBe(false);
    expect(events.map(({ type }) => type)).toEqual(['route-up']);
  });

  it('is not asked any more once its route is closed', async () => {
    const { clock, processes, route } = routeOver(50);
    route.open(1, NO_ANSWERS);
    await settle();
    await route.close();
    await clock.advance(60_000);
    expect(processes[0]?.posted.map(({ type }) => type)).toEqual(['open', 'close']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('that does not let go of its route has freed the local port before the next one starts', async () => {
    const { clock, processes, route } = routeOver(800);
    route.open(1, NO_ANSWERS);
    await settle();
    const [first] = processes;
    if (!first) throw new Error('no process');
    first.hangs = true;
    const seen: boolean[] = [];
    const closed = route.close().then(() => {
      seen.push(first.isGone);
      route.open(2, NO_ANSWERS);
    });
    await clock.advance(3_000);
    await closed;
    await settle();
    expect(seen).toEqual([true]);
    expect(processes).toHaveLength(2);
  });
});
