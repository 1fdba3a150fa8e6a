import { safeStorage } from 'electron';
import { readFileSync, renameSync } from 'node:fs';
import { z } from 'zod';
import { Emitter } from '../core/emitter.ts';
import { type Disposable, DisposableStore } from '../core/lifecycle.ts';
import type { Clock, Logger, SecretStore } from '../core/ports.ts';
import { writeFileAtomic } from '../node/atomic-file.ts';
import type { Redactor } from '../node/redact.ts';

const fileSchema = z.strictObject({
  version: z.literal(1),
  /** Ciphertexts in base64, by name. */
  entries: z.record(z.string().max(256), z.base64().max(64 * 1024)),
});

/** Backends of Electron on Linux that protect nothing: a hard-coded password, or none chosen. */
const WORTHLESS_BACKENDS = new Set(['basic_text', 'unknown']);

export interface SecretStoreOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly redactor: Redactor;
}

/** A keychain that is locked asks the person to unlock it: they get this long, and windows do not wait for it. */
const READY_LIMIT_MS = 30_000;
const READY_POLL_MS = 50;

/**
 * Secrets encrypted by the system's keychain, their ciphertexts in a file of their own. Where the system has none that
 * deserves the name, secrets live in memory only and are gone after the run; plain text is never written.
 * Must be made when the app is ready.
 */
export class SystemSecretStore implements SecretStore, Disposable {
  readonly backend =
    process.platform === 'linux' ? safeStorage.getSelectedStorageBackend() : process.platform;
  readonly #options: SecretStoreOptions;
  readonly #memory = new Map<string, string>();
  readonly #changes = new Emitter<null>();
  readonly #store = new DisposableStore();
  readonly #ready: Promise<boolean>;
  #ciphertexts = new Map<string, string>();
  #persistence: SecretStore['persistence'] = 'keychain';
  /** Encryption takes a turn of the loop: changes are applied one after the other, so that the last one wins. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: SecretStoreOptions) {
    this.#options = options;
    this.#store.add(this.#changes);
    this.#ready = this.#start();
  }

  /** Supposed to be the keychain until it turned out not to answer. */
  get persistence(): SecretStore['persistence'] {
    return this.#persistence;
  }

  /** The persistence turned out to be another. */
  onChange(listener: () => void): Disposable {
    return this.#changes.on(() => listener());
  }

  get(name: string): Promise<string | null> {
    return this.#enqueue(async () => {
      const known = this.#memory.get(name);
      const ciphertext = this.#ciphertexts.get(name);
      if (known !== undefined || ciphertext === undefined || !(await this.#ready)) return known ?? null;
      const decrypted = await safeStorage.decryptStringAsync(Buffer.from(ciphertext, 'base64'));
      this.#options.redactor.addSecret(decrypted.result);
      this.#memory.set(name, decrypted.result);
      if (decrypted.shouldReEncrypt) await this.#renew(name, decrypted.result);
      return decrypted.result;
    });
  }

  set(name: string, value: string): Promise<void> {
    this.#options.redactor.addSecret(value);
    return this.#enqueue(async () => {
      if (await this.#ready) await this.#encrypt(name, value);
      this.#memory.set(name, value);
    });
  }

  delete(name: string): Promise<void> {
    return this.#enqueue(async () => {
      this.#memory.delete(name);
      if (!(await this.#ready) || !this.#ciphertexts.delete(name)) return;
      this.#write();
    });
  }

  has(name: string): boolean {
    return this.#memory.has(name) || (this.#persistence === 'keychain' && this.#ciphertexts.has(name));
  }

  dispose(): void {
    this.#store.dispose();
  }

  async #start(): Promise<boolean> {
    const available =
      !WORTHLESS_BACKENDS.has(this.backend) && this.#read() && (await this.#waitForKeychain());
    if (!available) {
      this.#persistence = 'memory';
      this.#changes.emit(null);
    }
    this.#options.logger.log('info', 'secrets.opened', { backend: this.backend, persistent: available });
    return available;
  }

  /** Electron 42 says "no" until its first answer has started the keychain, and crashes on encrypting before. */
  async #waitForKeychain(): Promise<boolean> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + READY_LIMIT_MS;
    while (clock.monotonicMs() < untilMs && !this.#store.isDisposed) {
      try {
        if (await safeStorage.isAsyncEncryptionAvailable()) return true;
      } catch {
        return false;
      }
      await new Promise<void>((resolve) => this.#store.add(clock.setTimer(READY_POLL_MS, resolve)));
    }
    return false;
  }

  /** False when the file is there and cannot be read: what is typed now must not replace it. */
  #read(): boolean {
    try {
      this.#ciphertexts = readCiphertexts(this.#options);
      return true;
    } catch (error) {
      const code = String((error as NodeJS.ErrnoException).code);
      this.#options.logger.log('error', 'secrets.unreadable', { code });
      return false;
    }
  }

  /** A disk that refuses the new ciphertext is no reason not to use what the old one held. */
  async #renew(name: string, value: string): Promise<void> {
    try {
      await this.#encrypt(name, value);
    } catch (error) {
      const code = String((error as NodeJS.ErrnoException).code);
      this.#options.logger.log('warn', 'secrets.not-renewed', { code });
    }
  }

  async #encrypt(name: string, value: string): Promise<void> {
    const ciphertext = await safeStorage.encryptStringAsync(value);
    this.#ciphertexts.set(name, ciphertext.toString('base64'));
    this.#write();
  }

  #write(): void {
    const content = { version: 1, entries: Object.fromEntries(this.#ciphertexts) };
    writeFileAtomic(this.#options.path, `${JSON.stringify(content, null, 2)}\n`);
  }

  #enqueue<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(step);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}

/** A file that is not understood is put aside, so that a later write does not destroy it. */
function readCiphertexts({ path, logger, clock }: SecretStoreOptions): Map<string, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  try {
    return new Map(Object.entries(fileSchema.parse(JSON.parse(text)).entries));
  } catch {
    const aside = `${path}.bad-${new Date(clock.nowMs()).toISOString().replaceAll(/[:.]/g, '-')}`;
    renameSync(path, aside);
    logger.log('error', 'secrets.quarantined', { path: aside });
    return new Map();
  }
}
