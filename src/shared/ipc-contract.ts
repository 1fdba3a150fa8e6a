import type { AppSnapshot, Preferences } from './app-snapshot.ts';
import type { ChatPatch, ChatSession, ChatSnapshot } from './chat.ts';
import type { ConnectionFailure } from './connection-failure.ts';
import type { ConnectStage, PromptAnswer, PromptType } from './connection-state.ts';
import type { GatewayMode, SshTransportChoice } from './gateway-profile.ts';
import type { Approval, ApprovalDecision, InboxOutcome, QuestionAnswers } from './inbox.ts';
import type { Result } from './result.ts';
import type { SlashCommand } from './slash-commands.ts';
import type { HostSuggestion, SshResolution } from './ssh-resolution.ts';

/**
 * The one contract between main and renderer. Handlers (main), `window.gangway` (preload), channel names and
 * the test double are derived from this value. Secrets may go in; none comes out.
 */

export type WindowKind = 'settings' | 'chat' | 'inbox' | 'health';

/** What the connection form holds. Secrets: a string replaces, null leaves the stored one, '' removes it. */
export interface GatewayDraft {
  readonly gatewayId: string;
  readonly name: string;
  readonly mode: GatewayMode;
  readonly sshTarget: string;
  readonly gatewayPort: number;
  readonly localPort: number;
  readonly identityFile: string;
  readonly sshTransport: SshTransportChoice;
  readonly directUrl: string;
  readonly localGatewayPort: number;
  readonly token: string | null;
  readonly password: string | null;
}

export type DraftField = Exclude<keyof GatewayDraft, 'gatewayId' | 'mode'>;

/** Why a field was not accepted; the words are in i18n under `fieldErrors`. */
export type FieldErrorCode =
  | 'required'
  | 'port-range'
  | 'target-invalid'
  | 'too-long'
  | 'url-invalid'
  | 'url-insecure'
  | 'control-characters';

export type SaveError =
  | { readonly type: 'fields'; readonly fields: Readonly<Partial<Record<DraftField, FieldErrorCode>>> }
  | { readonly type: 'failure'; readonly failure: ConnectionFailure };

/** What decides where a form's SSH target leads. */
export interface SshTargetQuestion {
  readonly gatewayId: string;
  readonly sshTarget: string;
  readonly identityFile: string;
  readonly sshTransport: SshTransportChoice;
}

export type RemoveHostKeysError =
  /** What was typed is not the host's name. */
  | { readonly type: 'name-differs' }
  /** No changed host key stands in the way (any more). */
  | { readonly type: 'nothing-to-remove' }
  | { readonly type: 'failure'; readonly failure: ConnectionFailure };

/** Steps of "Test connection", in the order in which they run. */
export type TestStep = 'settings' | Exclude<ConnectStage, 'awaiting-agent'> | 'health';

export interface TestProgress {
  readonly testId: string;
  readonly steps: readonly {
    readonly step: TestStep;
    readonly status: 'pending' | 'running' | 'passed' | 'failed' | 'skipped' | 'needs-user';
    readonly durationMs: number | null;
  }[];
  readonly outcome:
    | { readonly type: 'running' }
    | { readonly type: 'passed' }
    | { readonly type: 'failed'; readonly failure: ConnectionFailure }
    /** It would connect, but asks the person something first (an unknown host key, a passphrase). */
    | { readonly type: 'needs-user'; readonly reason: PromptType; readonly detail: string }
    | { readonly type: 'cancelled' };
}

/** Refusals of commands, beyond what a command's own result says. */
export type CommandError =
  | {
      readonly type: 'refused';
      readonly reason: 'sender' | 'payload' | 'unknown-gateway' | 'unknown-session';
    }
  | { readonly type: 'failure'; readonly failure: ConnectionFailure }
  | { readonly type: 'bug'; readonly detail: string };

interface Command<In, Out> {
  readonly kind: 'command';
  readonly types?: { readonly in: In; readonly out: Out };
}
interface Event<Payload> {
  readonly kind: 'event';
  readonly types?: Payload;
}
function command<In, Out>(): Command<In, Out> {
  return { kind: 'command' };
}
function event<Payload>(): Event<Payload> {
  return { kind: 'event' };
}

export interface ForGateway {
  readonly gatewayId: string;
}
export interface ForSession extends ForGateway {
  readonly sessionKey: string;
}

export const ipcContract = {
  app: {
    getSnapshot: command<null, AppSnapshot>(),
    openWindow: command<{ readonly window: WindowKind; readonly gatewayId: string | null }, null>(),
    /** Opens https and mailto links in the system's browser; everything else is refused. */
    openExternal: command<{ readonly url: string }, null>(),
    copyText: command<{ readonly text: string }, null>(),
    setPreferences: command<Preferences, null>(),
    showLog: command<null, null>(),
    /** `key`: as `noticeKey` gives it. */
    dismissNotice: command<{ readonly key: string }, null>(),
    snapshot: event<AppSnapshot>(),
  },
  settings: {
    /** Validates and saves; nothing is saved when a field is wrong. */
    save: command<GatewayDraft, Result<null, SaveError>>(),
    saveAndConnect: command<GatewayDraft, Result<null, SaveError>>(),
    /** Native file dialog for an identity file; null when the person cancelled. */
    chooseIdentityFile: command<ForGateway, { readonly path: string | null }>(),
    /** What the SSH configuration makes of the form's target; nothing is connected. */
    resolveTarget: command<SshTargetQuestion, Result<SshResolution, ConnectionFailure>>(),
    /** Hosts of the user's SSH configuration, in the order of the files. */
    suggestHosts: command<null, readonly HostSuggestion[]>(),
    /** Starts a test of a form that need not be saved; progress comes as `testProgress`. */
    testConnection: command<GatewayDraft, Result<{ readonly testId: string }, SaveError>>(),
    cancelTest: command<{ readonly testId: string }, null>(),
    testProgress: event<TestProgress>(),
    /** Forgets the passphrases and passwords that were given for SSH, in the keychain and in this run. */
    forgetSshSecrets: command<ForGateway, null>(),
  },
  connection: {
    connect: command<ForGateway, null>(),
    disconnect: command<ForGateway, null>(),
    pause: command<ForGateway, null>(),
    resume: command<ForGateway, null>(),
    reconnectNow: command<ForGateway, null>(),
    answerPrompt: command<ForGateway & { readonly promptId: string; readonly answer: PromptAnswer }, null>(),
    /** Shows a question that came while nobody was there: asks it anew, in an attempt that waits for the answer. */
    attend: command<ForGateway, null>(),
    /**
     * Takes the host keys of a `host-key-changed` failure out of known_hosts and connects, so that the new key can be
     * verified. Only with the host's name typed by hand.
     */
    removeHostKeys: command<ForGateway & { readonly typedHost: string }, Result<null, RemoveHostKeysError>>(),
    /** Takes the free port that a `port-taken` failure offered, remembers it and connects. */
    usePort: command<ForGateway & { readonly port: number }, null>(),
    /** Forgets the device token of a gateway that no longer accepts it, and connects anew. */
    forgetDeviceToken: command<ForGateway, null>(),
    refreshHealth: command<ForGateway, null>(),
  },
  chat: {
    /** Opens a session's conversation and subscribes this window to its patches. */
    open: command<ForSession, ChatSnapshot>(),
    close: command<ForSession, null>(),
    listSessions: command<ForGateway, readonly ChatSession[]>(),
    /** What the gateway takes as commands in this session. */
    listCommands: command<ForSession, readonly SlashCommand[]>(),
    /** What was begun in this session and not sent; '' when nothing was. It survives the app. */
    readDraft: command<ForSession, { readonly text: string }>(),
    /** Keeps what was begun; '' forgets it. */
    writeDraft: command<ForSession & { readonly text: string }, null>(),
    /** Accepted means: the message is on disk; its fate shows as the delivery of its row. A draft of the same text goes. */
    send: command<ForSession & { readonly messageId: string; readonly text: string }, null>(),
    stop: command<ForSession, null>(),
    retry: command<ForSession & { readonly messageId: string }, null>(),
    discard: command<ForSession & { readonly messageId: string }, null>(),
    loadOlder: command<ForSession, null>(),
    patch: event<ChatPatch>(),
  },
  inbox: {
    /** Decides an approval that waits; only what it offers. */
    decide: command<
      ForGateway & {
        readonly type: Approval['type'];
        readonly id: string;
        readonly decision: ApprovalDecision;
      },
      InboxOutcome
    >(),
    answer: command<ForGateway & { readonly id: string; readonly answers: QuestionAnswers }, InboxOutcome>(),
    /** Tells the agent that a question gets no answer. */
    dismiss: command<ForGateway & { readonly id: string }, InboxOutcome>(),
  },
} as const;

type Contract = typeof ipcContract;
export type GroupName = keyof Contract;

type CommandKeys<G> = { [K in keyof G]: G[K] extends { kind: 'command' } ? K : never }[keyof G];
type EventKeys<G> = { [K in keyof G]: G[K] extends { kind: 'event' } ? K : never }[keyof G];
type InOf<C> = C extends Command<infer In, unknown> ? In : never;
type OutOf<C> = C extends { readonly types?: { readonly out: infer Out } } ? Out : never;
type PayloadOf<E> = E extends Event<infer P> ? P : never;

/** `group.name` of every command. */
export type CommandName = {
  [G in GroupName]: `${G}.${CommandKeys<Contract[G]> & string}`;
}[GroupName];
export type EventName = {
  [G in GroupName]: `${G}.${EventKeys<Contract[G]> & string}`;
}[GroupName];

/** `group.name` of the commands of one group. */
export type CommandsOf<G extends GroupName> = Extract<CommandName, `${G}.${string}`>;

type Member<N extends string> = N extends `${infer G}.${infer K}`
  ? G extends GroupName
    ? K extends keyof Contract[G]
      ? Contract[G][K]
      : never
    : never
  : never;

export type InputOf<N extends CommandName> = InOf<Member<N>>;
export type OutputOf<N extends CommandName> = OutOf<Member<N>>;
export type EventPayloadOf<N extends EventName> = PayloadOf<Member<N>>;

/** What preload exposes as `window.gangway`: `gangway.chat.send(input)`, `gangway.chat.onPatch(fn)`. */
export type GangwayApi = {
  readonly [G in GroupName]: {
    readonly [K in CommandKeys<Contract[G]> & string]: (
      input: InOf<Contract[G][K]>,
    ) => Promise<Result<OutOf<Contract[G][K]>, CommandError>>;
  } & {
    readonly [K in EventKeys<Contract[G]> & string as `on${Capitalize<K>}`]: (
      listener: (payload: PayloadOf<Contract[G][K]>) => void,
    ) => () => void;
  };
};

/** What main must implement: every command. */
export type CommandHandlers<Context> = {
  readonly [N in CommandName]: (
    input: InputOf<N>,
    context: Context,
  ) => Promise<Result<OutputOf<N>, CommandError>>;
};

/** The wire name of a command or an event. */
export function channelName(name: CommandName | EventName): string {
  return `gangway:${name}`;
}

export function commandNames(): readonly CommandName[] {
  return membersOfKind('command') as CommandName[];
}
export function eventNames(): readonly EventName[] {
  return membersOfKind('event') as EventName[];
}
function membersOfKind(kind: 'command' | 'event'): string[] {
  return Object.entries(ipcContract).flatMap(([group, members]) =>
    Object.entries(members)
      .filter(([, member]) => (member as { kind: string }).kind === kind)
      .map(([name]) => `${group}.${name}`),
  );
}
