import { describe, expect, it } from 'vitest';
import type { RouteEvent } from '../../../src/main/core/connection/ports.ts';
import { Emitter } from '../../../src/main/core/emitter.ts';
import type {
  PortMove,
  TunnelChannel,
  TunnelCommand,
  TunnelConfig,
  TunnelReport,
} from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { plainHop } from '../../../src/main/core/tunnel/plain-hop.ts';
import { NO_SSH_FACTS } from '../../../src/main/node/tunnel/no-ssh-facts.ts';
import { SshRoute } from '../../../src/main/node/tunnel/ssh-route.ts';
import { failure } from '../../../src/shared/connection-failure.ts';
import { ok } from '../../../src/shared/result.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { FakePromptMemory } from '../../support/fakes/fake-prompt-memory.ts';
import { samplePasswordPrompt as password } from '../../support/fakes/sample-prompts.ts';

const CONFIG: TunnelConfig = {
  transport: 'ssh2',
  target: plainHop({
    name: 'box',
    host: 'box.example',
    port: 22,
    user: 'ops',
    knownHostsFiles: { user: ['/dev/null'], global: [] },
    algorithms: { kex: [], cipher: [], hmac: [], serverHostKey: [] },
  }),
  jumps: [],
  proxyCommand: null,
  openssh: null,
  handOver: false,
  lastCredential: null,
  forward: { host: '127.0.0.1', port: 18789 },
  localPort: 18789,
};

/** A tunnel process that does what the test says; `hang` makes it deaf, and a kill takes it `dyingMs`. */
class FakeProcess implements TunnelChannel {
  readonly posted: TunnelCommand[] = [];
  hangs = false;
  /** How long after the limit of a probe it answers that the link said nothing. */
  lateMs: number | null = null;
  /** Asks instead of going up. */
  asks = false;
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
    if (command.type === 'probe') {
      const answer = { type: 'probed', probeId: command.probeId, alive: false, latencyMs: null } as const;
      if (this.lateMs === null) this.say(answer);
      else this.#clock.setTimer(command.limitMs + this.lateMs, () => this.say(answer));
    }
    if (command.type === 'shutdown') this.#exits.emit(0);
    if (command.type === 'open' && !this.asks)
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

function routeOver(dyingMs: number, asks = false) {
  const clock = new FakeClock();
  const processes: FakeProcess[] = [];
  const events: RouteEvent[] = [];
  const memory = new FakePromptMemory();
  const moves: PortMove[] = [];
  const route = new SshRoute({
    resolveConfig: () => Promise.resolve(ok(CONFIG)),
    memory,
    createChannel: () => {
      const process = new FakeProcess(clock, dyingMs);
      process.asks = asks;
      processes.push(process);
      return process;
    },
    onPortMoved: (move) => moves.push(move),
    clock,
    logger: { log: () => undefined },
  });
  route.onEvent((event) => events.push(event));
  return { clock, processes, events, route, memory, moves };
}

describe('a tunnel process', () => {
  it('that hangs while its route is up is ended, and its end is reported as a crash', async () => {
    const { clock, processes, events, route } = routeOver(50);
    route.open(1);
    await settle();
    const [process] = processes;
    if (!process) throw new Error('no process');
    process.hangs = true;
    await clock.advance(7_000);
    expect(process.isGone).toBe(false);
    await clock.advance(600);
    expect(process.isGone).toBe(true);
    expect(events.at(-1)).toEqual({
      type: 'route-down',
      attempt: 1,
      failure: { code: 'tunnel-process-crashed', facts: { exitCode: null } },
    });
    route.open(2);
    await settle();
    expect(events.at(-1)).toMatchObject({ type: 'route-up', attempt: 2 });
    await route.dispose();
    expect(clock.pendingTimers).toBe(0);
  });

  it('that hangs when the app quits is gone before the app is, which waits for 1.5 s', async () => {
    const { clock, processes, route } = routeOver(50);
    route.open(1);
    await settle();
    const [process] = processes;
    if (!process) throw new Error('no process');
    process.hangs = true;
    let isEnded = false;
    const ended = route
      .close()
      .then(() => route.dispose())
      .then(() => (isEnded = true));
    await clock.advance(1_400);
    expect([process.isGone, isEnded]).toEqual([true, true]);
    await ended;
    expect(clock.pendingTimers).toBe(0);
  });

  it('that is quiet but answers is left alone', async () => {
    const { clock, processes, events, route } = routeOver(50);
    route.open(1);
    await clock.advance(60_000);
    expect(processes[0]?.posted.filter(({ type }) => type === 'probe').length).toBeGreaterThan(2);
    expect(processes[0]?.isGone).toBe(false);
    expect(events.map(({ type }) => type)).toEqual(['route-up']);
  });

  it('whose link is silent is left alone, also where the machine is busy', async () => {
    const { clock, processes, events, route } = routeOver(50);
    route.open(1);
    await settle();
    const [process] = processes;
    if (!process) throw new Error('no process');
    process.lateMs = 900;
    await clock.advance(60_000);
    expect(process.isGone).toBe(false);
    expect(events.map(({ type }) => type)).toEqual(['route-up']);
  });

  it('is not asked any more once its route is closed', async () => {
    const { clock, processes, route } = routeOver(50);
    route.open(1);
    await settle();
    await route.close();
    await clock.advance(60_000);
    expect(processes[0]?.posted.map(({ type }) => type)).toEqual(['open', 'close']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('that does not let go of its route has freed the local port before the next one starts', async () => {
    const { clock, processes, route } = routeOver(800);
    route.open(1);
    await settle();
    const [first] = processes;
    if (!first) throw new Error('no process');
    first.hangs = true;
    const seen: boolean[] = [];
    const closed = route.close().then(() => {
      seen.push(first.isGone);
      route.open(2);
    });
    await clock.advance(3_000);
    await closed;
    await settle();
    expect(seen).toEqual([true]);
    expect(processes).toHaveLength(2);
  });
});

describe('a tunnel process of a connection that is not wanted', () => {
  it('ends, and the next one starts only when it is gone', async () => {
    const { clock, processes, events, route } = routeOver(400);
    route.open(1);
    await settle();
    const [first] = processes;
    if (!first) throw new Error('no process');
    await route.close();
    first.hangs = true;
    route.rest();
    route.open(2);
    await clock.advance(1_000);
    expect([processes.length, first.isGone]).toEqual([1, false]);
    expect(first.posted.map(({ type }) => type)).toEqual(['open', 'close', 'shutdown']);
    // It did not heed the shutdown, and was killed.
    await clock.advance(1_000);
    expect([processes.length, first.isGone]).toEqual([2, true]);
    expect(events.at(-1)).toMatchObject({ type: 'route-up', attempt: 2 });
    await route.dispose();
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not ended by a rest that an attempt overtook', async () => {
    const { processes, route } = routeOver(50);
    route.open(1);
    await settle();
    await route.close();
    route.open(2);
    route.rest();
    await settle();
    expect(processes[0]?.posted.map(({ type }) => type)).toEqual(['open', 'close', 'open']);
    await route.dispose();
  });
});

describe('a local port that another program holds', () => {
  it('is told of, and the next attempts ask for the port that was taken instead', async () => {
    const { processes, route, moves } = routeOver(50);
    route.open(1);
    await settle();
    const [process] = processes;
    if (!process) throw new Error('no process');
    const asked = () =>
      processes.flatMap(({ posted }) =>
        posted.flatMap((command) => (command.type === 'open' ? [command.config.localPort] : [])),
      );
    process.say({ type: 'listening', port: 18789, moved: null });
    expect(moves).toEqual([]);
    const moved = { from: 18789, to: 18790, owner: 'perl (4711)' };
    process.say({ type: 'listening', port: 18790, moved });
    expect(moves).toEqual([moved]);
    route.open(2);
    await settle();
    await route.close();
    route.rest();
    route.open(3);
    await settle();
    expect(asked()).toEqual([18789, 18790, 18790]);
    await route.dispose();
  });
});

describe('a question of a tunnel process', () => {
  const typed = { type: 'password', password: 'typed', remember: true } as const;

  async function asked(isSlow = false) {
    const rig = routeOver(50, true);
    rig.memory.isSlow = isSlow;
    rig.route.open(1);
    await settle();
    const [process] = rig.processes;
    if (!process) throw new Error('no process');
    process.say({ type: 'needs-user', attempt: 1, prompt: password });
    await settle();
    const answers = () => process.posted.filter((command) => command.type === 'answer');
    return { ...rig, process, answers };
  }

  it('goes to the person, and the answer back to the process without what is for the keychain', async () => {
    const { route, process, events, memory, answers } = await asked();
    expect(events).toEqual([{ type: 'route-needs-user', attempt: 1, prompt: password }]);
    route.answer(1, 'p5', typed);
    expect(answers()).toEqual([
      { type: 'answer', attempt: 1, promptId: 'p5', answer: { type: 'password', password: 'typed' } },
    ]);
    process.say({ type: 'up', attempt: 1, localPort: 18789, facts: NO_SSH_FACTS });
    expect(memory.calls).toEqual(['begin', 'recall p5', 'offer p5', 'right']);
    await route.dispose();
  });

  it('is answered from memory where that knows, and nobody is asked', async () => {
    const { events, process, route, memory, answers } = await asked(true);
    memory.known.set('password', { ...typed, remember: false });
    memory.finish();
    await settle();
    expect([events, answers()]).toMatchObject([[], [{ answer: { password: 'typed' } }]]);
    process.say({ type: 'down', attempt: 1, failure: failure('link-lost', { host: 'box', detail: '' }) });
    expect(memory.calls.slice(-1)).toEqual(['fail link-lost']);
    await route.dispose();
  });

  const overs: readonly (readonly [string, (rig: Awaited<ReturnType<typeof asked>>) => unknown])[] = [
    ['is withdrawn', ({ process }) => process.say({ type: 'question-over', attempt: 1, promptId: 'p5' })],
    [
      'loses its session',
      ({ process }) =>
        process.say({ type: 'down', attempt: 1, failure: failure('link-lost', { host: 'box', detail: '' }) }),
    ],
    ['is closed', ({ route }) => route.close()],
    [
      'loses its process',
      ({ process, clock }) => {
        process.kill();
        return clock.advance(50);
      },
    ],
    ['belongs to an attempt that was overtaken', ({ route }) => route.open(2)],
  ];
  it.each(overs)('that %s while memory is looked through is not asked any more', async (_what, end) => {
    const rig = await asked(true);
    await end(rig);
    rig.memory.known.set('password', typed);
    rig.memory.finish();
    await settle();
    expect(rig.events.filter(({ type }) => type === 'route-needs-user')).toEqual([]);
    expect(rig.answers()).toEqual([]);
    await rig.route.dispose();
  });

  it('drops an answer to another question, to an older attempt, or given twice', async () => {
    const { route, answers } = await asked();
    route.answer(1, 'p0', typed);
    route.answer(0, 'p5', typed);
    expect(answers()).toHaveLength(0);
    route.answer(1, 'p5', typed);
    route.answer(1, 'p5', typed);
    expect(answers()).toHaveLength(1);
    await route.dispose();
  });

  it('that waits when its process dies is the end of the attempt', async () => {
    const { route, process, events, clock, answers } = await asked();
    process.kill();
    await clock.advance(50);
    expect(events.at(-1)).toMatchObject({ type: 'route-down', failure: { code: 'tunnel-process-crashed' } });
    route.answer(1, 'p5', typed);
    expect(answers()).toHaveLength(0);
    await route.dispose();
    expect(clock.pendingTimers).toBe(0);
  });
});
