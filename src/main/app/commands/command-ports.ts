import { failure, type ConnectionFailure, type KnownHostKey } from '../../../shared/connection-failure.ts';
import type { GatewayProfile } from '../../../shared/gateway-profile.ts';
import type { Translate } from '../../../shared/i18n/index.ts';
import type {
  CommandError,
  CommandHandlers,
  CommandsOf,
  ForGateway,
  GroupName,
} from '../../../shared/ipc-contract.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import type { SecretStore } from '../../core/ports.ts';
import { withProfile, type Settings } from '../../core/settings/schema.ts';
import type { AppModel } from '../app-model.ts';
import type { ChatSubscriptions } from '../chat-subscriptions.ts';
import type { ConnectionTests } from '../connection-tests.ts';
import type { GatewayRegistry, LiveGateway } from '../gateway-registry.ts';
import type { CommandContext, Desktop, SshConfig } from '../ports.ts';

/** What the commands of the contract are carried out with. */
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

/** What a handler resolves with. */
export type Answer<T> = Promise<Result<T, CommandError>>;
/** Of a command whose only outcome is that it was carried out. */
export const done = ok(null);

/** The handlers of one group of the contract. */
export type GroupHandlers<G extends GroupName> = Pick<CommandHandlers<CommandContext>, CommandsOf<G>>;

/** Runs what is for a gateway that exists; refuses otherwise. */
export async function withGateway<T>(
  { registry }: Pick<CommandPorts, 'registry'>,
  { gatewayId }: ForGateway,
  run: (gateway: LiveGateway) => Answer<T> | Result<T, CommandError>,
): Answer<T> {
  const gateway = registry.get(gatewayId);
  if (gateway === null) return err({ type: 'refused', reason: 'unknown-gateway' });
  return await run(gateway);
}

/** Keeps a gateway's profile in the settings. */
export function saveProfile({ settings }: Pick<CommandPorts, 'settings'>, profile: GatewayProfile): void {
  settings.update((current) => withProfile(current, profile));
}

/** Runs what takes secrets away, and says where the store did not let it. */
export async function forgetting(
  { secrets }: Pick<CommandPorts, 'secrets'>,
  forget: () => Promise<void>,
): Answer<null> {
  try {
    await forget();
    return done;
  } catch {
    const reason = failure('secrets-unavailable', { detail: secrets.backend });
    return err({ type: 'failure', failure: reason });
  }
}
