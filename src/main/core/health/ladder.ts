import {
  LADDER_LAYERS,
  type Ladder,
  type LadderLayer,
  type LadderRung,
  type RungVerdict,
} from '../../../shared/health.ts';
import { assertNever } from '../../../shared/result.ts';
import { GATEWAY_FRESH_MS, type LadderMemory } from './ladder-memory.ts';

/** Without a sign of life for this long SSH is not called ok (three pings of 3 s, and a little). */
export const SSH_FRESH_MS = 10_000;
/** From here on SSH is called slow: one ping at least was not answered. */
export const SSH_LATE_MS = 6_000;
/** The gateway's health is asked for every 60 s: two rounds and a little. */
export const HEALTH_FRESH_MS = 150_000;

/** The ladder at a moment, in the time of its observations: always five rungs, none better than its last sign of life. */
export function ladderAt(memory: LadderMemory, nowMs: number): Ladder {
  const network = networkRung(memory, nowMs);
  const ssh = sshRung(memory, nowMs);
  const forward = forwardRung(memory, nowMs);
  const gateway = gatewayRung(memory, nowMs);
  const rungs = { network, ssh, forward, gateway, channels: channelsRung(memory, gateway, nowMs) };
  return LADDER_LAYERS.map((layer) => rungs[layer]);
}

function rung(layer: LadderLayer, verdict: RungVerdict, facts: Partial<LadderRung> = {}): LadderRung {
  return {
    layer,
    verdict,
    observedAtMs: null,
    latencyMs: null,
    failure: null,
    note: null,
    route: null,
    ...facts,
  };
}

function isFresh(atMs: number, freshMs: number, nowMs: number): boolean {
  return nowMs - atMs < freshMs;
}

/** Nothing is wanted of the way, so nothing is known of it. */
function isIdle({ state }: LadderMemory): boolean {
  switch (state.status) {
    case 'unconfigured':
    case 'disconnected':
    case 'paused':
    case 'disconnecting':
      return true;
    case 'connecting':
    case 'waiting-for-user':
    case 'connected':
    case 'backing-off':
    case 'blocked':
      return false;
    default:
      return assertNever(state);
  }
}

/** The rung of the layer that failed; `checking` while it is tried again. Null where another layer failed, or none. */
function troubleOf(memory: LadderMemory, layer: LadderLayer): LadderRung | null {
  const { trouble, state } = memory;
  if (trouble?.layer !== layer) return null;
  const verdict = state.status === 'connecting' ? 'checking' : 'failed';
  return rung(layer, verdict, { failure: trouble.failure, observedAtMs: trouble.atMs });
}

function networkRung(memory: LadderMemory, nowMs: number): LadderRung {
  const { target, online } = memory;
  if (!target.needsNetwork) return rung('network', 'not-applicable');
  const life = target.mode === 'ssh' ? memory.ssh : memory.gateway;
  const freshMs = target.mode === 'ssh' ? SSH_FRESH_MS : GATEWAY_FRESH_MS;
  // An answer from afar is better evidence than what the system thinks of its network.
  if (life && isFresh(life.atMs, freshMs, nowMs)) return rung('network', 'ok', { observedAtMs: life.atMs });
  if (online?.isOnline === false) return rung('network', 'failed', { observedAtMs: online.atMs });
  const trouble = troubleOf(memory, 'network');
  if (trouble) return trouble;
  return online ? rung('network', 'ok', { observedAtMs: online.atMs }) : rung('network', 'unknown');
}

function sshRung(memory: LadderMemory, nowMs: number): LadderRung {
  const { target, ssh, sshNote, sshRoute, sshPace, state } = memory;
  if (target.mode !== 'ssh') return rung('ssh', 'not-applicable');
  if (isIdle(memory)) return rung('ssh', 'unknown');
  if (ssh && isFresh(ssh.atMs, SSH_FRESH_MS, nowMs)) {
    const isSlow = sshPace.isSlow || nowMs - ssh.atMs >= SSH_LATE_MS;
    const facts = { observedAtMs: ssh.atMs, latencyMs: ssh.latencyMs, note: sshNote, route: sshRoute };
    return rung('ssh', isSlow ? 'degraded' : 'ok', facts);
  }
  const trouble = troubleOf(memory, 'ssh');
  if (trouble) return trouble;
  // While a question waits that nobody asked for, nothing is open that could be checked.
  const isUnattended = state.status === 'waiting-for-user' && !state.attended;
  const isChecking = state.status !== 'blocked' && state.status !== 'backing-off' && !isUnattended;
  return rung('ssh', isChecking ? 'checking' : 'unknown', { observedAtMs: ssh?.atMs ?? null });
}

function forwardRung(memory: LadderMemory, nowMs: number): LadderRung {
  const { target, forward, forwardNote, state } = memory;
  if (target.mode !== 'ssh') return rung('forward', 'not-applicable');
  if (isIdle(memory)) return rung('forward', 'unknown');
  const trouble = troubleOf(memory, 'forward');
  if (trouble) return trouble;
  const observedAtMs = forward?.atMs ?? null;
  if (forward && isFresh(forward.atMs, forward.freshMs, nowMs)) {
    return rung('forward', 'ok', { observedAtMs, note: forwardNote });
  }
  const isChecking =
    state.status === 'connected' ||
    (state.status === 'connecting' &&
      (state.stage === 'opening-forward' || state.stage === 'gateway-handshake'));
  return rung('forward', isChecking ? 'checking' : 'unknown', { observedAtMs });
}

function gatewayRung(memory: LadderMemory, nowMs: number): LadderRung {
  const { gateway, gatewayNote, gatewayPace, state } = memory;
  if (isIdle(memory)) return rung('gateway', 'unknown');
  if (gateway && isFresh(gateway.atMs, GATEWAY_FRESH_MS, nowMs)) {
    const facts = { observedAtMs: gateway.atMs, latencyMs: gateway.latencyMs, note: gatewayNote };
    return rung('gateway', gatewayPace.isSlow ? 'degraded' : 'ok', facts);
  }
  const trouble = troubleOf(memory, 'gateway');
  if (trouble) return trouble;
  const isChecking =
    state.status === 'connected' || (state.status === 'connecting' && state.stage === 'gateway-handshake');
  return rung('gateway', isChecking ? 'checking' : 'unknown', { observedAtMs: gateway?.atMs ?? null });
}

function channelsRung({ health }: LadderMemory, gateway: LadderRung, nowMs: number): LadderRung {
  const observedAtMs = health?.atMs ?? null;
  // What the gateway said holds only as long as the gateway itself is there.
  if (gateway.verdict !== 'ok' && gateway.verdict !== 'degraded')
    return rung('channels', 'unknown', { observedAtMs });
  if (!health) return rung('channels', 'checking');
  if (!isFresh(health.atMs, HEALTH_FRESH_MS, nowMs)) return rung('channels', 'checking', { observedAtMs });
  const channels = health.said.channels.filter(({ state }) => state !== 'not-configured');
  if (channels.length === 0) return rung('channels', 'not-applicable', { observedAtMs });
  const count = (wanted: string): number => channels.filter(({ state }) => state === wanted).length;
  const ready = count('ready');
  const note = `${ready}/${channels.length}`;
  return rung('channels', channelsVerdict(channels.length, ready, count('unknown'), count('down')), {
    observedAtMs,
    note,
  });
}

function channelsVerdict(all: number, ready: number, unknown: number, down: number): RungVerdict {
  if (down === all) return 'failed';
  if (ready + unknown < all) return 'degraded';
  return ready === 0 ? 'unknown' : 'ok';
}
