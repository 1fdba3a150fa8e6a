import { constants, type BigIntStats, type Stats } from 'node:fs';
import {
  chmod,
  copyFile,
  link,
  mkdir,
  open,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  type FileHandle,
} from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { failure, type ConnectionFailure, type KnownHostKey } from '../../../shared/connection-failure.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import { syncFolder } from '../atomic-file.ts';
import { parseKnownHosts, type KnownHostsEntry } from './known-hosts.ts';
import { fingerprintOf } from './public-key-blob.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** How often a change starts anew because another program wrote the file meanwhile. */
const MAX_REWRITES = 5;

type Unwritable = Extract<ConnectionFailure, { code: 'known-hosts-unwritable' }>;

/**
 * Reads all files. A missing one is empty. One that cannot be read is a failure, where OpenSSH would go on without it: never
 * trust for want of knowledge.
 */
export async function loadKnownHosts(
  files: readonly string[],
): Promise<Result<KnownHostsEntry[], ConnectionFailure>> {
  const entries: KnownHostsEntry[] = [];
  for (const file of files) {
    const text = await readKnownHostsText(file);
    if (!text.ok) return text;
    for (const entry of parseKnownHosts(text.value ?? '', file)) entries.push(entry);
  }
  return ok(entries);
}

/** In latin1: byte for byte. Null where there is no such file. */
export async function readKnownHostsText(path: string): Promise<Result<string | null, ConnectionFailure>> {
  try {
    const stats = await stat(path);
    const reason = unfitness(stats);
    if (reason !== null) return err(failure('known-hosts-unreadable', { path, detail: reason }));
    // /dev/null, with which users disable the file. Other devices may never end.
    if (stats.isCharacterDevice()) return ok('');
    return ok(await readFile(path, 'latin1'));
  } catch (error) {
    if (isMissing(error)) return ok(null);
    return err(failure('known-hosts-unreadable', { path, detail: codeOf(error) }));
  }
}

/** A pipe would never end, a folder never begin. */
function unfitness(stats: Stats): string | null {
  if (stats.isDirectory()) return 'EISDIR';
  if (!stats.isFile() && !stats.isCharacterDevice()) return 'not a file';
  if (stats.size > MAX_FILE_BYTES) return `larger than ${MAX_FILE_BYTES} bytes`;
  return null;
}

/**
 * Adds one line (latin1, without newline) at the end and keeps every other byte. In append mode, so that another program's
 * line is never lost. Makes the folder (0700) and the file (0600) where they are missing.
 */
export async function appendKnownHost(path: string, line: string): Promise<Result<void, Unwritable>> {
  try {
    const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (made !== undefined) await chmod(dirname(path), 0o700);
    const handle = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
    try {
      const { size } = await handle.stat();
      const text = `${(await needsNewline(handle, size)) ? '\n' : ''}${line}\n`;
      await appendAll(handle, Buffer.from(text, 'latin1'), size);
      await handle.sync().catch(() => undefined);
    } finally {
      await handle.close();
    }
    return ok(undefined);
  } catch (error) {
    return err(unwritable(path, error));
  }
}

/** One write where the disk allows it. On a disk that fills up a write may stop half-way and call that a success. */
async function appendAll(handle: FileHandle, bytes: Buffer, sizeBefore: number): Promise<void> {
  let written = 0;
  try {
    while (written < bytes.length) {
      const { bytesWritten } = await handle.write(bytes, written);
      if (bytesWritten === 0) throw Object.assign(new Error('nothing written'), { code: 'ENOSPC' });
      written += bytesWritten;
    }
  } catch (error) {
    // Half a line helps nobody. It is only taken back while it is the last thing in the file.
    const { size } = await handle.stat();
    if (written > 0 && size === sizeBefore + written) await handle.truncate(sizeBefore);
    throw error;
  }
}

async function needsNewline(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  return last[0] !== 0x0a;
}

/**
 * Replaces a file's text (latin1) by what `change` makes of it, whole or not at all. `null` leaves it alone, and a missing
 * file or a device stays as it is. Owner and mode are kept, a symbolic link stays one, and the text before goes into
 * `<file>.old`, as ssh-keygen(1) -R leaves it. `change` runs again when another program wrote the file meanwhile.
 * The result says whether anything was written.
 */
export async function rewriteKnownHosts(
  path: string,
  change: (text: string) => string | null,
): Promise<Result<boolean, ConnectionFailure>> {
  try {
    for (let attempt = 0; attempt < MAX_REWRITES; attempt += 1) {
      const real = await realpath(path);
      const before = await stat(real, { bigint: true });
      const text = await readKnownHostsText(real);
      if (!text.ok) return text;
      if (text.value === null || !before.isFile()) return ok(false);
      const changed = change(text.value);
      if (changed === null || changed === text.value) return ok(false);
      if (await replaceFile(real, before, Buffer.from(changed, 'latin1'))) return ok(true);
    }
    return err(unwritable(path, { code: 'EBUSY' }));
  } catch (error) {
    return isMissing(error) ? ok(false) : err(unwritable(path, error));
  }
}

/** False where the file is not the one any more that was read. */
async function replaceFile(path: string, before: BigIntStats, content: Buffer): Promise<boolean> {
  const temporaryPath = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporaryPath, 'wx', 0o600);
    try {
      await file.writeFile(content);
      if (process.platform !== 'win32') {
        const made = await file.stat({ bigint: true });
        if (made.uid !== before.uid || made.gid !== before.gid) {
          // Only root may give a file away. Whoever may write into the folder may replace the file all the same.
          await file.chown(Number(before.uid), Number(before.gid)).catch(() => undefined);
        }
        await file.chmod(Number(before.mode & 0o777n));
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await keepOld(path);
    // Last of all: whoever adds a line between this look and the rename would lose it.
    const now = await stat(path, { bigint: true });
    if (now.ino !== before.ino || now.size !== before.size || now.mtimeNs !== before.mtimeNs) return false;
    await rename(temporaryPath, path);
  } finally {
    await rm(temporaryPath, { force: true });
  }
  syncFolder(dirname(path));
  return true;
}

async function keepOld(path: string): Promise<void> {
  const old = `${path}.old`;
  await rm(old, { force: true });
  // Not every file system has hard links.
  await link(path, old).catch(() => copyFile(path, old));
}

/** A text's lines, each with its own line end. */
export function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/**
 * Takes these keys' lines out of their files and keeps every other byte. A line is only removed while it still holds the
 * key that is named: the file may have changed since it was read.
 */
export async function removeKnownHosts(
  keys: readonly KnownHostKey[],
): Promise<Result<void, ConnectionFailure>> {
  for (const file of new Set(keys.map((key) => key.file))) {
    const isNamed = (entry: KnownHostsEntry): boolean =>
      entry.marker === 'none' &&
      keys.some(
        (key) =>
          key.file === file && key.line === entry.line && key.fingerprint === fingerprintOf(entry.blob),
      );
    const written = await rewriteKnownHosts(file, (text) => {
      const stale = new Set(
        parseKnownHosts(text, file)
          .filter(isNamed)
          .map((entry) => entry.line),
      );
      return linesOf(text)
        .filter((_line, index) => !stale.has(index + 1))
        .join('');
    });
    if (!written.ok) return written;
  }
  return ok(undefined);
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

function unwritable(path: string, error: unknown): Unwritable {
  return failure('known-hosts-unwritable', { path, detail: codeOf(error) });
}
