import type { DeviceAuthTokenRecord } from '@openclaw/gateway-client';
import { z } from 'zod';
import type { Logger, SecretStore } from '../../core/ports.ts';
import { secretNames } from '../../core/secret-names.ts';

const storedSchema = z.strictObject({
  version: z.literal(1),
  /** The device that the token was issued to: with a new identity the old token is worthless. */
  deviceId: z.string().max(128),
  token: z.string().min(1).max(8192),
  scopes: z.array(z.string().max(128)).max(64),
});

/**
 * Device tokens that one gateway issued to this device, by role. The official client asks for them synchronously, the
 * keychain answers asynchronously: they are loaded before a connection opens, and changes are written behind, in order.
 */
export class DeviceTokens {
  readonly #gatewayId: string;
  readonly #secrets: SecretStore;
  readonly #logger: Logger;
  readonly #loaded = new Map<string, { readonly deviceId: string; readonly record: DeviceAuthTokenRecord }>();
  #writes: Promise<void> = Promise.resolve();

  constructor(gatewayId: string, secrets: SecretStore, logger: Logger) {
    this.#gatewayId = gatewayId;
    this.#secrets = secrets;
    this.#logger = logger;
  }

  /** Reads the role's token from the keychain, so that `get` can answer at once. */
  async load(role: string): Promise<void> {
    await this.#writes;
    this.#loaded.delete(role);
    const text = await this.#secrets.get(secretNames.deviceToken(this.#gatewayId, role));
    if (text === null) return;
    try {
      const { deviceId, token, scopes } = storedSchema.parse(JSON.parse(text));
      this.#loaded.set(role, { deviceId, record: { token, scopes } });
    } catch {
      this.#logger.log('warn', 'device-token.unreadable', { gatewayId: this.#gatewayId });
    }
  }

  get(deviceId: string, role: string): DeviceAuthTokenRecord | null {
    const loaded = this.#loaded.get(role);
    return loaded?.deviceId === deviceId ? loaded.record : null;
  }

  store(deviceId: string, role: string, token: string, scopes: readonly string[]): void {
    const before = this.#loaded.get(role);
    this.#loaded.set(role, { deviceId, record: { token, scopes: [...scopes] } });
    // Every hello repeats the token: the keychain is written only when something changed.
    if (
      before?.deviceId === deviceId &&
      before.record.token === token &&
      sameScopes(before.record.scopes, scopes)
    )
      return;
    const text = JSON.stringify({ version: 1, deviceId, token, scopes });
    void this.#write('device-token.stored', () =>
      this.#secrets.set(secretNames.deviceToken(this.#gatewayId, role), text),
    );
  }

  clear(role: string): void {
    void this.forget(role);
  }

  /** `clear` for whoever must know that it is gone: rejects when the keychain does not let go of it. */
  forget(role: string): Promise<void> {
    this.#loaded.delete(role);
    return this.#write('device-token.cleared', () =>
      this.#secrets.delete(secretNames.deviceToken(this.#gatewayId, role)),
    );
  }

  /** Resolves when everything that was changed is stored, or could not be; never rejects. */
  flush(): Promise<void> {
    return this.#writes;
  }

  #write(event: string, change: () => Promise<void>): Promise<void> {
    const gatewayId = this.#gatewayId;
    const written = this.#writes.then(change);
    this.#writes = written.then(
      () => this.#logger.log('info', event, { gatewayId }),
      () => this.#logger.log('error', 'device-token.unwritable', { gatewayId }),
    );
    return written;
  }
}

function sameScopes(left: readonly string[] | undefined, right: readonly string[]): boolean {
  return left?.length === right.length && left.every((scope) => right.includes(scope));
}
