import type { ConnectionFailure } from './connection-failure.ts';
import type { SshTransport } from './gateway-profile.ts';

/** The layers between this window and the agent, from the near end to the far end. */
export const LADDER_LAYERS = ['network', 'ssh', 'forward', 'gateway', 'channels'] as const;
export type LadderLayer = (typeof LADDER_LAYERS)[number];

export type RungVerdict = 'ok' | 'degraded' | 'failed' | 'checking' | 'unknown' | 'not-applicable';

/** The SSH session behind a rung, in its own words. */
export interface RungRoute {
  readonly transport: SshTransport | null;
  /** Names of the jump hosts, in order. */
  readonly via: readonly string[];
  /** The credential that the server accepted; null where it is not known. */
  readonly signedInWith: string | null;
}

/** One rung: what is known of a layer, and since when it is known. */
export interface LadderRung {
  readonly layer: LadderLayer;
  readonly verdict: RungVerdict;
  /** Epoch milliseconds of the observation behind the verdict; null while nothing was observed. */
  readonly observedAtMs: number | null;
  /** Round trip that was measured on this layer, in milliseconds. */
  readonly latencyMs: number | null;
  /** Why it is not ok, where a failure says so. */
  readonly failure: ConnectionFailure | null;
  /** Short fact in the gateway's or the system's own words (a version, a key type); not translated. */
  readonly note: string | null;
  /** Of the SSH rung while its session stands, else null. */
  readonly route: RungRoute | null;
}

/** Always all five, in the order of LADDER_LAYERS. */
export type Ladder = readonly LadderRung[];

export interface ChannelHealth {
  readonly id: string;
  readonly label: string;
  readonly state: 'ready' | 'degraded' | 'down' | 'not-configured' | 'unknown';
  readonly lastError: string | null;
}

/** What the gateway itself last said about its health (RPC `health`), with the age of the answer. */
export interface GatewayHealth {
  readonly observedAtMs: number;
  readonly gatewayVersion: string | null;
  readonly channels: readonly ChannelHealth[];
  readonly agents: readonly { readonly id: string; readonly name: string }[];
  readonly sessionCount: number | null;
  /** Runs that are active now, where the gateway says so. */
  readonly activeRuns: number | null;
  /** Approvals of commands and of plugins that wait for an answer. */
  readonly pendingApprovals: number | null;
  /** Questions of agents that wait for an answer. */
  readonly pendingQuestions: number | null;
}
