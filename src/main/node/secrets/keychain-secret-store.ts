import type { AppNotice } from '../../../shared/app-snapshot.ts';
import { Emitter } from '../../core/emitter.ts';
import { type Disposable, DisposableStore, MutableDisposable } from '../../core/lifecycle.ts';
import type { Clock, Logger, SecretStore } from '../../core/ports.ts';
import type { Redactor } from '../redact.ts';
import { keepSecretsAside, readSecretsFile, writeSecretsFile } from './secrets-file.ts';

/** The system's keychain, as far as secrets need it: a key of ours that only this user's session can use. */
export interface Keychain {
  /** Its name for people, e.g. `gnome_libsecret`. */
  readonly backend: string;
  /**
   * `ready`: it encrypts. `opening`: it has not said yet, perhaps because it asks the person to unlock it. `refused`: it
   * is locked or not there. `worthless`: this system has none that protects anything.
   */
  look(): Promise<'ready' | 'opening' | 'refused' | 'worthless'>;
  encrypt(text: string): Promise<Buffer>;
  /** Rejects where the ciphertext is not of its key. */
  decrypt(ciphertext: Buffer): Promise<{ readonly result: string; readonly shouldReEncrypt: boolean }>;
}

export interface KeychainSecretStoreOptions {
  readonly path: string;
  readonly keychain: Keychain;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly redactor: Pick<Redactor, 'addSecret'>;
}

/** A keychain that is locked asks the person to unlock it: they get this long, and windows do not wait for it. */
const READY_LIMIT_MS = 30_000;
const READY_POLL_MS = 50;
/** A look takes a millisecond: after the limit often enough to be noticed, too seldom to cost anything. */
const LATE_POLL_MS = 15_000;

/**
 * Secrets encrypted by the system's keychain, their ciphertexts in a file of their own. While there is no keychain that
 * deserves the name, secrets live in memory only; plain text is never written. A keychain that is unlocked later is used
 * from then on, and takes what was set meanwhile.
 */
export class KeychainSecretStore implements SecretStore, Disposable {
  readonly backend: string;
  readonly #options: KeychainSecretStoreOptions;
  readonly #memory = new Map<string, string>();
  /** Deleted while there was no keychain: to be deleted from the file as well. */
  readonly #deleted = new Set<string>();
  readonly #notices = new Map<AppNotice['type'], AppNotice>();
  readonly #changes = new Emitter<null>();
  readonly #store = new DisposableStore();
  readonly #timer = new MutableDisposable<Disposable>();
  readonly #decided: Promise<void>;
  #ciphertexts: ReadonlyMap<string, string> = new Map();
  #isFileRead = false;
  #persistence: SecretStore['persistence'] = 'keychain';
  /** Encryption takes a turn of the loop: changes are applied one after the other, so that the last one wins. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: KeychainSecretStoreOptions) {
    this.#options = options;
    this.backend = options.keychain.backend;
    this.#store.add(this.#changes);
    this.#store.add(this.#timer);
    this.#readFile();
    this.#decided = this.#start();
  }

  /** Supposed to be the keychain until it turned out not to answer. */
  get persistence(): SecretStore['persistence'] {
    return this.#persistence;
  }

  /** What the person must know; one of a kind. */
  get notices(): readonly AppNotice[] {
    return [...this.#notices.values()];
  }

  /** The persistence or the notices turned out to be others. */
  onChange(listener: () => void): Disposable {
    return this.#changes.on(() => listener());
  }

  dismissNotice(type: string): void {
    if (this.#notices.delete(type as AppNotice['type'])) this.#changes.emit(null);
  }

  get(name: string): Promise<string | null> {
    return this.#enqueue(async () => {
      const known = this.#memory.get(name);
      if (known !== undefined) return known;
      await this.#decided;
      const ciphertext = this.#ciphertexts.get(name);
      if (ciphertext === undefined || this.#persistence === 'memory') return null;
      return this.#decrypt(name, Buffer.from(ciphertext, 'base64'));
    });
  }

  set(name: string, value: string): Promise<void> {
    this.#options.redactor.addSecret(value);
    return this.#enqueue(async () => {
      await this.#decided;
      if (this.#persistence === 'keychain') await this.#encrypt(name, value);
      this.#memory.set(name, value);
      this.#deleted.delete(name);
    });
  }

  delete(name: string): Promise<void> {
    return this.#enqueue(async () => {
      await this.#decided;
      if (this.#persistence === 'memory') this.#deleted.add(name);
      else if (this.#ciphertexts.has(name)) this.#write(without(this.#ciphertexts, name));
      this.#memory.delete(name);
    });
  }

  has(name: string): boolean {
    return this.#memory.has(name) || (this.#persistence === 'keychain' && this.#ciphertexts.has(name));
  }

  dispose(): void {
    this.#store.dispose();
  }

  async #start(): Promise<void> {
    const { clock, logger } = this.#options;
    const untilMs = clock.monotonicMs() + READY_LIMIT_MS;
    let seen = await this.#look();
    while (seen === 'opening' && clock.monotonicMs() < untilMs && !this.#store.isDisposed) {
      await new Promise<void>((resolve) => this.#store.add(clock.setTimer(READY_POLL_MS, resolve)));
      seen = await this.#look();
    }
    if (seen !== 'ready') {
      this.#persistence = 'memory';
      if (!this.#notices.has('secrets-unreadable'))
        this.#notices.set('secrets-in-memory', { type: 'secrets-in-memory', backend: this.backend });
      if (seen !== 'worthless') this.#lookLater();
    }
    this.#changes.emit(null);
    logger.log('info', 'secrets.opened', { backend: this.backend, persistent: seen === 'ready' });
  }

  /** Ready only with the file read: what is typed now must not replace what could not be read. */
  async #look(): ReturnType<Keychain['look']> {
    try {
      const seen = await this.#options.keychain.look();
      return seen === 'ready' && !this.#readFile() ? 'refused' : seen;
    } catch {
      return 'refused';
    }
  }

  #lookLater(): void {
    if (this.#store.isDisposed) return;
    this.#timer.set(
      this.#options.clock.setTimer(LATE_POLL_MS, () => void this.#enqueue(() => this.#lookAgain())),
    );
  }

  async #lookAgain(): Promise<void> {
    const { logger } = this.#options;
    if ((await this.#look()) !== 'ready' || this.#store.isDisposed) {
      this.#lookLater();
      return;
    }
    try {
      // What was set meanwhile is newer than what the file holds.
      const entries = new Map(this.#ciphertexts);
      for (const name of this.#deleted) entries.delete(name);
      for (const [name, value] of this.#memory) entries.set(name, await this.#ciphertextOf(value));
      if (this.#deleted.size + this.#memory.size > 0) this.#write(entries);
    } catch (error) {
      logger.log('warn', 'secrets.not-taken-over', { code: codeOf(error) });
      this.#lookLater();
      return;
    }
    this.#deleted.clear();
    this.#persistence = 'keychain';
    this.#notices.delete('secrets-in-memory');
    logger.log('info', 'secrets.opened-late', { backend: this.backend });
    this.#changes.emit(null);
  }

  /** False when the file is there and cannot be read. */
  #readFile(): boolean {
    if (this.#isFileRead) return true;
    const { path, clock, logger } = this.#options;
    try {
      const { entries, putAsideAs } = readSecretsFile(path, clock.nowMs());
      this.#isFileRead = true;
      this.#ciphertexts = entries;
      this.#notices.delete('secrets-unreadable');
      if (putAsideAs !== null) this.#noteQuarantine(putAsideAs);
      return true;
    } catch (error) {
      const detail = codeOf(error);
      logger.log('error', 'secrets.unreadable', { code: detail });
      this.#notices.set('secrets-unreadable', { type: 'secrets-unreadable', path, detail });
      return false;
    }
  }

  async #decrypt(name: string, ciphertext: Buffer): Promise<string | null> {
    const { keychain, redactor } = this.#options;
    let decrypted: Awaited<ReturnType<Keychain['decrypt']>>;
    try {
      decrypted = await keychain.decrypt(ciphertext);
    } catch (error) {
      // A keychain that reads back what it just wrote will never read this: it is damaged, or of a key that is gone.
      const proof = await keychain.decrypt(await keychain.encrypt(name));
      if (proof.result !== name) throw error;
      this.#giveUp(name);
      return null;
    }
    redactor.addSecret(decrypted.result);
    this.#memory.set(name, decrypted.result);
    if (decrypted.shouldReEncrypt) await this.#renew(name, decrypted.result);
    return decrypted.result;
  }

  /** Takes out an entry that nobody can read, the whole file kept beside it. Throws what the file system says. */
  #giveUp(name: string): void {
    const { path, clock } = this.#options;
    const aside = keepSecretsAside(path, this.#ciphertexts, clock.nowMs());
    this.#write(without(this.#ciphertexts, name));
    this.#noteQuarantine(aside);
    this.#changes.emit(null);
  }

  #noteQuarantine(path: string): void {
    this.#options.logger.log('error', 'secrets.quarantined', { path });
    this.#notices.set('secrets-quarantined', { type: 'secrets-quarantined', path });
  }

  /** A disk that refuses the new ciphertext is no reason not to use what the old one held. */
  async #renew(name: string, value: string): Promise<void> {
    try {
      await this.#encrypt(name, value);
    } catch (error) {
      this.#options.logger.log('warn', 'secrets.not-renewed', { code: codeOf(error) });
    }
  }

  async #encrypt(name: string, value: string): Promise<void> {
    this.#write(new Map(this.#ciphertexts).set(name, await this.#ciphertextOf(value)));
  }

  async #ciphertextOf(value: string): Promise<string> {
    return (await this.#options.keychain.encrypt(value)).toString('base64');
  }

  /** What is held here changes only once the file did. */
  #write(entries: ReadonlyMap<string, string>): void {
    writeSecretsFile(this.#options.path, entries);
    this.#ciphertexts = entries;
  }

  #enqueue<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(step);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}

function without(entries: ReadonlyMap<string, string>, name: string): ReadonlyMap<string, string> {
  return new Map([...entries].filter(([key]) => key !== name));
}

function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' ? code : 'unknown error';
}
