import type { ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { ConnectionState } from '../../../shared/connection-state.ts';
import type { GatewayMode } from '../../../shared/gateway-profile.ts';
import type { GatewayHealth, LadderLayer, RungRoute } from '../../../shared/health.ts';
import { assertNever } from '../../../shared/result.ts';
import { failureLayer } from './failure-layer.ts';
import { EVEN_PACE, nextPace, type Pace } from './pace.ts';

/** Without a sign of the gateway's for this long it is not called ok: it is asked after 10 s and has 5 s to answer. */
export const GATEWAY_FRESH_MS = 16_000;
/** A closed gateway port is asked for every 30 s at most; until then the last refusal proves the forward. */
const REFUSAL_FRESH_MS = 45_000;

const SSH_PACE = { slowFromMs: 500, fastBelowMs: 350 };
const GATEWAY_PACE = { slowFromMs: 1_000, fastBelowMs: 700 };

export interface LadderTarget {
  readonly mode: GatewayMode;
  /** False where the gateway is reached over this computer's loopback. */
  readonly needsNetwork: boolean;
}

/** Something that was seen, with the moment (`Clock.uptimeMs`) at which it was: a clock that is set makes nothing older. */
export type HealthObservation = { readonly atMs: number } & (
  | { readonly type: 'target'; readonly target: LadderTarget }
  | { readonly type: 'connectivity'; readonly isOnline: boolean }
  | { readonly type: 'connection'; readonly state: ConnectionState }
  | {
      readonly type: 'route-up';
      readonly server: string | null;
      readonly localPort: number | null;
      readonly route: RungRoute;
    }
  | { readonly type: 'route-alive'; readonly latencyMs: number | null }
  | { readonly type: 'forward-failed'; readonly failure: ConnectionFailure }
  | { readonly type: 'session-up'; readonly gatewayVersion: string | null }
  | { readonly type: 'session-alive'; readonly latencyMs: number | null }
  | { readonly type: 'health'; readonly health: GatewayHealth }
);

interface Life {
  readonly atMs: number;
  readonly latencyMs: number | null;
}
interface Trouble {
  readonly failure: ConnectionFailure;
  readonly layer: LadderLayer | null;
  readonly atMs: number;
}

/** What is known of the way, from which the ladder follows at any moment. */
export interface LadderMemory {
  readonly target: LadderTarget;
  readonly online: { readonly isOnline: boolean; readonly atMs: number } | null;
  readonly state: ConnectionState;
  readonly trouble: Trouble | null;
  readonly ssh: Life | null;
  readonly forward: { readonly atMs: number; readonly freshMs: number } | null;
  readonly gateway: Life | null;
  readonly sshPace: Pace;
  readonly gatewayPace: Pace;
  readonly sshNote: string | null;
  readonly sshRoute: RungRoute | null;
  readonly forwardNote: string | null;
  readonly gatewayNote: string | null;
  readonly health: { readonly said: GatewayHealth; readonly atMs: number } | null;
}

export function emptyLadderMemory(target: LadderTarget): LadderMemory {
  return {
    target,
    online: null,
    state: { status: 'disconnected' },
    trouble: null,
    ...NOTHING_SEEN,
    sshNote: null,
    sshRoute: null,
    forwardNote: null,
    gatewayNote: null,
    health: null,
  };
}

const NOTHING_SEEN = {
  ssh: null,
  forward: null,
  gateway: null,
  sshPace: EVEN_PACE,
  gatewayPace: EVEN_PACE,
} as const;

/** Adds one observation. Pure; observations may come in any order that the drivers send them in. */
export function observe(memory: LadderMemory, seen: HealthObservation): LadderMemory {
  const { atMs } = seen;
  switch (seen.type) {
    case 'target':
      return { ...emptyLadderMemory(seen.target), online: memory.online, state: memory.state };
    case 'connectivity':
      return { ...memory, online: { isOnline: seen.isOnline, atMs } };
    case 'connection':
      return observeState({ ...memory, state: seen.state }, seen.state, atMs);
    case 'route-up': {
      const port = seen.localPort === null ? null : `127.0.0.1:${seen.localPort}`;
      const proved = { ssh: { atMs, latencyMs: null }, forward: { atMs, freshMs: GATEWAY_FRESH_MS } };
      return { ...memory, ...proved, sshNote: seen.server, sshRoute: seen.route, forwardNote: port };
    }
    case 'route-alive': {
      const { latencyMs } = seen;
      const ssh = { atMs, latencyMs: latencyMs ?? memory.ssh?.latencyMs ?? null };
      const sshPace = latencyMs === null ? memory.sshPace : nextPace(memory.sshPace, latencyMs, SSH_PACE);
      return { ...memory, ssh, sshPace };
    }
    case 'forward-failed': {
      // An answer about the port is a sign of life of SSH, and a refusal by the port one of the forward.
      const ssh = { atMs, latencyMs: memory.ssh?.latencyMs ?? null };
      const isRefusal = failureLayer(seen.failure) === 'gateway';
      return { ...memory, ssh, forward: isRefusal ? { atMs, freshMs: REFUSAL_FRESH_MS } : memory.forward };
    }
    case 'session-up':
      return { ...memory, gatewayNote: seen.gatewayVersion };
    case 'session-alive': {
      if (memory.state.status !== 'connected') return memory;
      const { latencyMs } = seen;
      const pace = memory.gatewayPace;
      const gatewayPace = latencyMs === null ? pace : nextPace(pace, latencyMs, GATEWAY_PACE);
      return { ...throughTheWholeWay(memory, atMs, latencyMs), gatewayPace };
    }
    case 'health':
      return {
        ...memory,
        health: { said: seen.health, atMs },
        gatewayNote: seen.health.gatewayVersion ?? memory.gatewayNote,
      };
    default:
      return assertNever(seen);
  }
}

/** A frame of the gateway's came over forward and SSH: it proves all three. */
function throughTheWholeWay(memory: LadderMemory, atMs: number, latencyMs: number | null): LadderMemory {
  return {
    ...memory,
    ssh: { atMs, latencyMs: memory.ssh?.latencyMs ?? null },
    forward: { atMs, freshMs: GATEWAY_FRESH_MS },
    gateway: { atMs, latencyMs: latencyMs ?? memory.gateway?.latencyMs ?? null },
  };
}

function observeState(memory: LadderMemory, state: ConnectionState, atMs: number): LadderMemory {
  switch (state.status) {
    case 'connected':
      return { ...throughTheWholeWay(memory, atMs, null), trouble: null };
    case 'blocked':
      return withTrouble(memory, state.failure, atMs);
    case 'backing-off':
    case 'connecting':
      return withTrouble(memory, state.lastFailure, atMs);
    case 'waiting-for-user':
      return { ...memory, gateway: null };
    case 'unconfigured':
    case 'disconnected':
    case 'paused':
    case 'disconnecting':
      return { ...memory, ...NOTHING_SEEN, trouble: null };
    default:
      return assertNever(state);
  }
}

/** A failure takes back what was known of its layer and of all that lie beyond it. */
function withTrouble(memory: LadderMemory, failure: ConnectionFailure | null, atMs: number): LadderMemory {
  const gone = { ...memory, gateway: null };
  if (failure === null || failure === memory.trouble?.failure) return gone;
  const layer = failureLayer(failure);
  const trouble = { failure, layer, atMs };
  if (layer === 'network' || layer === 'ssh') return { ...gone, trouble, ssh: null, forward: null };
  return layer === 'forward' ? { ...gone, trouble, forward: null } : { ...gone, trouble };
}
