/**
 * What an agent may not do, or cannot know, without the person: approvals of commands and of plugins' actions, and
 * questions (OpenClaw docs: gateway protocol, approval families). Everything in it was written by a model or a plugin and is
 * shown as text, never run or rendered.
 */

export type ApprovalDecision = 'allow-once' | 'allow-always' | 'deny';

interface Waiting {
  readonly id: string;
  readonly agentId: string | null;
  /** Conversation that it came from, where the gateway says so. */
  readonly sessionKey: string | null;
  /** Epoch milliseconds of the gateway's clock. */
  readonly createdAtMs: number | null;
  readonly expiresAtMs: number | null;
}

export interface ExecApproval extends Waiting {
  readonly type: 'exec-approval';
  /** The whole command as the gateway shows it; what looks like a secret in it is blanked there (`***`). */
  readonly command: string;
  readonly cwd: string | null;
  /** Where it would run: `gateway`, `sandbox` or `node`. */
  readonly host: string | null;
  readonly nodeId: string | null;
  /** The program that its first word means, where the gateway found it. */
  readonly program: string | null;
  /** Names of the environment variables that are set for it. */
  readonly environment: readonly string[];
  /** What the gateway warns of. */
  readonly warnings: readonly string[];
  /** Who gets what, where the command sends, pays or publishes. */
  readonly scope: ApprovalScope | null;
  readonly decisions: readonly ApprovalDecision[];
}

export interface PluginApproval extends Waiting {
  readonly type: 'plugin-approval';
  readonly title: string;
  readonly description: string;
  readonly detail: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly pluginId: string | null;
  readonly toolName: string | null;
  readonly scope: ApprovalScope | null;
  readonly decisions: readonly ApprovalDecision[];
}

export type ApprovalScope =
  | {
      readonly kind: 'message-send';
      readonly target: string;
      readonly recipientCount: number;
      /** The first of them, where the gateway names them. */
      readonly recipients: readonly string[];
      readonly isExternal: boolean;
    }
  | { readonly kind: 'payment'; readonly amount: string; readonly currency: string; readonly target: string }
  | { readonly kind: 'external-post'; readonly target: string; readonly isPublic: boolean }
  | {
      readonly kind: 'standing-grant';
      readonly automation: string;
      readonly command: string;
      /** Null where it does not end. */
      readonly expiresInDays: number | null;
    }
  /** It has an effect that this version does not know, so it cannot be shown and not be allowed. */
  | { readonly kind: 'unknown' };

export interface AgentQuestion extends Waiting {
  readonly type: 'question';
  /** Empty where they cannot be shown: then they can only be declined here. */
  readonly questions: readonly {
    readonly questionId: string;
    readonly header: string;
    readonly text: string;
    readonly options: readonly { readonly label: string; readonly description: string }[];
    readonly isMultiSelect: boolean;
    /** An answer of one's own is taken as well. */
    readonly takesOther: boolean;
    readonly isSecret: boolean;
    /** Where the gateway keeps the answer to a secret question; null where the answer goes to the agent. */
    readonly secretStore: SecretStoreBinding | null;
  }[];
}

/** The gateway's secret store takes the answer (QuestionSecretStoreBinding). */
export interface SecretStoreBinding {
  readonly name: string;
  readonly kind: 'secret' | 'env';
  /** Hosts that may be sent it; empty: the gateway names none. */
  readonly allowedHosts: readonly string[];
  readonly reason: string;
  /** It takes the place of one that is there. */
  readonly replaces: boolean;
}

export type Approval = ExecApproval | PluginApproval;
export type InboxItem = Approval | AgentQuestion;
export type InboxItemType = InboxItem['type'];

/** Answers by `questionId`; more than one only where the question takes several. */
export type QuestionAnswers = Readonly<Record<string, readonly string[]>>;

/** What became of an answer. */
export type InboxOutcome =
  | { readonly type: 'applied' }
  /** Another client, or time, was faster: what counts is that decision, and ours changed nothing. */
  | {
      readonly type: 'over';
      readonly how: 'allowed' | 'denied' | 'expired' | 'cancelled' | 'answered' | null;
    }
  /** It no longer waits, and the gateway says why ours was not taken, or not whole. */
  | { readonly type: 'gone'; readonly detail: string };

/** What is known of the whole inbox beside its items. */
export interface InboxFacts {
  /** All that wait, shown or not. */
  readonly total: number;
  /** False until the gateway has told of everything that this device may know. */
  readonly isKnown: boolean;
  /** Scopes that were not granted: what they are for is not told to this device. */
  readonly missingScopes: readonly string[];
}

/** Names one item among those of a gateway. */
export function inboxKey({ type, id }: Pick<InboxItem, 'type' | 'id'>): string {
  return `${type}/${id}`;
}
