import type { Server } from 'node:net';
import { listenOn } from '../support/lab/ports.ts';
import { delay, waitFor } from '../support/lab/wait.ts';
import type { Span } from './checker.ts';
import { describeFault, LANES, type Fault, type FaultKind, type Lane, type PlannedFault } from './plan.ts';
import type { Stage } from './stage.ts';

/** A packet of SSH with a message in it; pings are smaller. */
const MESSAGE_BYTES = 250;
const STEAL_LIMIT_MS = 3_000;

/** Carries out a plan, lane beside lane; what it breaks it heals. */
export class Nemesis {
  readonly counts = new Map<FaultKind, number>();
  readonly spans: Span[] = [];
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async run(plan: readonly PlannedFault[]): Promise<void> {
    await Promise.all(LANES.map((lane) => this.#runLane(lane, plan)));
  }

  async #runLane(lane: Lane, plan: readonly PlannedFault[]): Promise<void> {
    const { timeline } = this.#stage;
    for (const { waitMs, fault } of plan.filter((planned) => planned.lane === lane)) {
      await delay(waitMs);
      timeline.note('fault', describeFault(fault));
      const fromMs = timeline.now();
      await this.#apply(fault);
      const toMs = timeline.now();
      timeline.note('heal', fault.kind);
      this.spans.push({ fromMs, toMs });
      this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
    }
  }

  async #apply(fault: Fault): Promise<void> {
    const { sshd, proxy, gateway, app } = this.#stage;
    switch (fault.kind) {
      case 'session-kill':
        await sshd.killSessions();
        return;
      case 'rst':
        proxy.reset();
        return;
      case 'fin':
        proxy.closeAll();
        return;
      case 'hole':
        proxy.freeze(fault.direction);
        await delay(fault.ms);
        proxy.thaw();
        return;
      case 'slow':
        proxy.set({ bytesPerSecond: fault.bytesPerSecond, delayMs: fault.delayMs });
        await delay(fault.ms);
        proxy.clear();
        return;
      case 'flip':
        proxy.flipByte(fault.direction, fault.afterBytes);
        return;
      case 'ack-drop':
        await this.#dropAck(fault.waitMs);
        return;
      case 'listener-down':
        await sshd.stopListener();
        await delay(fault.ms);
        await sshd.start();
        return;
      case 'reboot':
        await sshd.stop();
        await delay(fault.ms);
        await sshd.start();
        return;
      case 'sshd-stop':
        sshd.pause();
        await delay(fault.ms);
        sshd.resume();
        return;
      case 'gateway-restart':
        await this.#endGateway(() => gateway.stop());
        return;
      case 'gateway-kill':
        await this.#endGateway(() => gateway.kill());
        return;
      case 'gateway-stop':
        this.#stage.gatewaySilentSinceMs = this.#stage.timeline.now();
        gateway.pause();
        await delay(fault.ms);
        gateway.resume();
        this.#stage.gatewaySilentSinceMs = null;
        return;
      case 'tunnel-kill':
        app.signalTunnel('SIGKILL');
        return;
      case 'tunnel-stop': {
        // The one that is stopped is to go on, not one that took its place.
        const pid = app.tunnelPid;
        app.signalTunnel('SIGSTOP');
        await delay(fault.ms);
        if (app.tunnelPid === pid) app.signalTunnel('SIGCONT');
        return;
      }
      case 'app-kill':
        await app.kill();
        this.#stage.moments.push({ atMs: this.#stage.timeline.now(), isConnected: false });
        await delay(fault.ms);
        await app.start();
        return;
      case 'sleep':
        await this.#sleep(fault);
        return;
      case 'port-steal':
        await this.#stealPort(fault.ms);
        return;
      case 'offline':
        await app.ask({ type: 'network', isOnline: false });
        await delay(fault.ms);
        await app.ask({ type: 'network', isOnline: true });
        return;
      case 'toggles':
        for (const { press, waitMs } of fault.steps) {
          this.#stage.pressed += 1;
          await app.ask({ type: 'press', press });
          await delay(waitMs);
        }
        return;
    }
  }

  /** Lets a message through and nothing back, then breaks the connection. */
  async #dropAck(waitMs: number): Promise<void> {
    const { proxy } = this.#stage;
    const before = proxy.counts().bytesUp;
    proxy.freeze('down');
    try {
      await waitFor(() => proxy.counts().bytesUp > before + MESSAGE_BYTES, {
        what: 'a message',
        timeoutMs: waitMs,
        intervalMs: 5,
      });
    } catch {
      this.#stage.timeline.note('run', 'no message came whose answer could have been dropped');
    }
    proxy.reset();
    proxy.thaw();
  }

  async #endGateway(end: () => Promise<void>): Promise<void> {
    const stage = this.#stage;
    const fromMs = stage.timeline.now();
    stage.gatewaySilentSinceMs = fromMs;
    await end();
    await stage.gateway.start();
    stage.gatewaySilentSinceMs = null;
    stage.gatewayDown.push({ fromMs, toMs: stage.timeline.now() });
  }

  async #sleep(fault: Extract<Fault, { kind: 'sleep' }>): Promise<void> {
    const { app, proxy } = this.#stage;
    if (fault.announced !== 'none') await app.ask({ type: 'power', event: 'suspend' });
    app.freeze();
    if (fault.link === 'reset') proxy.reset();
    await delay(fault.ms);
    await app.wake(fault.asleepMs);
    if (fault.announced === 'none') return;
    await app.ask({ type: 'power', event: 'resume' });
    if (fault.announced === 'resume-twice') await app.ask({ type: 'power', event: 'resume' });
  }

  async #stealPort(ms: number): Promise<void> {
    const { app, timeline, stolen } = this.#stage;
    const port = app.localPort;
    app.signalTunnel('SIGKILL');
    let thief: Server;
    try {
      thief = await waitFor(
        () =>
          listenOn(port, (socket) =>
            socket.on('error', () => undefined).on('data', (data) => stolen.push(data)),
          ),
        { what: 'the port to be free', timeoutMs: STEAL_LIMIT_MS, intervalMs: 1 },
      );
    } catch {
      timeline.note('run', 'the port was not to be had');
      return;
    }
    timeline.note('run', 'the port is stolen');
    await delay(ms);
    await new Promise<void>((resolve) => {
      thief.close(() => resolve());
    });
  }
}
