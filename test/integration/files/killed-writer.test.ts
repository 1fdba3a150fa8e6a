import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSecretsFile } from '../../../src/main/node/secrets/secrets-file.ts';
import { settingsFile } from '../../../src/main/node/settings/settings-file.ts';
import { MessageStore } from '../../../src/main/node/storage/message-store.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import {
  callsOfWriting,
  killWithin,
  missingForKilledCalls,
  type Writer,
  type WritingCall,
} from '../../support/faults/killed-calls.ts';
import { runChild } from '../../support/lab/child.ts';

const missing = missingForKilledCalls();
if (missing !== null) console.warn(`Writes are not killed here: ${missing}.`);

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gangway-killed-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Processes at a time: two cores, and each mostly starts up. */
const AT_ONCE = 3;

type Content = 'old' | 'new' | 'broken';

interface Outcome {
  readonly call: WritingCall;
  readonly content: Content;
  /** What the writer printed before it was killed. */
  readonly said: string;
  readonly files: readonly string[];
  /** After the next start. */
  readonly filesLater: readonly string[];
}

function writerOf(kind: string, folder: string): Writer {
  return { command: process.execPath, args: [join(import.meta.dirname, 'writer-main.ts'), kind, folder] };
}

/** Calls of Node's own that were listed and did not come again. */
const MAY_BE_MISSING = 2;
const CHANGING = new Set(['pwrite64', 'write', 'fsync', 'fdatasync', 'ftruncate', 'unlink', 'rename']);

/** Kills a writer of `new` over `old` at each of its calls, and looks at what is there then. */
async function killAtEachCall(
  kind: string,
  readContent: (folder: string, said?: string) => Content,
  startAgain: (folder: string) => void,
  isTried: (call: WritingCall) => boolean = () => true,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly calls: readonly WritingCall[] }> {
  const old = join(dir, `${kind}-old`);
  mkdirSync(old);
  const { command, args } = writerOf(kind, old);
  await runChild({ command, args, stdin: 'old\n', name: 'writer' });
  expect(readContent(old)).toBe('old');
  let made = 0;
  const folderWithOld = (): string => {
    const folder = join(dir, `${kind}-${String((made += 1))}`);
    cpSync(old, folder, { recursive: true });
    return folder;
  };

  const first = folderWithOld();
  const calls = await callsOfWriting(writerOf(kind, first), 'new', dir);
  expect(readContent(first)).toBe('new');

  const outcomes: Outcome[] = [];
  const left = calls.filter(isTried);
  const most = left.length - MAY_BE_MISSING;
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const folder = folderWithOld();
      const said = await killWithin(writerOf(kind, folder), 'new', next);
      if (said === null) continue;
      const content = readContent(folder, said);
      const files = readdirSync(folder);
      startAgain(folder);
      outcomes.push({ call: next, content, said, files, filesLater: readdirSync(folder) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  expect(outcomes.length).toBeGreaterThanOrEqual(most);
  return { outcomes, calls };
}

function wordOf(names: readonly string[], count: number): Content {
  const words = new Set(names.map((name) => name.split('/')[0]));
  const [word] = words;
  return names.length === count && words.size === 1 && (word === 'old' || word === 'new') ? word : 'broken';
}

function contentOfSettings(file: string): (folder: string) => Content {
  return (folder) => {
    try {
      const settings = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { windows: object };
      return wordOf(Object.keys(settings.windows), 200);
    } catch {
      return 'broken';
    }
  };
}

function contentOfSecrets(folder: string): Content {
  try {
    const secrets = JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8')) as { entries: object };
    return wordOf(Object.keys(secrets.entries), 200);
  } catch {
    return 'broken';
  }
}

/** `new` once both messages of the second write are there; `broken` where an accepted one is missing. */
function contentOfMessages(folder: string, said = ''): Content {
  const store = new MessageStore({
    path: join(folder, 'messages.db'),
    clock: new FakeClock(),
    logger: new MemoryLogger(),
  });
  try {
    const kept = store.forGateway('g1').list('s');
    const ids = kept.map(({ messageId }) => messageId);
    const accepted = ['old-2', ...Array.from(said.matchAll(/^accepted (\S+)$/gm), ([, id = '']) => id)];
    const removing = Array.from(said.matchAll(/^removing (\S+)$/gm), ([, id = '']) => id);
    const isWhole =
      store.notices.length === 0 &&
      !ids.includes('old-1') &&
      accepted.every((id) => ids.includes(id) || removing.includes(id)) &&
      kept.every(({ messageId, text }) => text === `text of ${messageId} `.repeat(20));
    if (!isWhole) return 'broken';
    return ids.includes('new-2') ? 'new' : 'old';
  } finally {
    store.dispose();
  }
}

/**
 * The file is old or new whichever call it is, both occur, and nothing but temporary files is left beside it. In no order:
 * Node's own wake-ups are calls too, and one that came when they were listed may come later, or not, when it is to kill.
 */
function expectOldOrNew(outcomes: readonly Outcome[], file: string): void {
  expect(outcomes.filter(({ content }) => content === 'broken')).toEqual([]);
  const contents = outcomes.map(({ content }) => content);
  expect(new Set(contents)).toEqual(new Set(['old', 'new']));
  for (const { files, filesLater, call } of outcomes) {
    for (const name of files) expect(name, call.line).toMatch(OURS);
    expect(filesLater, call.line).toEqual([file]);
  }
  // Otherwise the cleaning at the next start was not put to the test.
  expect(outcomes.some(({ files }) => files.length > 1)).toBe(true);
}
const OURS = /^(?:settings|secrets)(?:\.next)?\.json(?:\.tmp-[0-9a-f]{16}|\.[0-9a-f]{12}\.tmp)?$/;

/** What a power cut takes is what was not synchronised: content before its rename, the rename before the end. */
function expectSynchronised(calls: readonly WritingCall[]): void {
  const names = calls
    .map(({ name }) => name)
    .map((name) => (name === 'pwrite64' ? 'write' : name))
    .filter((name) => ['write', 'fsync', 'rename'].includes(name));
  expect(names.join(' ')).toMatch(/^(?:write )+fsync (?:rename )+fsync$/);
}

let control: Promise<string> | null = null;
/** One for all stores. */
function controlRun(): Promise<string> {
  return (control ??= killInPlace());
}
async function killInPlace(): Promise<string> {
  const { outcomes } = await killAtEachCall('in-place', contentOfSettings('in-place.json'), () => undefined);
  const broken = outcomes.filter(({ content }) => content === 'broken');
  expect(broken.length).toBeGreaterThan(0);
  return `a file written in place is broken by ${String(broken.length)} of ${String(outcomes.length)} kills`;
}

describe.skipIf(missing !== null)(
  'a process that is killed at any call of a write',
  { timeout: 120_000 },
  () => {
    it('leaves the old or the new settings, and nothing that outlives the next start', async () => {
      const noStore = (): never => {
        throw new Error('Nothing is written at a start');
      };
      const { outcomes, calls } = await killAtEachCall(
        'settings',
        contentOfSettings('settings.json'),
        (folder) => expect(settingsFile(folder, noStore).readText()).toContain('windows'),
      );
      expectOldOrNew(outcomes, 'settings.json');
      expectSynchronised(calls);
      recordFault({
        row: 67,
        part: 'settings',
        layer: 'core',
        injected: `SIGKILL at each of the ${String(outcomes.length)} system calls of a write (strace)`,
        shown:
          'settings.json holds the old or the new settings; temporary files are gone after the next start',
        tookMs: null,
        limitMs: null,
        control: await controlRun(),
      });
    });

    it('leaves the old or the new secrets, and nothing that outlives the next start', async () => {
      const { outcomes, calls } = await killAtEachCall('secrets', contentOfSecrets, (folder) =>
        expect(readSecretsFile(join(folder, 'secrets.json'), 0).putAsideAs).toBeNull(),
      );
      expectOldOrNew(outcomes, 'secrets.json');
      expectSynchronised(calls);
      recordFault({
        row: 67,
        part: 'secrets',
        layer: 'core',
        injected: `SIGKILL at each of the ${String(outcomes.length)} system calls of a write (strace)`,
        shown:
          'secrets.json holds the old or the new ciphertexts; temporary files are gone after the next start',
        tookMs: null,
        limitMs: null,
        control: await controlRun(),
      });
    });

    it('leaves every message that it accepted, and a file that opens', async () => {
      const { outcomes } = await killAtEachCall(
        'messages',
        contentOfMessages,
        () => undefined,
        // What lies between two of them leaves the same files.
        ({ name }) => CHANGING.has(name),
      );
      expect(outcomes.filter(({ content }) => content === 'broken')).toEqual([]);
      expect(outcomes.some(({ said }) => said.includes('accepted new-2'))).toBe(true);
      recordFault({
        row: 67,
        part: 'messages',
        layer: 'core',
        injected: `SIGKILL at each of the ${String(outcomes.length)} system calls that change files when accepting, sending and removing messages (strace)`,
        shown:
          'messages.db opens without a notice; every accepted message is there with its text, no removed one is',
        tookMs: null,
        limitMs: null,
        control: await controlRun(),
      });
    });
  },
);
