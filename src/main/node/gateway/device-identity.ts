import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { DeviceIdentity } from '@openclaw/gateway-client';
import { z } from 'zod';
import type { AppNotice } from '../../../shared/app-snapshot.ts';
import { Emitter } from '../../core/emitter.ts';
import type { Disposable } from '../../core/lifecycle.ts';
import type { Logger, SecretStore } from '../../core/ports.ts';
import { secretNames } from '../../core/secret-names.ts';

const storedSchema = z.strictObject({
  version: z.literal(1),
  privateKeyPem: z.string().max(4096),
});

/** Length of a raw Ed25519 public key; the SPKI form is a fixed prefix and these bytes (RFC 8410). */
const RAW_KEY_BYTES = 32;

/**
 * The key pair by which gateways know this installation. It is made once, stored before it is first shown to a
 * gateway, and shared by all gateways of the app: whoever asks first makes it, everyone else waits for the same one.
 * One that had to be made while there was no keychain is for the meantime: once there is one, what that holds counts.
 */
export class DeviceIdentityStore {
  readonly #secrets: SecretStore;
  readonly #logger: Logger;
  readonly #replaced = new Emitter<null>();
  #loading: Promise<DeviceIdentity> | null = null;
  /** In PEM, while it is in no keychain. */
  #meantimeKey: string | null = null;
  #wasReplaced = false;

  constructor(secrets: SecretStore, logger: Logger) {
    this.#secrets = secrets;
    this.#logger = logger;
  }

  /** What the person must know: that gateways may ask to pair again. */
  get notices(): readonly AppNotice[] {
    return this.#wasReplaced ? [{ type: 'device-identity-replaced' }] : [];
  }

  /** The notices are others. */
  onChange(listener: () => void): Disposable {
    return this.#replaced.on(() => listener());
  }

  dismissNotice(type: string): void {
    if (type === 'device-identity-replaced') this.#wasReplaced = false;
  }

  /** Rejects when the keychain neither gives nor takes it; the next call tries again. */
  load(): Promise<DeviceIdentity> {
    if (this.#meantimeKey !== null && this.#secrets.persistence === 'keychain') this.#loading = null;
    const loading = (this.#loading ??= this.#loadOrCreate());
    loading.catch(() => {
      if (this.#loading === loading) this.#loading = null;
    });
    return loading;
  }

  async #loadOrCreate(): Promise<DeviceIdentity> {
    const stored = await this.#secrets.get(secretNames.deviceIdentity);
    if (stored !== null) {
      const identity = parseIdentity(stored);
      if (identity) {
        this.#meantimeKey = null;
        return identity;
      }
      this.#logger.log('error', 'device-identity.unreadable');
      await this.#secrets.set(secretNames.replacedDeviceIdentity, stored);
    }
    const privateKeyPem = this.#meantimeKey ?? newPrivateKeyPem();
    const isPersistent = this.#secrets.persistence === 'keychain';
    if (isPersistent)
      await this.#secrets.set(secretNames.deviceIdentity, JSON.stringify({ version: 1, privateKeyPem }));
    this.#meantimeKey = isPersistent ? null : privateKeyPem;
    this.#logger.log('info', 'device-identity.created', { persistent: isPersistent });
    if (stored !== null) {
      this.#wasReplaced = true;
      this.#replaced.emit(null);
    }
    return identityOf(privateKeyPem);
  }
}

function newPrivateKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

function parseIdentity(text: string): DeviceIdentity | null {
  try {
    return identityOf(storedSchema.parse(JSON.parse(text)).privateKeyPem);
  } catch {
    return null;
  }
}

function identityOf(privateKeyPem: string): DeviceIdentity {
  const privateKey = createPrivateKey(privateKeyPem);
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('Not an Ed25519 key');
  const publicKeyPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string;
  return { deviceId: deviceIdOf(publicKeyPem), privateKeyPem, publicKeyPem };
}

/** The gateway derives the same id: SHA-256 of the raw public key, in hex; anything else is a DEVICE_ID_MISMATCH. */
function deviceIdOf(publicKeyPem: string): string {
  return createHash('sha256').update(rawPublicKey(publicKeyPem)).digest('hex');
}

function rawPublicKey(publicKeyPem: string): Buffer {
  return createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' }).subarray(-RAW_KEY_BYTES);
}

/** Signs a device auth payload (gateway protocol, auth): Ed25519, base64url. */
export function signDevicePayload(privateKeyPem: string, payload: string): string {
  return sign(null, Buffer.from(payload, 'utf8'), privateKeyPem).toString('base64url');
}

/** The raw public key in base64url, as `connect.params.device.publicKey` wants it. */
export function publicKeyRawBase64Url(publicKeyPem: string): string {
  return rawPublicKey(publicKeyPem).toString('base64url');
}
