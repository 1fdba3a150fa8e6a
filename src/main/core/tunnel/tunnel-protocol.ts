import { z } from 'zod';
import type { ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { ConnectStage, UserPrompt } from '../../../shared/connection-state.ts';
import type { RouteFacts } from '../connection/ports.ts';
import type { LogFields, LogLevel } from '../ports.ts';

/**
 * The contract between main and a gateway's tunnel process (one utility process a gateway). Main commands, the process
 * reports. Both ends run in plain Node as well, where tests join them without a process between.
 */

/** Everything that an attempt needs to know. No secret, but for a passphrase that the person has just typed. */
export const tunnelConfigSchema = z.strictObject({
  target: z.strictObject({
    /** As the person typed it: the identity that known_hosts and messages go by. */
    original: z.string().max(1024),
    host: z.string().min(1).max(255),
    port: z.int().min(1).max(65535),
    user: z.string().min(1).max(255),
  }),
  /** Where the forward leads on the remote side. */
  forward: z.strictObject({ host: z.string().min(1).max(255), port: z.int().min(1).max(65535) }),
  /** Requested port of the listener on 127.0.0.1. */
  localPort: z.int().min(1).max(65535),
  identityFiles: z.array(z.string().max(4096)).max(32),
  /** True when the person named the identity file: then nothing else is offered first, and its absence is an error. */
  identityFileIsExplicit: z.boolean(),
  /** Value of SSH_AUTH_SOCK or a Windows pipe; null without an agent. */
  agentSocket: z.string().max(4096).nullable(),
  knownHostsFiles: z.strictObject({
    /** The first is written to. */
    user: z.array(z.string().max(4096)).min(1).max(8),
    global: z.array(z.string().max(4096)).max(8),
  }),
});
export type TunnelConfig = z.infer<typeof tunnelConfigSchema>;

export const tunnelCommandSchema = z.discriminatedUnion('type', [
  /** Opens the listener if it is not open, then one SSH session. */
  z.strictObject({
    type: z.literal('open'),
    attempt: z.int().nonnegative(),
    config: tunnelConfigSchema,
    trustedFingerprint: z.string().max(128).nullable(),
    passphrase: z
      .strictObject({ keyPath: z.string().max(4096), passphrase: z.string().max(4096) })
      .nullable(),
  }),
  /** Ends the SSH session; the listener stays. */
  z.strictObject({ type: z.literal('close'), attempt: z.int().nonnegative() }),
  z.strictObject({
    type: z.literal('probe'),
    probeId: z.int().nonnegative(),
    limitMs: z.int().min(1).max(60_000),
  }),
  /** Ends everything and lets the process exit. */
  z.strictObject({ type: z.literal('shutdown') }),
]);
export type TunnelCommand = z.infer<typeof tunnelCommandSchema>;

/** Reports come from our own process; main checks their type and attempt, not their every field. */
export type TunnelReport =
  | { readonly type: 'ready' }
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'stage'; readonly attempt: number; readonly stage: ConnectStage }
  | { readonly type: 'needs-user'; readonly attempt: number; readonly prompt: UserPrompt }
  | { readonly type: 'up'; readonly attempt: number; readonly localPort: number; readonly facts: RouteFacts }
  | { readonly type: 'down'; readonly attempt: number; readonly failure: ConnectionFailure }
  | { readonly type: 'forward-failed'; readonly attempt: number; readonly failure: ConnectionFailure }
  | {
      readonly type: 'alive';
      readonly attempt: number;
      readonly latencyMs: number | null;
      readonly bytesReceived: number;
      readonly bytesSent: number;
    }
  | { readonly type: 'closed'; readonly attempt: number }
  | {
      readonly type: 'probed';
      readonly probeId: number;
      readonly alive: boolean;
      readonly latencyMs: number | null;
    }
  | { readonly type: 'log'; readonly level: LogLevel; readonly event: string; readonly fields: LogFields };

/** A two-way message channel to a tunnel process, whatever carries it. */
export interface TunnelChannel {
  post(command: TunnelCommand): void;
  onReport(listener: (report: TunnelReport) => void): { dispose(): void };
  /** The process ended; `code` is null when it was killed. */
  onExit(listener: (code: number | null) => void): { dispose(): void };
  /** Ends the process now. */
  kill(): void;
}
