import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild, type Child } from '../lab/child.ts';
import { findProgram } from '../lab/programs.ts';

/** What changes files or waits for the disk, and what leads there. */
const CALLS =
  'openat,write,pwrite64,pwritev,fsync,fdatasync,ftruncate,fchmod,chmod,rename,renameat2,unlink,link,mkdir,access,close';

/** One system call of a write: the `nth` of its name, from 1 on. */
export interface WritingCall {
  readonly name: string;
  readonly nth: number;
  /** As strace prints it. */
  readonly line: string;
}

/**
 * A program that holds a store open: it prints `ready`, then for each word on its standard input writes it and prints
 * `done WORD`.
 */
export interface Writer {
  readonly command: string;
  readonly args: readonly string[];
}

/** Why no program can be killed within a call here, or null. */
export function missingForKilledCalls(): string | null {
  if (process.platform !== 'linux') return 'strace is a program of Linux';
  if (process.getuid?.() !== 0) return 'strace may attach to any process only as root';
  return findProgram('strace') === null ? 'no `strace` program (apt install strace)' : null;
}

/** The calls that writing a word takes, in order, of the program's main thread: that one does all writes at once. */
export async function callsOfWriting(writer: Writer, word: string, folder: string): Promise<WritingCall[]> {
  const log = join(folder, 'strace.log');
  await writeTraced(writer, word, ['-o', log]);
  const seen = new Map<string, number>();
  const calls: WritingCall[] = [];
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const name = /^(\w+)\(/.exec(line)?.[1];
    if (name === undefined) continue;
    if (line.startsWith('write(') && line.includes(`"done ${word}`)) break;
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    calls.push({ name, nth, line });
  }
  return calls;
}

/**
 * Writes a word and kills the writer (SIGKILL) as it enters the call, which is not carried out. Resolves with what it
 * printed; null where the call is one of Node's own, did not come this time, and the writer lived.
 */
export async function killWithin(writer: Writer, word: string, call: WritingCall): Promise<string | null> {
  const inject = `inject=${call.name}:signal=KILL:when=${call.nth}`;
  const said = await writeTraced(writer, word, ['-e', inject, '-o', '/dev/null']);
  if (!said.includes(`done ${word}`)) return said;
  if (!mayStayAway(call)) throw new Error(`The writer outlived ${call.line}`);
  return null;
}

/** Wake-ups of Node's own threads (an eventfd takes eight bytes) and files that it opens for itself come as they please. */
function mayStayAway({ name, line }: WritingCall): boolean {
  return (name === 'write' && / 8\)\s+= 8$/.test(line)) || /^(?:openat|access|close)$/.test(name);
}

async function writeTraced(writer: Writer, word: string, straceArgs: readonly string[]): Promise<string> {
  const child = await startChild({ ...writer, name: 'writer', keepStdin: true });
  let tracer: Child | null = null;
  try {
    await child.waitForLine(/^ready$/);
    const args = ['-p', String(child.pid), '-e', `trace=${CALLS}`, ...straceArgs];
    tracer = await startChild({ command: 'strace', args, name: 'strace' });
    await tracer.waitForLine(/attached/);
    child.stdin?.end(`${word}\n`);
    await child.waitForExit();
    await tracer.waitForExit();
    return child.stdout();
  } finally {
    await tracer?.close();
    await child.close();
  }
}
