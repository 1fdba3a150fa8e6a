import { failure, type ConnectionFailure, type KnownHostKey } from '../../shared/connection-failure.ts';
import { connectionFailureOf, type PromptAnswer } from '../../shared/connection-state.ts';
import { validateDraft } from '../../shared/draft-validation.ts';
import type { GatewayProfile } from '../../shared/gateway-profile.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import type {
  CommandError,
  CommandHandlers,
  ForGateway,
  GatewayDraft,
  RemoveHostKeysError,
  SaveError,
} from '../../shared/ipc-contract.ts';
import { err, ok, type Result } from '../../shared/result.ts';
import { profileOfDraft } from '../../shared/profile-of-draft.ts';
import { isSameGateway } from '../core/connection/connection-target.ts';
import type { SecretStore } from '../core/ports.ts';
import { secretNames } from '../core/secret-names.ts';
import { withProfile, type Settings } from '../core/settings/schema.ts';
import type { AppModel } from './app-model.ts';
import type { ChatSubscriptions } from './chat-subscriptions.ts';
import type { ConnectionTests } from './connection-tests.ts';
import type { GatewayRegistry, LiveGateway } from './gateway-registry.ts';
import type { CommandContext, Desktop, SshConfig } from './ports.ts';

export interface CommandPorts {
  readonly model: AppModel;
  readonly settings: {
    readonly current: Settings;
    update(change: (settings: Settings) => Settings): void;
  };
  readonly registry: GatewayRegistry;
  readonly secrets: SecretStore;
  readonly chats: ChatSubscriptions;
  readonly tests: ConnectionTests;
  readonly desktop: Desktop;
  readonly sshDir: string;
  readonly sshConfig: SshConfig;
  /** Takes lines out of known_hosts files; each must still hold what is named. */
  readonly removeHostKeys: (keys: readonly KnownHostKey[]) => Promise<Result<void, ConnectionFailure>>;
  readonly translate: () => Translate;
  dismissNotice(key: string): void;
  /** What was just typed must not show in any log, also where it is not stored. */
  noteSecret(value: string): void;
}

type Answer<T> = Promise<Result<T, CommandError>>;
const done = ok(null);

/** What every command of the contract does. Inputs have passed the validators; nothing here knows of Electron. */
export function createCommandHandlers(ports: CommandPorts): CommandHandlers<CommandContext> {
  const { settings, registry, secrets, chats, tests, desktop, model } = ports;

  async function withGateway<T>(
    { gatewayId }: ForGateway,
    run: (gateway: LiveGateway) => Answer<T> | Result<T, CommandError>,
  ): Answer<T> {
    const gateway = registry.get(gatewayId);
    if (gateway === null) return err({ type: 'refused', reason: 'unknown-gateway' });
    return await run(gateway);
  }

  function saveProfile(profile: GatewayProfile): void {
    settings.update((current) => withProfile(current, profile));
  }

  function setWanted(gateway: LiveGateway, wanted: GatewayProfile['wanted']): void {
    const { profile } = gateway.connection;
    if (profile.wanted === wanted) return;
    const changed = { ...profile, wanted };
    saveProfile(changed);
    gateway.connection.setProfile(changed, false);
  }

  /** Saves a form: first the secrets, so that a profile never claims a connection whose token was lost. */
  async function save(draft: GatewayDraft, connect: boolean): Answer<Result<null, SaveError>> {
    return withGateway<Result<null, SaveError>>(draft, async (gateway) => {
      const fields = validateDraft(draft);
      if (Object.keys(fields).length > 0) return ok(err({ type: 'fields', fields }));
      let secretsChanged: boolean;
      try {
        const { gatewayId, mode, token, password } = draft;
        const tokenChanged = await storeSecret(secrets, secretNames.token(gatewayId, mode), token);
        const passwordChanged = await storeSecret(secrets, secretNames.password(gatewayId, mode), password);
        secretsChanged = tokenChanged || passwordChanged;
      } catch {
        return ok(
          err({ type: 'failure', failure: failure('secrets-unavailable', { detail: secrets.backend }) }),
        );
      }
      const profile = profileOfDraft(gateway.connection.profile, draft);
      const saved = connect ? { ...profile, wanted: 'connected' as const } : profile;
      saveProfile(saved);
      gateway.connection.setProfile(saved, secretsChanged);
      if (connect) gateway.connection.connect();
      model.invalidate();
      return ok(done);
    });
  }

  async function forgetting(forget: () => Promise<void>): Answer<null> {
    try {
      await forget();
      return done;
    } catch {
      const reason = failure('secrets-unavailable', { detail: secrets.backend });
      return err({ type: 'failure', failure: reason });
    }
  }

  return {
    'app.getSnapshot': () => Promise.resolve(ok(model.current())),
    'app.openWindow': ({ window, gatewayId }) => {
      const id = gatewayId ?? settings.current.primaryGatewayId;
      return withGateway({ gatewayId: id }, () => {
        desktop.openWindow(window, id);
        return done;
      });
    },
    'app.openExternal': async ({ url }, { windowId }) => {
      const opened = await desktop.openExternal(url, windowId);
      return opened.ok ? done : err({ type: 'refused', reason: 'payload' });
    },
    'app.copyText': ({ text }) => {
      desktop.copyText(text);
      return Promise.resolve(done);
    },
    'app.setPreferences': (preferences) => {
      settings.update((current) => ({ ...current, preferences: { ...current.preferences, ...preferences } }));
      return Promise.resolve(done);
    },
    'app.showLog': () => {
      desktop.showLog();
      return Promise.resolve(done);
    },
    'app.dismissNotice': ({ key }) => {
      ports.dismissNotice(key);
      return Promise.resolve(done);
    },

    'settings.save': (draft) => save(draft, false),
    'settings.saveAndConnect': (draft) => save(draft, true),
    'settings.chooseIdentityFile': (input, { windowId }) =>
      withGateway(input, async () => {
        const title = ports.translate()('tray.chooseIdentityFile');
        return ok({ path: await desktop.chooseFile({ title, startDir: ports.sshDir, windowId }) });
      }),
    'settings.resolveTarget': (input) =>
      withGateway(input, async ({ connection }) => {
        const { sshTarget, identityFile, sshTransport } = input;
        const { ssh } = connection.profile;
        return ok(
          await ports.sshConfig.describe({
            ...ssh,
            target: sshTarget,
            identityFile,
            transport: sshTransport,
          }),
        );
      }),
    'settings.suggestHosts': async () => ok(await ports.sshConfig.suggestHosts()),
    'settings.testConnection': (draft) =>
      withGateway<Result<{ readonly testId: string }, SaveError>>(draft, async (gateway) => {
        const fields = validateDraft(draft);
        if (Object.keys(fields).length > 0) return ok(err({ type: 'fields', fields }));
        for (const typed of [draft.token, draft.password]) if (typed !== null) ports.noteSecret(typed);
        const saved = gateway.connection.profile;
        const tested = profileOfDraft(saved, draft);
        const testId = await tests.start(tested, { ...draft, isElsewhere: !isSameGateway(saved, tested) });
        return ok(ok({ testId }));
      }),
    'settings.forgetSshSecrets': (input) =>
      withGateway(input, ({ connection }) => forgetting(() => connection.forgetSshSecrets())),
    'settings.cancelTest': ({ testId }) => {
      tests.cancel(testId);
      return Promise.resolve(done);
    },

    'connection.connect': (input) =>
      withGateway(input, (gateway) => {
        setWanted(gateway, 'connected');
        gateway.connection.connect();
        return done;
      }),
    'connection.disconnect': (input) =>
      withGateway(input, (gateway) => {
        gateway.connection.disconnect();
        setWanted(gateway, 'off');
        return done;
      }),
    'connection.pause': (input) =>
      withGateway(input, (gateway) => {
        gateway.connection.pause();
        setWanted(gateway, 'off');
        return done;
      }),
    'connection.resume': (input) =>
      withGateway(input, (gateway) => {
        setWanted(gateway, 'connected');
        gateway.connection.resume();
        return done;
      }),
    'connection.reconnectNow': (input) =>
      withGateway(input, (gateway) => {
        setWanted(gateway, 'connected');
        gateway.connection.reconnectNow();
        return done;
      }),
    'connection.answerPrompt': (input) =>
      withGateway(input, ({ connection }) => {
        for (const typed of secretsOf(input.answer)) ports.noteSecret(typed);
        connection.answerPrompt(input.promptId, input.answer);
        return done;
      }),
    'connection.attend': (input) =>
      withGateway(input, ({ connection }) => {
        connection.attend();
        return done;
      }),
    'connection.removeHostKeys': (input) =>
      withGateway<Result<null, RemoveHostKeysError>>(input, async ({ connection }) => {
        const reason = connectionFailureOf(connection.snapshot().connection);
        if (reason?.code !== 'host-key-changed') return ok(err({ type: 'nothing-to-remove' }));
        if (input.typedHost.trim() !== reason.facts.host) return ok(err({ type: 'name-differs' }));
        const removed = await ports.removeHostKeys(reason.facts.known);
        if (!removed.ok) return ok(err({ type: 'failure', failure: removed.error }));
        connection.reconnectNow();
        return ok(done);
      }),
    'connection.usePort': (input) =>
      withGateway(input, ({ connection }) => {
        const { profile } = connection;
        const changed = {
          ...profile,
          wanted: 'connected' as const,
          ssh: { ...profile.ssh, localPort: input.port },
        };
        saveProfile(changed);
        connection.setProfile(changed, false);
        connection.connect();
        return done;
      }),
    'connection.forgetDeviceToken': (input) =>
      withGateway(input, async ({ connection }) => {
        const forgotten = await forgetting(() => connection.forgetDeviceToken());
        if (forgotten.ok) connection.reconnectNow();
        return forgotten;
      }),
    'connection.refreshHealth': (input) =>
      withGateway(input, ({ connection }) => {
        connection.refreshHealth();
        return done;
      }),

    'chat.open': (input, { windowId }) =>
      withGateway(input, async ({ chat }) => {
        // Subscribed first: a patch between the answer and the subscription would be lost.
        chats.add(windowId, input.gatewayId, input.sessionKey, chat);
        const opened = await chat.open(input.sessionKey);
        if (!opened.ok) chats.remove(windowId, input.gatewayId, input.sessionKey);
        return opened;
      }),
    'chat.close': (input, { windowId }) =>
      withGateway(input, () => {
        chats.remove(windowId, input.gatewayId, input.sessionKey);
        return done;
      }),
    'chat.listSessions': (input) => withGateway(input, ({ chat }) => chat.listSessions()),
    'chat.readDraft': (input) => withGateway(input, ({ chat }) => chat.readDraft(input.sessionKey)),
    'chat.writeDraft': (input) =>
      withGateway(input, ({ chat }) => chat.writeDraft(input.sessionKey, input.text)),
    'chat.send': (input) =>
      withGateway(input, ({ chat }) => chat.send(input.sessionKey, input.messageId, input.text)),
    'chat.stop': (input) => withGateway(input, ({ chat }) => chat.stop(input.sessionKey)),
    'chat.retry': (input) => withGateway(input, ({ chat }) => chat.retry(input.sessionKey, input.messageId)),
    'chat.discard': (input) =>
      withGateway(input, ({ chat }) => chat.discard(input.sessionKey, input.messageId)),
    'chat.loadOlder': (input) => withGateway(input, ({ chat }) => chat.loadOlder(input.sessionKey)),
  };
}

/** What must not show in any log. */
function secretsOf(answer: PromptAnswer): readonly string[] {
  switch (answer.type) {
    case 'passphrase':
      return [answer.passphrase];
    case 'password':
      return [answer.password];
    case 'responses':
      return answer.responses;
    case 'trust-host-key':
    case 'confirm':
    case 'cancel':
      return [];
  }
}

/** Null leaves the stored one, '' removes it, anything else replaces it. True when something changed. */
async function storeSecret(secrets: SecretStore, name: string, typed: string | null): Promise<boolean> {
  if (typed === null) return false;
  if (typed === '') {
    if (!secrets.has(name)) return false;
    await secrets.delete(name);
    return true;
  }
  // What the keychain cannot read any more is replaced as well: else nobody could ever type it again.
  const stored = await secrets.get(name).catch(() => null);
  if (stored === typed) return false;
  await secrets.set(name, typed);
  return true;
}
