import { readFile, readdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, parse as parsePath, sep } from 'node:path';
import SSHConfig, { LineType } from 'ssh-config';
import { expandHome, type SshEnvironment } from './ssh-environment.ts';
import { UNSURE, withPlainLinesOnly } from './plain-lines.ts';
import { matchesPattern } from './patterns.ts';

/** One line of a configuration file, or a block with what it includes. */
export type ConfigLine =
  | { readonly type: 'directive'; readonly keyword: string; readonly words: readonly string[] }
  | {
      readonly type: 'block';
      readonly kind: 'host' | 'match';
      readonly words: readonly string[];
      readonly lines: readonly ConfigLine[];
    }
  /** The lines of an included file; its own blocks end with it. */
  | { readonly type: 'include'; readonly lines: readonly ConfigLine[] }
  /** A line that is not read for certain; `directive` names it. */
  | { readonly type: 'unsure'; readonly directive: string };

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_FILES = 256;
/** As OpenSSH (READCONF_MAX_DEPTH). */
const MAX_DEPTH = 16;

interface Reading {
  readonly environment: SshEnvironment;
  /** What a relative path of Include is below (ssh_config(5)). */
  readonly base: string;
  filesLeft: number;
}

/** Reads a file and what it includes, with the ssh-config package. A missing file is empty. Runs nothing. */
export async function readConfigTree(
  path: string,
  environment: SshEnvironment,
): Promise<readonly ConfigLine[]> {
  return readOne(path, { environment, base: dirname(path), filesLeft: MAX_FILES }, 0);
}

async function readOne(path: string, reading: Reading, depth: number): Promise<readonly ConfigLine[]> {
  if (depth > MAX_DEPTH || reading.filesLeft <= 0) return [{ type: 'unsure', directive: 'Include' }];
  reading.filesLeft -= 1;
  let text: string;
  try {
    const stats = await stat(path);
    if (!stats.isFile()) return [];
    if (stats.size > MAX_FILE_BYTES) return [{ type: 'unsure', directive: path }];
    text = await readFile(path, 'utf8');
  } catch {
    // OpenSSH goes on as well where there is none, or where it may not read it.
    return [];
  }
  try {
    return await linesOf(SSHConfig.parse(withPlainLinesOnly(text)), reading, depth);
  } catch {
    return [{ type: 'unsure', directive: path }];
  }
}

async function linesOf(config: SSHConfig, reading: Reading, depth: number): Promise<ConfigLine[]> {
  const lines: ConfigLine[] = [];
  for (const line of config) {
    if (line.type !== LineType.DIRECTIVE) continue;
    const words = wordsOf(line.value);
    const keyword = line.param.toLowerCase();
    if (keyword === UNSURE.toLowerCase()) {
      lines.push({ type: 'unsure', directive: words[0] ?? 'line' });
    } else if (keyword === 'host' || keyword === 'match') {
      const inner = 'config' in line ? await linesOf(line.config, reading, depth) : [];
      lines.push({ type: 'block', kind: keyword, words, lines: inner });
    } else if (keyword === 'include') {
      lines.push(...(await included(words, reading, depth)));
    } else {
      lines.push({ type: 'directive', keyword, words });
    }
  }
  return lines;
}

function wordsOf(value: string | readonly { readonly val: string; readonly separator: string }[]): string[] {
  return typeof value === 'string'
    ? [value]
    : value.map(({ val, separator }) => (separator === '=' ? `=${val}` : val));
}

async function included(patterns: readonly string[], reading: Reading, depth: number): Promise<ConfigLine[]> {
  const lines: ConfigLine[] = [];
  for (const pattern of patterns) {
    const path = expandHome(pattern, reading.environment.home);
    // What glob(3) knows and we do not, and what newer versions of OpenSSH expand.
    if (/[[\]{}$%]|^~/.test(path)) {
      lines.push({ type: 'unsure', directive: 'Include' });
      continue;
    }
    const found = await filesMatching(isAbsolute(path) ? path : join(reading.base, path));
    for (const file of found) {
      lines.push({ type: 'include', lines: await readOne(file, reading, depth + 1) });
    }
  }
  return lines;
}

/** glob(3) with `*` and `?`: sorted, and a leading dot is matched by a dot only. */
async function filesMatching(pattern: string): Promise<readonly string[]> {
  const { root } = parsePath(pattern);
  let found: string[] = [root];
  for (const part of pattern.slice(root.length).split(/[\\/]/)) {
    if (part === '') continue;
    if (!/[*?]/.test(part)) {
      found = found.map((folder) => join(folder, part));
      continue;
    }
    const next: string[] = [];
    for (const folder of found) {
      const names = await readdir(folder).catch(() => []);
      const fitting = names.filter(
        (name) => matchesPattern(part, name) && (part.startsWith('.') || !name.startsWith('.')),
      );
      next.push(...fitting.map((name) => (folder.endsWith(sep) ? folder + name : join(folder, name))));
    }
    found = next.sort().slice(0, MAX_FILES);
  }
  return found;
}
