import type { ConnectionFailure } from '../../../shared/connection-failure.ts';

/**
 * Waits between attempts in milliseconds; the last one repeats. The first failure costs no wait. Each short wait comes twice,
 * so that a short outage is followed by a short wait.
 */
export const RETRY_LADDER_MS = [
  0, 1_000, 1_000, 2_000, 2_000, 4_000, 4_000, 8_000, 8_000, 15_000, 30_000,
] as const;
/** A link that held this long is tried again at once when it is lost: that is one attempt in this time at most. */
export const HELD_MS = 5_000;
/** A connection must hold this long before everything that went wrong earlier is forgotten. */
export const STABLE_AFTER_MS = 30_000;
/** Up to this share is taken off a wait, never added, so that the ladder's last rung is a true limit. */
export const JITTER_SHARE = 0.2;
/** Hints of the system (network, wake) never start attempts closer together than this. */
export const HINT_SPACING_MS = 1_000;

/** A tunnel process that crashes at every start is started five times a minute at most, jitter counted in. */
const CRASH_LADDER_MS = [0, 2_000, 8_000, 15_000, 30_000] as const;

/** A gateway's own wish is honoured within these limits: neither a busy loop nor a timer that overflows. */
const SHORTEST_WISH_MS = 1_000;
const LONGEST_WISH_MS = 15 * 60_000;
/** The gateway's lockout lasts minutes; asking sooner without being told when would only lengthen it. */
const RATE_LIMIT_DEFAULT_MS = 30_000;

/** A server that turns connections away (MaxStartups, fail2ban) is not pressed: every try may lengthen the ban. */
const REJECTED_MS = 30_000;
const REJECTIONS_BEFORE_SLOW = 2;

/**
 * Asking a live SSH session whether the gateway's port has opened costs one channel, so it may be asked often: quickly
 * after a gateway that was there (it restarts), then every 5 s, then every 30 s.
 */
const RESTART_PROBES = { count: 20, everyMs: 1_500 } as const;
const GATEWAY_PROBES = { count: 24, everyMs: 5_000 } as const;
const SLOW_PROBE_MS = 30_000;

/** Whoever approves this device is at it now or later: asked often enough to connect 5 s after, then calmly. */
const APPROVAL_PROBES = { count: 150, everyMs: 4_000 } as const;

/** How far the waits have climbed. */
export interface RetryMemory {
  /** Failures since the last connection that held; see {@link afterHolding}. */
  readonly failures: number;
  /** Crashes of the tunnel process since the last stable connection. */
  readonly crashes: number;
  /** Times in a row that the gateway was asked again at a steady pace: its port was closed, or it waits for an approval. */
  readonly gatewayProbes: number;
  /** Times in a row that the server turned the connection away. */
  readonly rejections: number;
}

export const FRESH_RETRY: RetryMemory = { failures: 0, crashes: 0, gatewayProbes: 0, rejections: 0 };

export interface RetryInput {
  readonly failure: ConnectionFailure;
  readonly memory: RetryMemory;
  /** True when the gateway was connected in this series: then a closed port is probably a restart. */
  readonly reconnecting: boolean;
  /** True where the gateway runs on this computer: asking for its port costs nothing. */
  readonly isLocal: boolean;
  /** In [0, 1). */
  readonly random: number;
}

export interface RetryDecision {
  readonly delayMs: number;
  readonly memory: RetryMemory;
}

/** How long to wait after a transient failure. Attempts are never given up. */
export function nextRetry(input: RetryInput): RetryDecision {
  const { failure, memory, reconnecting, isLocal, random } = input;
  switch (failure.code) {
    case 'rate-limited':
      return { delayMs: wish(failure.facts.retryAfterMs ?? RATE_LIMIT_DEFAULT_MS), memory };
    case 'gateway-starting':
      if (failure.facts.retryAfterMs === null) return climb(memory, random);
      return { delayMs: wish(failure.facts.retryAfterMs), memory };
    case 'gateway-not-listening':
      return askForPort(memory, reconnecting, random);
    case 'pairing-required':
      return askForApproval(memory, random);
    case 'gateway-unreachable':
      return isLocal ? askForPort(memory, reconnecting, random) : climb(memory, random);
    case 'tunnel-process-crashed':
      return climbAfterCrash(memory, random);
    case 'ssh-rejecting': {
      const { delayMs, memory: climbed } = climb(memory, random);
      const isPressed = memory.rejections >= REJECTIONS_BEFORE_SLOW;
      return {
        delayMs: isPressed ? Math.max(delayMs, REJECTED_MS) : delayMs,
        memory: { ...climbed, rejections: memory.rejections + 1 },
      };
    }
    default:
      return climb(memory, random);
  }
}

/** The ladder's wait less 0-20 %, so that many clients of one host do not return in step. */
export function withJitter(delayMs: number, random: number): number {
  return Math.round(delayMs * (1 - JITTER_SHARE * random));
}

/**
 * The memory once a connection of `heldMs` is lost. Nobody waits longer than the connection had held, so that a link that
 * fails again and again is up at least half of the time. One that is lost within its first second tells nothing: whatever
 * ends every connection at once must not be hammered.
 */
export function afterHolding(memory: RetryMemory, heldMs: number): RetryMemory {
  if (heldMs >= STABLE_AFTER_MS) return FRESH_RETRY;
  if (heldMs >= HELD_MS) return { ...FRESH_RETRY, crashes: memory.crashes };
  const highest = RETRY_LADDER_MS.findLastIndex((waitMs) => waitMs <= heldMs);
  return highest > 0 ? { ...memory, failures: Math.min(memory.failures, highest) } : memory;
}

function climb(memory: RetryMemory, random: number): RetryDecision {
  return {
    delayMs: withJitter(rung(RETRY_LADDER_MS, memory.failures), random),
    memory: { ...FRESH_RETRY, crashes: memory.crashes, failures: memory.failures + 1 },
  };
}

/** Counted by themselves: a process that crashes after a while of good service is no link that fails. */
function climbAfterCrash(memory: RetryMemory, random: number): RetryDecision {
  return {
    delayMs: withJitter(rung(CRASH_LADDER_MS, memory.crashes), random),
    memory: { ...FRESH_RETRY, crashes: memory.crashes + 1, failures: memory.failures + 1 },
  };
}

function rung(ladderMs: readonly number[], failures: number): number {
  return ladderMs[Math.min(failures, ladderMs.length - 1)] ?? SLOW_PROBE_MS;
}

function askForPort(memory: RetryMemory, reconnecting: boolean, random: number): RetryDecision {
  const delayMs = withJitter(probeInterval(memory.gatewayProbes, reconnecting), random);
  return { delayMs, memory: { ...memory, gatewayProbes: memory.gatewayProbes + 1 } };
}

function askForApproval(memory: RetryMemory, random: number): RetryDecision {
  const { gatewayProbes } = memory;
  const everyMs = gatewayProbes < APPROVAL_PROBES.count ? APPROVAL_PROBES.everyMs : SLOW_PROBE_MS;
  return {
    delayMs: withJitter(everyMs, random),
    memory: { ...memory, gatewayProbes: gatewayProbes + 1 },
  };
}

function probeInterval(probes: number, reconnecting: boolean): number {
  const quick = reconnecting ? RESTART_PROBES.count : 0;
  if (probes < quick) return RESTART_PROBES.everyMs;
  return probes < quick + GATEWAY_PROBES.count ? GATEWAY_PROBES.everyMs : SLOW_PROBE_MS;
}

function wish(retryAfterMs: number): number {
  return Math.min(Math.max(retryAfterMs, SHORTEST_WISH_MS), LONGEST_WISH_MS);
}
