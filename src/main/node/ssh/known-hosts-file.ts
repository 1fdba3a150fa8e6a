import { constants, type Stats } from 'node:fs';
import { chmod, mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import { parseKnownHosts, type KnownHostsEntry } from './known-hosts.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** Reads all files. A missing one is empty; one that cannot be read is a failure: never trust for want of knowledge. */
export async function loadKnownHosts(
  files: readonly string[],
): Promise<Result<KnownHostsEntry[], ConnectionFailure>> {
  const entries: KnownHostsEntry[] = [];
  for (const file of files) {
    const text = await readText(file);
    if (!text.ok) return text;
    for (const entry of parseKnownHosts(text.value, file)) entries.push(entry);
  }
  return ok(entries);
}

async function readText(path: string): Promise<Result<string, ConnectionFailure>> {
  try {
    const stats = await stat(path);
    const reason = unfitness(stats);
    if (reason !== null) return err(failure('known-hosts-unreadable', { path, detail: reason }));
    // /dev/null, with which users disable the file. Other devices may never end.
    if (stats.isCharacterDevice()) return ok('');
    return ok(await readFile(path, 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'ENOENT') return ok('');
    return err(failure('known-hosts-unreadable', { path, detail: code }));
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
 * Adds one line at the end and keeps every other byte: one write in append mode, so that another program's line is never
 * lost. Makes the folder (0700) and the file (0600) where they are missing.
 */
export async function appendKnownHost(
  path: string,
  line: string,
): Promise<Result<void, Extract<ConnectionFailure, { code: 'known-hosts-unwritable' }>>> {
  try {
    const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (made !== undefined) await chmod(dirname(path), 0o700);
    const handle = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
    try {
      const { size } = await handle.stat();
      const text = `${(await needsNewline(handle, size)) ? '\n' : ''}${line}\n`;
      await handle.write(text);
      await handle.sync().catch(() => undefined);
    } finally {
      await handle.close();
    }
    return ok(undefined);
  } catch (error) {
    const detail = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return err(failure('known-hosts-unwritable', { path, detail }));
  }
}

async function needsNewline(
  handle: { read(buffer: Buffer, offset: number, length: number, position: number): Promise<unknown> },
  size: number,
): Promise<boolean> {
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  return last[0] !== 0x0a;
}
