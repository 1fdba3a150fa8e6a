import type { AppSnapshot, GatewaySnapshot } from '../../../src/shared/app-snapshot.ts';
import type { ChatMeta, ChatPatch, ChatRow, ChatSnapshot } from '../../../src/shared/chat.ts';
import { emptyProfile } from '../../../src/shared/gateway-profile.ts';
import { LADDER_LAYERS, type Ladder } from '../../../src/shared/health.ts';
import {
  commandNames,
  eventNames,
  type CommandError,
  type CommandName,
  type EventName,
  type EventPayloadOf,
  type GangwayApi,
  type InputOf,
  type OutputOf,
} from '../../../src/shared/ipc-contract.ts';
import { ok, type Result } from '../../../src/shared/result.ts';
import type { SshResolution } from '../../../src/shared/ssh-resolution.ts';

/**
 * A scripted `window.gangway`, derived from the contract: it records every command, answers as told, and lets a test
 * push what main would push. For tests and the preview of the screens only.
 */
export interface FakeGangway {
  readonly api: GangwayApi;
  /** Every command in order, with its input. */
  readonly calls: readonly { readonly name: CommandName; readonly input: unknown }[];
  readonly callsOf: <N extends CommandName>(name: N) => readonly InputOf<N>[];
  readonly answer: <N extends CommandName>(
    name: N,
    handler: (
      input: InputOf<N>,
    ) => Result<OutputOf<N>, CommandError> | Promise<Result<OutputOf<N>, CommandError>>,
  ) => void;
  readonly push: <N extends EventName>(name: N, payload: EventPayloadOf<N>) => void;
  readonly listenerCount: (name: EventName) => number;
}

type AnyHandler = (input: unknown) => unknown;
type AnyListener = (payload: unknown) => void;

export function createFakeGangway(snapshot: AppSnapshot): FakeGangway {
  const calls: { name: CommandName; input: unknown }[] = [];
  const handlers = new Map<CommandName, AnyHandler>();
  const listeners = new Map<EventName, Set<AnyListener>>(eventNames().map((name) => [name, new Set()]));
  const api: Record<string, Record<string, unknown>> = {};

  const groupOf = (name: string): readonly [Record<string, unknown>, string] => {
    const [group = '', member = ''] = name.split('.');
    const members = api[group] ?? {};
    api[group] = members;
    return [members, member];
  };
  for (const name of commandNames()) {
    const [group, member] = groupOf(name);
    group[member] = async (input: unknown): Promise<unknown> => {
      calls.push({ name, input });
      const handler = handlers.get(name);
      return handler === undefined ? ok(null) : await handler(input);
    };
  }
  for (const name of eventNames()) {
    const [group, member] = groupOf(name);
    group[`on${member.charAt(0).toUpperCase()}${member.slice(1)}`] = (listener: AnyListener) => {
      listeners.get(name)?.add(listener);
      return () => listeners.get(name)?.delete(listener);
    };
  }

  const fake: FakeGangway = {
    api: api as unknown as GangwayApi,
    calls,
    callsOf: <N extends CommandName>(name: N) =>
      calls.filter((call) => call.name === name).map((call) => call.input as InputOf<N>),
    answer(name, handler) {
      handlers.set(name, handler as AnyHandler);
    },
    push(name, payload) {
      for (const listener of listeners.get(name) ?? []) listener(payload);
    },
    listenerCount: (name) => listeners.get(name)?.size ?? 0,
  };
  fake.answer('app.getSnapshot', () => ok(snapshot));
  fake.answer('settings.save', () => ok(ok(null)));
  fake.answer('settings.saveAndConnect', () => ok(ok(null)));
  fake.answer('settings.testConnection', () => ok(ok({ testId: 'test-1' })));
  fake.answer('settings.chooseIdentityFile', () => ok({ path: '/home/ada/.ssh/id_ed25519' }));
  fake.answer('settings.suggestHosts', () => ok([]));
  fake.answer('settings.resolveTarget', () => ok(ok(aResolution())));
  fake.answer('connection.removeHostKeys', () => ok(ok(null)));
  fake.answer('chat.open', (session) => ok(aConversation(session)));
  fake.answer('chat.listSessions', () => ok([]));
  fake.answer('chat.listCommands', () => ok([]));
  const drafts = new Map<string, string>();
  fake.answer('chat.readDraft', ({ sessionKey }) => ok({ text: drafts.get(sessionKey) ?? '' }));
  fake.answer('chat.writeDraft', ({ sessionKey, text }) => {
    drafts.set(sessionKey, text);
    return ok(null);
  });
  return fake;
}

export const GATEWAY_ID = 'homelab';
export const SESSION_KEY = 'agent:main:main';

export function aGateway(changes: Partial<GatewaySnapshot> = {}): GatewaySnapshot {
  const profile = emptyProfile(GATEWAY_ID);
  return {
    profile: { ...profile, wanted: 'connected', ssh: { ...profile.ssh, target: 'ada@homelab' } },
    connection: {
      status: 'connected',
      generation: 1,
      endpoint: { url: 'ws://127.0.0.1:18789', localPort: 18789 },
      sinceAtMs: Date.now() - 3 * 3_600_000,
    },
    ladder: aLadder({}),
    health: null,
    secrets: {
      local: { token: false, password: false },
      ssh: { token: true, password: false },
      direct: { token: false, password: false },
    },
    hasSshSecrets: false,
    mainSessionKey: SESSION_KEY,
    sessions: [{ key: SESSION_KEY, title: 'Main', updatedAtMs: null, active: false }],
    inbox: [],
    inboxFacts: { total: changes.inbox?.length ?? 0, isKnown: true, missingScopes: [] },
    restartNeeded: false,
    ...changes,
  };
}

export function aLadder(changes: Partial<Record<Ladder[number]['layer'], Partial<Ladder[number]>>>): Ladder {
  return LADDER_LAYERS.map((layer) => ({
    layer,
    verdict: 'ok',
    observedAtMs: Date.now() - 3000,
    latencyMs: null,
    failure: null,
    note: null,
    route: null,
    ...changes[layer],
  }));
}

export function aSnapshot(changes: Partial<AppSnapshot> = {}): AppSnapshot {
  return {
    revision: 1,
    appVersion: '0.1.0',
    platform: 'linux',
    language: 'en',
    preferences: { theme: 'system', language: 'system' },
    gateways: [aGateway()],
    primaryGatewayId: GATEWAY_ID,
    notices: [],
    secretPersistence: 'keychain',
    ...changes,
  };
}

export function aResolution(changes: Partial<SshResolution> = {}): SshResolution {
  return {
    host: 'homelab.example',
    port: 22,
    user: 'ada',
    hostKeyAlias: null,
    identityFiles: [{ path: '~/.ssh/id_ed25519', exists: true }],
    agent: null,
    jumps: [],
    proxyCommand: null,
    transport: 'ssh2',
    reasons: [],
    notHonoured: [],
    source: 'openssh',
    ...changes,
  };
}

export const LOADED: ChatMeta = { load: 'loaded', loadFailure: null, activeRun: null, hasMore: false };

export function aConversation(changes: Partial<ChatSnapshot> = {}): ChatSnapshot {
  return { gatewayId: GATEWAY_ID, sessionKey: SESSION_KEY, revision: 1, rows: [], meta: LOADED, ...changes };
}

export function aRow(id: string, text: string, changes: Partial<ChatRow> = {}): ChatRow {
  return {
    id,
    role: 'user',
    parts: [{ type: 'text', text }],
    createdAtMs: Date.UTC(2026, 10, 23, 9, 41),
    delivery: null,
    failure: null,
    streaming: false,
    stopped: false,
    ...changes,
  };
}

export function aPatch(changes: Partial<ChatPatch> = {}): ChatPatch {
  return {
    gatewayId: GATEWAY_ID,
    sessionKey: SESSION_KEY,
    baseRevision: 1,
    revision: 2,
    upserts: [],
    order: null,
    meta: LOADED,
    ...changes,
  };
}
