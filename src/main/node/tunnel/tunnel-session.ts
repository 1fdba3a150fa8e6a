import type { Duplex } from 'node:stream';
import type { ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { ConnectStage, UserPrompt } from '../../../shared/connection-state.ts';
import type { Result } from '../../../shared/result.ts';
import type { ProbeResult, RouteFacts } from '../../core/connection/ports.ts';
import type { Disposable } from '../../core/lifecycle.ts';
import type { Clock, LogFields, LogLevel } from '../../core/ports.ts';
import type { TunnelAnswer } from '../../core/tunnel/tunnel-protocol.ts';
import type { LoginMemory } from '../ssh/login-history.ts';
import type { KeyRing } from '../ssh/ssh-keys.ts';

/** A UserPrompt before it has its id. */
export type Question = UserPrompt extends infer P ? (P extends UserPrompt ? Omit<P, 'id'> : never) : never;
export type HostKeyQuestion = Extract<Question, { type: 'host-key' }>;

/**
 * One attempt at one SSH connection to the target (with all its jumps), and that connection once it stands. Never reused,
 * never reconnected. There is one implementation a transport.
 */
export interface TunnelSession extends Disposable {
  /** Logged in, and not over. */
  readonly isReady: boolean;
  /** Bytes of the SSH connection in both directions, as far as the transport knows them. */
  readonly traffic: { readonly bytesReceived: number; readonly bytesSent: number };
  /** Opens a channel to the gateway's port on the remote side. The caller owns the channel. */
  openForward(originPort: number): Promise<Result<Duplex, ConnectionFailure>>;
  /** Asks the far end for a sign of life within the limit. */
  probe(limitMs: number): Promise<ProbeResult>;
  /** Ends it in order, or at once where there is no order to keep. */
  close(): void;
}

export interface TunnelSessionEvents {
  /** `limitMs`: how long this stage may take, where that is longer than usual; null otherwise. */
  onStage(stage: ConnectStage, limitMs: number | null): void;
  /**
   * Asks the person. Null when the session ended meanwhile, or after `withdraw` aborted: the question is gone then. While
   * it waits the session keeps no limit of its own.
   */
  ask(question: Question, withdraw?: AbortSignal): Promise<TunnelAnswer | null>;
  onReady(facts: RouteFacts): void;
  /** A sign of life, once in three seconds; the round trip where it was measured. */
  onAlive(latencyMs: number | null): void;
  /** The session is over, or never came to be: exactly once, and nothing after it. */
  onEnd(end: TunnelSessionEnd): void;
  log(level: LogLevel, event: string, fields: LogFields): void;
}

export type TunnelSessionEnd =
  | { readonly type: 'failed'; readonly failure: ConnectionFailure }
  /** A host key that nobody has trusted yet. The host asks, and begins anew with that key among the trusted ones. */
  | { readonly type: 'untrusted'; readonly question: HostKeyQuestion }
  /** `close` was called. */
  | { readonly type: 'closed' };

export interface TunnelSessionDeps {
  readonly clock: Clock;
  /** Opened private keys of this process. */
  readonly keyRing: KeyRing;
  /** Which keys servers accepted and refused in this process, so that the next attempt begins with the right ones. */
  readonly loginMemory?: LoginMemory;
  /** Host keys that the person trusted in this attempt and that may not be in known_hosts yet. */
  readonly trusted: readonly TrustedKey[];
}

export interface TrustedKey {
  /** As asked: name and port of the host-key question. */
  readonly host: string;
  readonly port: number;
  /** `SHA256:…` */
  readonly fingerprint: string;
}
