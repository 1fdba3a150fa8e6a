import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { defaultSettings, type Settings } from '../../../src/main/core/settings/schema.ts';
import { writeSecretsFile } from '../../../src/main/node/secrets/secrets-file.ts';
import { MessageStore } from '../../../src/main/node/storage/message-store.ts';
import { systemClock } from '../../../src/main/node/system-clock.ts';
import { settingsFile } from '../../../src/main/node/settings/settings-file.ts';

// Holds one store of a folder and writes it when told to: `node writer-main.ts settings|secrets|messages|in-place DIR`.
// Each line of standard input is a word to write; the answer is `done WORD` or `refused WORD CODE`.

const WINDOWS = 200;

/** Some 20 kB, so that one page of a full disk is a part of it. */
function settingsOf(word: string): Settings {
  const bounds = { x: 0, y: 0, width: 800, height: 600, maximized: false };
  const windows = Object.fromEntries(
    Array.from({ length: WINDOWS }, (_, index) => [`${word}/${index}`, bounds]),
  );
  return { ...defaultSettings(word), windows };
}

async function open(kind: string, dir: string): Promise<(word: string) => void | Promise<void>> {
  switch (kind) {
    case 'settings': {
      // The package of Electron looks for Electron as it loads; a store that is given its folder needs none.
      process.env['ELECTRON_OVERRIDE_DIST_PATH'] = dir;
      const { default: ElectronStore } = await import('electron-store');
      const storage = settingsFile(dir, (options) => new ElectronStore(options));
      return (word) => storage.write(settingsOf(word));
    }
    case 'secrets':
      return (word) =>
        writeSecretsFile(
          join(dir, 'secrets.json'),
          new Map(Array.from({ length: WINDOWS }, (_, index) => [`${word}/${index}`, 'c2VjcmV0'.repeat(8)])),
        );
    case 'messages': {
      const store = new MessageStore({
        path: join(dir, 'messages.db'),
        clock: systemClock,
        logger: { log: () => undefined },
      });
      const messages = store.forGateway('g1');
      const first = { atMs: 1, uptimeMs: 1, runId: store.runId, bootId: null };
      return async (word) => {
        for (const messageId of [`${word}-1`, `${word}-2`]) {
          const added = await messages.add({
            messageId,
            sessionKey: 's',
            text: `text of ${messageId} `.repeat(20),
            createdAtMs: 1,
            state: { type: 'queued', first: null },
          });
          if (!added.ok) throw new Error('Not accepted');
          process.stdout.write(`accepted ${messageId}\n`);
        }
        await messages.setState(`${word}-1`, { type: 'sent', first });
        process.stdout.write(`removing ${word}-1\n`);
        await messages.remove(`${word}-1`);
      };
    }
    case 'in-place':
      return (word) => writeFileSync(join(dir, 'in-place.json'), JSON.stringify(settingsOf(word)));
    default:
      throw new Error(`There is no store ${kind}`);
  }
}

const [kind = '', dir = ''] = process.argv.slice(2);
const write = await open(kind, dir);
process.stdout.write('ready\n');
for await (const word of createInterface({ input: process.stdin })) {
  try {
    await write(word);
    process.stdout.write(`done ${word}\n`);
  } catch (error) {
    process.stdout.write(`refused ${word} ${String((error as NodeJS.ErrnoException).code)}\n`);
  }
}
