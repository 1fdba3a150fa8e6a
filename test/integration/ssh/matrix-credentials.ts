import { createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import {
  createKeyPair,
  reformatKey,
  type KeyPair,
  type KeyPairOptions,
  type KeyType,
} from '../../support/lab/keys.ts';
import type { Lab } from '../../support/lab/lab.ts';
import { findProgram } from '../../support/lab/programs.ts';

export interface KeyKind {
  readonly name: string;
  readonly type: KeyType;
  readonly bits?: number;
}

export const KEY_KINDS: readonly KeyKind[] = [
  { name: 'Ed25519', type: 'ed25519' },
  { name: 'ECDSA 256', type: 'ecdsa', bits: 256 },
  { name: 'ECDSA 384', type: 'ecdsa', bits: 384 },
  { name: 'ECDSA 521', type: 'ecdsa', bits: 521 },
  { name: 'RSA 2048', type: 'rsa', bits: 2048 },
  { name: 'RSA 3072', type: 'rsa', bits: 3072 },
  { name: 'RSA 4096', type: 'rsa', bits: 4096 },
];

export type KeyFormat = NonNullable<KeyPairOptions['format']>;

export const KEY_FORMATS: readonly { readonly name: string; readonly format: KeyFormat }[] = [
  { name: 'OpenSSH', format: 'openssh' },
  { name: 'PEM', format: 'pem' },
  { name: 'PKCS#8', format: 'pkcs8' },
  { name: 'PuTTY 3', format: 'ppk' },
  { name: 'PuTTY 2', format: 'ppk2' },
];

export const PASSPHRASE = 'weigh anchor 7';

/** One key of every kind, and its files in every format; all of them are accepted by every server of the matrix. */
export class MatrixCredentials {
  readonly keys: ReadonlyMap<string, KeyPair>;
  readonly #dir: string;
  readonly #lab: Lab;
  readonly #agents = new Map<string, Promise<string>>();
  #number = 0;

  constructor(lab: Lab) {
    this.#lab = lab;
    this.#dir = lab.folder('keys');
    this.keys = new Map(
      KEY_KINDS.map(({ name, type, bits }) => [
        name,
        createKeyPair({ type, comment: name.replace(' ', '-'), ...(bits === undefined ? {} : { bits }) }),
      ]),
    );
  }

  get all(): readonly KeyPair[] {
    return [...this.keys.values()];
  }

  key(kind: string): KeyPair {
    const key = this.keys.get(kind);
    if (key === undefined) throw new Error(`There is no key ${kind}.`);
    return key;
  }

  /** Path of a new private key file, with its `.pub` beside it. */
  file(kind: string, format: KeyFormat = 'openssh', isEncrypted = false): string {
    return this.write(reformat(this.key(kind), format, isEncrypted));
  }

  write(key: Pick<KeyPair, 'privateKey' | 'publicKey'>, certificate?: string): string {
    this.#number += 1;
    const dir = join(this.#dir, String(this.#number));
    mkdirSync(dir, { mode: 0o700 });
    const path = join(dir, 'id_test');
    writeFileSync(path, key.privateKey, { mode: 0o600 });
    writeFileSync(`${path}.pub`, `${key.publicKey}\n`);
    if (certificate !== undefined) writeFileSync(`${path}-cert.pub`, `${certificate}\n`);
    return path;
  }

  /** Path of a file that holds the public key alone: a selector of the agent's keys. */
  selector(key: Pick<KeyPair, 'publicKey'>): string {
    this.#number += 1;
    const path = join(this.#dir, `selector${this.#number}.pub`);
    writeFileSync(path, `${key.publicKey}\n`);
    return path;
  }

  /** Socket of an agent that holds this key alone. */
  agent(kind: string): Promise<string> {
    const started =
      this.#agents.get(kind) ??
      this.#lab.startSshAgent({ keys: [this.key(kind)] }).then((agent) => agent.socket);
    this.#agents.set(kind, started);
    return started;
  }
}

function reformat(
  key: KeyPair,
  format: KeyFormat,
  isEncrypted: boolean,
): Pick<KeyPair, 'privateKey' | 'publicKey'> {
  const passphrase = isEncrypted ? PASSPHRASE : '';
  if (key.type !== 'ed25519' || format !== 'pkcs8') return reformatKey(key, { format, passphrase });
  // ssh-keygen 9.2 has no PKCS#8 of Ed25519 (RFC 8410); OpenSSL, and so Node, has.
  const parsed = ssh2.utils.parseKey(key.privateKey);
  if (parsed instanceof Error) throw parsed;
  const pem = createPrivateKey(parsed.getPrivatePEM()).export({
    type: 'pkcs8',
    format: 'pem',
    ...(isEncrypted ? { cipher: 'aes-256-cbc', passphrase } : {}),
  });
  return { ...key, privateKey: String(pem) };
}

/** Why this format cannot be made here, or does not exist; null when it can. */
export function formatUnavailable(kind: string, format: KeyFormat): string | null {
  if (format.startsWith('ppk') && findProgram('puttygen') === null)
    return 'puttygen (putty-tools) is not installed';
  if (kind === 'Ed25519' && format === 'pem') return 'there is no such format';
  return null;
}
