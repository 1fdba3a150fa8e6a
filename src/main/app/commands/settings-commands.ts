import { failure } from '../../../shared/connection-failure.ts';
import { validateDraft } from '../../../shared/draft-validation.ts';
import type { GatewayDraft, SaveError } from '../../../shared/ipc-contract.ts';
import { profileOfDraft } from '../../../shared/profile-of-draft.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import { isSameGateway } from '../../core/connection/connection-target.ts';
import type { SecretStore } from '../../core/ports.ts';
import { secretNames } from '../../core/secret-names.ts';
import {
  done,
  forgetting,
  saveProfile,
  withGateway,
  type Answer,
  type CommandPorts,
  type GroupHandlers,
} from './command-ports.ts';

/** What the commands of `settings` do. */
export function createSettingsCommands(ports: CommandPorts): GroupHandlers<'settings'> {
  const { secrets, tests, desktop, model } = ports;

  /** Saves a form: first the secrets, so that a profile never claims a connection whose token was lost. */
  async function save(draft: GatewayDraft, connect: boolean): Answer<Result<null, SaveError>> {
    return withGateway<Result<null, SaveError>>(ports, draft, async (gateway) => {
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
      saveProfile(ports, saved);
      gateway.connection.setProfile(saved, secretsChanged);
      if (connect) gateway.connection.connect();
      model.invalidate();
      return ok(done);
    });
  }

  return {
    'settings.save': (draft) => save(draft, false),
    'settings.saveAndConnect': (draft) => save(draft, true),
    'settings.chooseIdentityFile': (input, { windowId }) =>
      withGateway(ports, input, async () => {
        const title = ports.translate()('tray.chooseIdentityFile');
        return ok({ path: await desktop.chooseFile({ title, startDir: ports.sshDir, windowId }) });
      }),
    'settings.resolveTarget': (input) =>
      withGateway(ports, input, async ({ connection }) => {
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
      withGateway<Result<{ readonly testId: string }, SaveError>>(ports, draft, async (gateway) => {
        const fields = validateDraft(draft);
        if (Object.keys(fields).length > 0) return ok(err({ type: 'fields', fields }));
        for (const typed of [draft.token, draft.password]) if (typed !== null) ports.noteSecret(typed);
        const saved = gateway.connection.profile;
        const tested = profileOfDraft(saved, draft);
        const testId = await tests.start(tested, { ...draft, isElsewhere: !isSameGateway(saved, tested) });
        return ok(ok({ testId }));
      }),
    'settings.forgetSshSecrets': (input) =>
      withGateway(ports, input, ({ connection }) => forgetting(ports, () => connection.forgetSshSecrets())),
    'settings.cancelTest': ({ testId }) => {
      tests.cancel(testId);
      return Promise.resolve(done);
    },
  };
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
