import { readFile, stat } from 'node:fs/promises';
import type { ParsedKey } from 'ssh2';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { parseKeyFile, publicBlobOf } from './private-key-file.ts';

/** What a key file turned out to be. */
export type KeyFile =
  | { readonly type: 'usable'; readonly path: string; readonly key: ParsedKey }
  /** `blob` is its public key where that can be read without the passphrase. */
  | {
      readonly type: 'encrypted';
      readonly path: string;
      readonly blob: Buffer | null;
      readonly wasWrong: boolean;
    }
  /** Only the public half is here: it names a key that an agent may hold. */
  | { readonly type: 'public'; readonly path: string; readonly blob: Buffer }
  | { readonly type: 'unreadable'; readonly path: string; readonly failure: KeyUnreadable };

export type KeyUnreadable = Extract<ConnectionFailure, { readonly code: 'key-unreadable' }>;

const MAX_KEY_FILE_BYTES = 1024 * 1024;

/**
 * Private keys of one process, parsed once: opening an encrypted one costs up to a second of computing. An entry holds as
 * long as the file's size and time of change do; nothing is ever written anywhere.
 */
export class KeyRing {
  readonly #opened = new Map<string, { readonly stamp: string; readonly key: ParsedKey }>();

  /**
   * Reads and parses; `passphrase` is tried on an encrypted key only. The name of a public key leads to the private one
   * beside it, where there is one, and the other way round.
   */
  async load(path: string, passphrase: string | null): Promise<KeyFile> {
    const file = await this.#load(path, passphrase);
    if (file.type === 'public' && path.endsWith('.pub')) {
      const beside = await this.#load(path.slice(0, -'.pub'.length), passphrase);
      if (beside.type === 'usable' || beside.type === 'encrypted') return beside;
    }
    if (file.type === 'unreadable' && file.failure.facts.reason === 'missing') {
      const blob = await siblingPublicBlob(path);
      if (blob !== null) return { type: 'public', path, blob };
    }
    return file;
  }

  async #load(path: string, passphrase: string | null): Promise<KeyFile> {
    const file = await readKeyFile(path);
    if ('failure' in file) {
      this.#opened.delete(path);
      return { type: 'unreadable', path, failure: file.failure };
    }
    const cached = this.#opened.get(path);
    if (cached !== undefined && cached.stamp === file.stamp) return { type: 'usable', path, key: cached.key };
    const parsed = await parseKeyFile(file.text, passphrase);
    switch (parsed.type) {
      case 'private':
        this.#opened.set(path, { stamp: file.stamp, key: parsed.key });
        return { type: 'usable', path, key: parsed.key };
      case 'encrypted': {
        const blob = parsed.blob ?? (await siblingPublicBlob(path));
        return { type: 'encrypted', path, blob, wasWrong: passphrase !== null };
      }
      case 'public':
        return { type: 'public', path, blob: parsed.blob };
      case 'unreadable':
        return {
          type: 'unreadable',
          path,
          failure: failure('key-unreadable', { path, reason: parsed.reason }),
        };
    }
  }
}

async function readKeyFile(
  path: string,
): Promise<{ readonly text: string; readonly stamp: string } | { readonly failure: KeyUnreadable }> {
  const unreadable = (reason: KeyUnreadable['facts']['reason']): { failure: KeyUnreadable } => ({
    failure: failure('key-unreadable', { path, reason }),
  });
  try {
    const stats = await stat(path);
    if (!stats.isFile()) return unreadable('not-a-file');
    if (stats.size > MAX_KEY_FILE_BYTES) return unreadable('format');
    const text = await readFile(path, 'latin1');
    return { text, stamp: `${stats.ino}:${stats.size}:${stats.mtimeMs}` };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return unreadable('missing');
    return unreadable(code === 'EISDIR' ? 'not-a-file' : 'permission');
  }
}

async function siblingPublicBlob(path: string): Promise<Buffer | null> {
  try {
    return publicBlobOf(await readFile(`${path}.pub`, 'latin1'));
  } catch {
    return null;
  }
}
