import { z } from 'zod';
import type { ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { ConnectStage, UserPrompt } from '../../../shared/connection-state.ts';
import type { RouteFacts } from '../connection/ports.ts';
import type { LogFields, LogLevel } from '../ports.ts';
import { opensshCommandSchema, proxyCommandSchema, sshHopSchema } from './ssh-hop.ts';

/**
 * The contract between main and a gateway's tunnel process (one utility process a gateway). Main commands, the process
 * reports. Both ends run in plain Node as well, where tests join them without a process between.
 */

/** Everything that an attempt needs to know. No secret: those are asked for when they are needed. */
export const tunnelConfigSchema = z.strictObject({
  transport: z.enum(['ssh2', 'openssh']),
  /** The last hop: whose loopback the gateway listens on. */
  target: sshHopSchema,
  /** ProxyJump: through which servers, in the order of connecting. */
  jumps: z.array(sshHopSchema).max(16),
  /** ProxyCommand of the first hop. */
  proxyCommand: proxyCommandSchema.nullable(),
  /** Null where there is no OpenSSH. */
  openssh: opensshCommandSchema.nullable(),
  /** The built-in SSH may hand over to OpenSSH within the attempt, where the server speaks no algorithm that it knows. */
  handOver: z.boolean(),
  /** `SHA256:…` of the public key that the target accepted last. */
  lastCredential: z.string().max(128).nullable(),
  /** Where the forward leads on the remote side. */
  forward: z.strictObject({ host: z.string().min(1).max(255), port: z.int().min(1).max(65535) }),
  /** Requested port of the listener on 127.0.0.1. */
  localPort: z.int().min(1).max(65535),
});
export type TunnelConfig = z.infer<typeof tunnelConfigSchema>;

const secret = z.string().max(4096);

/** PromptAnswer without `cancel`: whoever cancels closes the attempt. */
export const tunnelAnswerSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('trust-host-key'), fingerprint: z.string().max(128) }),
  z.strictObject({ type: z.literal('passphrase'), passphrase: secret }),
  z.strictObject({ type: z.literal('password'), password: secret }),
  z.strictObject({ type: z.literal('responses'), responses: z.array(secret).max(32) }),
  z.strictObject({ type: z.literal('confirm') }),
]);
export type TunnelAnswer = z.infer<typeof tunnelAnswerSchema>;

export const tunnelCommandSchema = z.discriminatedUnion('type', [
  /** Opens the listener if it is not open, then one SSH session. */
  z.strictObject({ type: z.literal('open'), attempt: z.int().nonnegative(), config: tunnelConfigSchema }),
  /** Answers the question of that id; the attempt goes on. */
  z.strictObject({
    type: z.literal('answer'),
    attempt: z.int().nonnegative(),
    promptId: z.string().max(128),
    answer: tunnelAnswerSchema,
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

/** The listener could not have the port that was asked for, and took another one. */
export interface PortMove {
  readonly from: number;
  readonly to: number;
  /** The program that holds it, as `name (process id)`, where the system tells. */
  readonly owner: string | null;
}

/** Reports come from our own process; main checks their type and attempt, not their every field. */
export type TunnelReport =
  | { readonly type: 'ready' }
  /** `moved` where it is not on the port that was asked for. */
  | { readonly type: 'listening'; readonly port: number; readonly moved: PortMove | null }
  | {
      readonly type: 'stage';
      readonly attempt: number;
      readonly stage: ConnectStage;
      /** As in `route-stage`. */
      readonly limitMs: number | null;
    }
  /** A question; the attempt waits for `answer` or `close`. */
  | { readonly type: 'needs-user'; readonly attempt: number; readonly prompt: UserPrompt }
  /** The question needs no answer any more. */
  | { readonly type: 'question-over'; readonly attempt: number; readonly promptId: string }
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
