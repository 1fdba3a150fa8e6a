import type { ConnectionFailure } from '../../../shared/connection-failure.ts';
import type {
  ConnectStage,
  GatewayEndpoint,
  PromptAnswer,
  UserPrompt,
} from '../../../shared/connection-state.ts';
import type { SshTransport } from '../../../shared/gateway-profile.ts';
import type { Disposable } from '../lifecycle.ts';

/**
 * The way to a gateway's port: an SSH tunnel, this computer's loopback, or a direct URL. One driver per gateway and
 * saved configuration. It never retries and never decides: the supervisor does. Every event carries the attempt it
 * belongs to, so that a late one can be dropped.
 */
export interface RouteDriver {
  open(attempt: number): void;
  /** Answers a question of this attempt (`route-needs-user`); the attempt goes on. A late answer is dropped. */
  answer(attempt: number, promptId: string, answer: PromptAnswer): void;
  /** Ends the SSH side of the attempt. A local listener stays. Idempotent. */
  close(): Promise<void>;
  /** No connection is wanted for now: gives back what the closed route still keeps, the local port above all. */
  rest(): void;
  /** Proves within `limitMs` that the far end is alive: `true` with the round trip, or `false`. */
  probe(limitMs: number): Promise<ProbeResult>;
  onEvent(listener: (event: RouteEvent) => void): Disposable;
  /** Ends everything, the listener and its process too. */
  dispose(): Promise<void>;
}

export interface ProbeResult {
  readonly alive: boolean;
  readonly latencyMs: number | null;
}

/** Facts of a route that is up, for people: what was negotiated and proved. */
export interface RouteFacts {
  /** Server identification, e.g. `OpenSSH_9.2p1 Debian-2`; null without SSH. */
  readonly server: string | null;
  readonly hostKeyFingerprint: string | null;
  readonly keyExchange: string | null;
  readonly cipher: string | null;
  /** Which credential was accepted: a key path, an agent key's comment, or a method. */
  readonly authenticatedWith: string | null;
  /** `SHA256:…` of the accepted public key, where it was one: offered first the next time. */
  readonly credentialFingerprint: string | null;
  readonly transport: SshTransport | null;
  /** Names of the jump hosts that it leads through, in order; `ProxyCommand` for a command. */
  readonly via: readonly string[];
}

export type RouteEvent =
  | {
      readonly type: 'route-stage';
      readonly attempt: number;
      readonly stage: ConnectStage;
      /** How long the driver itself gives this stage (ConnectTimeout of ssh_config); null: less than the guard. */
      readonly limitMs: number | null;
    }
  /** The attempt waits for `answer`, or for its close. */
  | { readonly type: 'route-needs-user'; readonly attempt: number; readonly prompt: UserPrompt }
  /** The question is over without an answer, and the attempt goes on (the security key was touched). */
  | { readonly type: 'route-question-over'; readonly attempt: number; readonly promptId: string }
  | {
      readonly type: 'route-up';
      readonly attempt: number;
      readonly endpoint: GatewayEndpoint;
      readonly facts: RouteFacts;
    }
  /** The attempt ended before it was up, or after: the route is gone. */
  | { readonly type: 'route-down'; readonly attempt: number; readonly failure: ConnectionFailure }
  /** The route stands but the gateway's port did not take the forward (gateway-not-listening, forwarding-disabled). */
  | { readonly type: 'forward-failed'; readonly attempt: number; readonly failure: ConnectionFailure }
  /** The far end gave a sign of life. Sent on measurement, at most once in three seconds. */
  | {
      readonly type: 'route-alive';
      readonly attempt: number;
      readonly latencyMs: number | null;
      readonly bytesReceived: number;
      readonly bytesSent: number;
    };

/** One gateway session over an open route: a fresh official client each time. Never retries by itself. */
export interface SessionDriver {
  open(attempt: number, endpoint: GatewayEndpoint): void;
  close(): Promise<void>;
  /** A cheap RPC with a limit. */
  probe(limitMs: number): Promise<ProbeResult>;
  onEvent(listener: (event: SessionEvent) => void): Disposable;
  dispose(): Promise<void>;
}

export interface SessionFacts {
  readonly gatewayVersion: string | null;
  readonly mainSessionKey: string;
  readonly scopes: readonly string[];
}

export type SessionEvent =
  | { readonly type: 'session-up'; readonly attempt: number; readonly facts: SessionFacts }
  /** Ended before or after hello-ok. */
  | { readonly type: 'session-down'; readonly attempt: number; readonly failure: ConnectionFailure }
  /** Any frame of the gateway's: proof that the whole way works. Sent at most once a second. */
  | { readonly type: 'session-alive'; readonly attempt: number; readonly latencyMs: number | null };
