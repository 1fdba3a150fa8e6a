import type { ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { ConnectionState, GatewayEndpoint, PromptAnswer } from '../../../shared/connection-state.ts';
import type { ConnectionTarget } from './connection-target.ts';
import type { RouteEvent, SessionEvent } from './ports.ts';
import { FRESH_RETRY, type RetryMemory } from './retry-policy.ts';

/** What the person last asked for; never changed by a failure. */
export type Intent = 'connected' | 'off' | 'paused';

/** `standing`: the SSH session lives, but the gateway's port did not take the forward. */
export type RoutePhase = 'down' | 'opening' | 'standing' | 'up';
export type SessionPhase = 'down' | 'opening' | 'up';

/**
 * retry: wait of the ladder. attempt: a stage that never ends. awake-check: proof that an announced sleep did not take
 * place, should no wake be announced either.
 */
export type TimerName = 'retry' | 'attempt' | 'awake-check';

/** All that the transition function knows: inputs, phases of the two drivers, and the state that everyone sees. */
export interface Machine {
  readonly target: ConnectionTarget;
  readonly intent: Intent;
  readonly network: 'online' | 'offline';
  readonly power: 'awake' | 'asleep';
  /** Rises with every attempt and never falls. Events carry it, so that late ones can be told apart. */
  readonly attempt: number;
  /** Attempt that the route belongs to; lower than `attempt` when only the session was opened anew. */
  readonly routeAttempt: number;
  readonly sessionAttempt: number;
  readonly route: RoutePhase;
  readonly session: SessionPhase;
  /** Where the live route leads. */
  readonly endpoint: GatewayEndpoint | null;
  /** Rises with every gateway session. */
  readonly generation: number;
  readonly retry: RetryMemory;
  /** `retry` as it was before the session of this route failed last: where the route fails too, that was one fault. */
  readonly retryBeforeSessionLost: RetryMemory | null;
  /** A person is there, so questions may be shown. Over with the first success, and with a sleep. */
  readonly attended: boolean;
  /** Connected at least once since the person last asked for it. */
  readonly wasConnected: boolean;
  readonly lastFailure: ConnectionFailure | null;
  /** Monotonic milliseconds since which the live session is up; null without one. */
  readonly connectedSinceMs: number | null;
  /** Monotonic milliseconds at which the last attempt began. */
  readonly attemptStartedMs: number | null;
  /** Uptime in milliseconds at which the wait of `backing-off` is over: a sleep counts, a clock that was set does not. */
  readonly retryDueMs: number;
  readonly timers: readonly TimerName[];
  /** How long the stage under way was given when its guard was set, in milliseconds. */
  readonly guardMs: number;
  /** Id of the last probe, and whether its result is still awaited. */
  readonly probeId: number;
  readonly probing: boolean;
  /** Id of the last request to be told that everything is closed. */
  readonly closeId: number;
  /** Set by `quit` and never cleared: nothing starts any more. */
  readonly ended: boolean;
  readonly state: ConnectionState;
}

/** What a person or the program asks for. */
export type CommandEvent =
  /** `attended` false: the program asks, at its start. */
  | { readonly type: 'connect'; readonly attended: boolean }
  | { readonly type: 'disconnect' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** A fresh start of route and session, from every state. */
  | { readonly type: 'reconnect-now' }
  /** The person wants to see the question that waits. */
  | { readonly type: 'attend' }
  | { readonly type: 'answer-prompt'; readonly promptId: string; readonly answer: PromptAnswer }
  | { readonly type: 'profile-changed'; readonly target: ConnectionTarget }
  | { readonly type: 'quit' };

/** What the system reports. Hints only: they may come twice, falsely, or not at all. */
export type SystemEvent =
  | { readonly type: 'network-changed'; readonly online: boolean }
  | { readonly type: 'suspend' }
  | { readonly type: 'resume-from-sleep' }
  /** Seen on the clocks. `slept` false: the wall clock alone jumped, which may mean nothing but that it was set. */
  | { readonly type: 'clock-jumped'; readonly slept: boolean };

export type TimerEvent =
  { readonly type: 'retry-due' } | { readonly type: 'attempt-timeout' } | { readonly type: 'awake-check' };

/** What the supervisor reports of effects that it ran. */
export type EffectEvent =
  | {
      readonly type: 'probed';
      readonly probeId: number;
      readonly limitMs: number;
      readonly routeAlive: boolean;
      readonly sessionAlive: boolean;
    }
  | { readonly type: 'closed'; readonly closeId: number };

export type MachineEvent = CommandEvent | SystemEvent | TimerEvent | EffectEvent | RouteEvent | SessionEvent;

/** What the supervisor has to do, in order. Drivers' effects run one after the other: an open waits for a close. */
export type Effect =
  | { readonly type: 'open-route'; readonly attempt: number }
  | {
      readonly type: 'answer-route';
      readonly attempt: number;
      readonly promptId: string;
      readonly answer: PromptAnswer;
    }
  | { readonly type: 'close-route' }
  | { readonly type: 'open-session'; readonly attempt: number; readonly endpoint: GatewayEndpoint }
  | { readonly type: 'close-session' }
  /** Ends the drivers and makes new ones for the current profile. */
  | { readonly type: 'replace-drivers' }
  /** Answer with `closed` once everything before it is done. */
  | { readonly type: 'report-closed'; readonly closeId: number }
  | { readonly type: 'probe-all'; readonly probeId: number; readonly limitMs: number }
  | { readonly type: 'start-timer'; readonly name: TimerName; readonly delayMs: number }
  | { readonly type: 'cancel-timer'; readonly name: TimerName };

/** The moment of an event: what a pure function cannot find out by itself. */
export interface Moment {
  /** Epoch milliseconds, only for what is shown. */
  readonly nowMs: number;
  /** Milliseconds on a clock that never jumps. */
  readonly monotonicMs: number;
  /** Milliseconds on a clock that never jumps and counts sleep. */
  readonly uptimeMs: number;
  /** In [0, 1). */
  readonly random: number;
}

export interface Transition {
  readonly machine: Machine;
  readonly effects: readonly Effect[];
}

export function initialMachine(target: ConnectionTarget, online: boolean): Machine {
  return {
    target,
    intent: 'off',
    network: online ? 'online' : 'offline',
    power: 'awake',
    attempt: 0,
    routeAttempt: 0,
    sessionAttempt: 0,
    route: 'down',
    session: 'down',
    endpoint: null,
    generation: 0,
    retry: FRESH_RETRY,
    retryBeforeSessionLost: null,
    attended: false,
    wasConnected: false,
    lastFailure: null,
    connectedSinceMs: null,
    attemptStartedMs: null,
    retryDueMs: 0,
    timers: [],
    guardMs: 0,
    probeId: 0,
    probing: false,
    closeId: 0,
    ended: false,
    state: target.configured ? { status: 'disconnected' } : { status: 'unconfigured' },
  };
}
