import type { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { assertNever, err, ok, type Result } from '../../../shared/result.ts';
import type { ProbeResult, RouteFacts } from '../../core/connection/ports.ts';
import type { SshHop } from '../../core/tunnel/ssh-hop.ts';
import type { TunnelConfig } from '../../core/tunnel/tunnel-protocol.ts';
import type {
  TunnelSession,
  TunnelSessionDeps,
  TunnelSessionEnd,
  TunnelSessionEvents,
} from '../tunnel/tunnel-session.ts';
import { JoinedStream } from './joined-stream.ts';
import { failureOfJump, questionOfJump } from './jump-names.ts';
import { WATCHDOG_TIMING, watchdogTiming } from './link-watchdog.ts';
import { ProxyCommandRun } from './proxy-command.ts';
import { classifyJumpError } from './ssh-errors.ts';
import { SshSession } from './ssh-session.ts';
import { SSH_TIMING, type SshTiming } from './ssh-timing.ts';
import { tcpDialer, type WireDialer } from './ssh-wire.ts';

/** An inner link ends a moment before the outer one that it died with. */
const ECHO_MS = 50;
/** A hop that gave no sign for this long is silent: one that lives gives one every three seconds. */
const QUIET_AFTER_MS = WATCHDOG_TIMING.pingEveryMs * 1.5;

export interface SshChainDeps extends TunnelSessionDeps {
  readonly timing?: SshTiming;
}

interface Link {
  readonly hop: SshHop;
  readonly session: SshSession;
  /** Null until it is dialled. */
  wire: Duplex | null;
  heardAtMs: number;
}

interface HopFailure {
  readonly index: number;
  readonly why: ConnectionFailure;
}

/**
 * SSH with the target over all its jumps (ProxyJump, ssh_config(5)) and its ProxyCommand. Every hop is an SSH connection of its
 * own, with its own keys and trust, over a channel of the hop before. All stand and fall together.
 */
export class SshChain implements TunnelSession {
  readonly #config: TunnelConfig;
  readonly #hops: readonly SshHop[];
  readonly #events: TunnelSessionEvents;
  readonly #deps: SshChainDeps;
  readonly #timing: SshTiming;
  /** Begun so far, in the order of connecting. */
  readonly #links: Link[] = [];
  #proxy: ProxyCommandRun | null = null;
  #failed: HopFailure | null = null;
  #over = false;

  constructor(config: TunnelConfig, events: TunnelSessionEvents, deps: SshChainDeps) {
    this.#config = config;
    this.#hops = [...config.jumps, config.target];
    this.#events = events;
    this.#deps = deps;
    this.#timing = deps.timing ?? SSH_TIMING;
    this.#begin(0, config.proxyCommand === null ? this.#dialTcp() : this.#dialProxyCommand());
  }

  get isReady(): boolean {
    return !this.#over && this.#target?.isReady === true;
  }

  /** Of the connection with the target. */
  get traffic(): TunnelSession['traffic'] {
    return this.#target?.traffic ?? { bytesReceived: 0, bytesSent: 0 };
  }

  openForward(originPort: number): Promise<Result<ClientChannel, ConnectionFailure>> {
    const { host } = this.#config.target;
    return (
      this.#target?.openForward(originPort) ??
      Promise.resolve(err(failure('link-lost', { host, detail: 'not connected' })))
    );
  }

  /** Asks the target, through all hops. */
  probe(limitMs: number): Promise<ProbeResult> {
    return this.#target?.probe(limitMs) ?? Promise.resolve({ alive: false, latencyMs: null });
  }

  close(): void {
    this.#finish({ type: 'closed' });
  }

  dispose(): void {
    this.close();
  }

  get #target(): SshSession | null {
    return this.#links[this.#hops.length - 1]?.session ?? null;
  }

  #begin(index: number, dial: WireDialer): void {
    const hop = this.#hops[index];
    if (hop === undefined) return;
    const next = this.#hops[index + 1];
    const { connectLimitMs } = this.#timing;
    const link: Link = {
      hop,
      wire: null,
      heardAtMs: this.#deps.clock.monotonicMs(),
      session: new SshSession(hop, this.#eventsOf(index), {
        ...this.#deps,
        timing:
          next === undefined
            ? this.#timing
            : // What a forward leads to is the next hop: it has the time of a connection.
              { ...this.#timing, forwardLimitMs: next.connectTimeoutMs ?? connectLimitMs },
        dial: async (stop) => {
          const dialled = await dial(stop);
          if (dialled.ok) link.wire = dialled.value.stream;
          return dialled;
        },
        forward: next === undefined ? this.#config.forward : { host: next.host, port: next.port },
        // Known of the target alone.
        ...(next === undefined ? { lastCredential: this.#config.lastCredential } : {}),
        // A link that is silent because one below it is must not end before that one may.
        watchdog: watchdogTiming(this.#hops.slice(0, index + 1)),
      }),
    };
    this.#links.push(link);
  }

  #eventsOf(index: number): TunnelSessionEvents {
    const isTarget = index === this.#hops.length - 1;
    const link = (): Link | undefined => this.#links[index];
    return {
      onStage: (stage, limitMs) => {
        if (this.#over) return;
        // Every hop has time of its own, also where the way as a whole takes longer than one connection may.
        const isLaterHop = index > 0 && stage === 'opening-socket';
        this.#events.onStage(stage, limitMs ?? (isLaterHop ? this.#timing.connectLimitMs : null));
      },
      ask: async (question, withdraw) => {
        if (this.#over) return null;
        const jump = this.#config.jumps[index];
        return this.#events.ask(jump === undefined ? question : questionOfJump(question, jump), withdraw);
      },
      onReady: (facts) => {
        if (this.#over) return;
        const own = link();
        if (own !== undefined) own.heardAtMs = this.#deps.clock.monotonicMs();
        if (isTarget) this.#events.onReady({ ...facts, via: this.#via() });
        else this.#begin(index + 1, this.#dialThrough(index));
      },
      onAlive: (latencyMs) => {
        const own = link();
        if (own !== undefined) own.heardAtMs = this.#deps.clock.monotonicMs();
        if (isTarget && !this.#over) this.#events.onAlive(latencyMs);
      },
      onEnd: (end) => this.#onHopEnd(index, end),
      log: (level, event, fields) => {
        const hop = this.#hops.length > 1 ? { hop: this.#hops[index]?.name ?? '' } : {};
        this.#events.log(level, event, { ...hop, ...fields });
      },
    };
  }

  #via(): RouteFacts['via'] {
    const jumps = this.#config.jumps.map(({ name }) => name);
    return this.#config.proxyCommand === null ? jumps : ['ProxyCommand', ...jumps];
  }

  #dialTcp(): WireDialer {
    const first = this.#hops[0] ?? this.#config.target;
    return tcpDialer(first, this.#timing, this.#deps.clock);
  }

  #dialProxyCommand(): WireDialer {
    return async () => {
      const { proxyCommand, target } = this.#config;
      const hop = this.#hops[0] ?? target;
      if (proxyCommand === null) return err(failure('bug', { detail: 'no ProxyCommand' }));
      const started = await ProxyCommandRun.start(proxyCommand, hop, {
        clock: this.#deps.clock,
        log: (level, event, fields) => this.#events.log(level, event, fields),
      });
      if (!started.ok) return started;
      this.#proxy = started.value;
      return ok(started.value.wire);
    };
  }

  /** Over a channel of the hop of that index, which looks the next one's name up itself, as with OpenSSH. */
  #dialThrough(index: number): WireDialer {
    return async () => {
      const jump = this.#links[index];
      const next = this.#hops[index + 1];
      if (jump === undefined || next === undefined) return err(failure('bug', { detail: 'no such hop' }));
      const { host, port } = next;
      const opened = await jump.session.openForward(0, (error) =>
        classifyJumpError(error, jump.hop.name, next),
      );
      if (opened.ok) return ok(joinChannel(opened.value));
      if (opened.error.code !== 'forward-timeout') return opened;
      const { limitMs } = opened.error.facts;
      const detail = `no answer within ${Math.round(limitMs / 1000)} s`;
      return err(failure('jump-unreachable', { jump: jump.hop.name, host, port, detail }));
    };
  }

  #onHopEnd(index: number, end: TunnelSessionEnd): void {
    switch (end.type) {
      case 'closed':
        return;
      case 'untrusted': {
        const jump = this.#config.jumps[index];
        this.#finish(jump === undefined ? end : { ...end, question: questionOfJump(end.question, jump) });
        return;
      }
      case 'failed':
        void this.#onHopFailed(index, end.failure);
        return;
      default:
        assertNever(end);
    }
  }

  /** One failure for all: that of the outermost hop that has one, for the others are its echoes. */
  async #onHopFailed(index: number, why: ConnectionFailure): Promise<void> {
    const earlier = this.#failed;
    if (this.#over || (earlier !== null && earlier.index <= index)) return;
    this.#failed = { index, why };
    // Whoever waits for echoes below goes on with this one.
    if (earlier !== null) return;
    if (index > 0 && why.code === 'link-lost') await this.#pause(ECHO_MS);
    const cause = this.#cause();
    const isOfProxy = cause.index === 0 && this.#proxy !== null;
    const explained = isOfProxy ? await this.#proxy?.explain(cause.why) : undefined;
    const told = explained === undefined ? this.#blame(cause) : { ...cause, why: explained };
    const jump = this.#config.jumps[told.index];
    this.#finish({ type: 'failed', failure: jump === undefined ? told.why : failureOfJump(told.why, jump) });
  }

  /** As a call, so that the compiler does not think it cannot change across an await. */
  #cause(): HopFailure {
    return this.#failed ?? { index: 0, why: failure('bug', { detail: 'no cause' }) };
  }

  /** Silence is that of the outermost hop that is silent: nothing comes through it. */
  #blame(cause: HopFailure): HopFailure {
    const { index, why } = cause;
    if (why.code !== 'link-dead') return cause;
    const nowMs = this.#deps.clock.monotonicMs();
    const at = this.#links.slice(0, index).findIndex(({ heardAtMs }) => nowMs - heardAtMs > QUIET_AFTER_MS);
    const silent = this.#links[at];
    if (silent === undefined) return cause;
    const { silentMs } = why.facts;
    return { index: at, why: failure('link-dead', { host: silent.hop.host, silentMs }) };
  }

  #finish(end: TunnelSessionEnd): void {
    if (this.#over) return;
    this.#over = true;
    if (end.type === 'closed') this.#closeFrom(this.#links.length - 1);
    else for (const { session } of [...this.#links].reverse()) session.close();
    this.#events.onEnd(end);
  }

  /** The inner one first: its last words travel over the others. Each ends within half a second, in order or not. */
  #closeFrom(index: number): void {
    const link = this.#links[index];
    if (link === undefined) return;
    const { wire, session } = link;
    if (wire === null || wire.destroyed || index === 0) {
      session.close();
      this.#closeFrom(index - 1);
      return;
    }
    wire.once('close', () => this.#closeFrom(index - 1));
    session.close();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#deps.clock.setTimer(ms, resolve));
  }
}

function joinChannel(channel: ClientChannel): JoinedStream {
  return new JoinedStream({
    source: channel,
    sink: channel,
    release: () => {
      channel.removeAllListeners('drain');
      channel.destroy();
      // What the server still sends is read away, else the channel keeps its buffer and its number.
      channel.removeAllListeners('data');
      channel.resume();
    },
  });
}
