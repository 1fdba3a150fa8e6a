import { ipcMain } from 'electron';
import ElectronStore from 'electron-store';
import { readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Settings } from '../core/settings/schema.ts';
import { syncFolder } from '../node/atomic-file.ts';
import type { SettingsStorage } from '../node/settings/settings-store.ts';

const NAME = 'settings';

/**
 * `settings.json` by electron-store, as plain storage: it writes atomically; versions, checks and repairs are ours
 * (src/main/core/settings). The store is opened at the first write, because opening alone would throw on a broken file.
 */
export function electronStoreSettings(userDataDir: string): SettingsStorage {
  const path = join(userDataDir, `${NAME}.json`);
  let store: ElectronStore | null = null;
  return {
    path,
    readText() {
      try {
        return readFileSync(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    write(settings: Settings) {
      store ??= open(userDataDir);
      store.store = { ...settings };
      syncFolder(dirname(path));
    },
    putAside(suffix) {
      const aside = `${path}${suffix}`;
      renameSync(path, aside);
      syncFolder(dirname(path));
      return aside;
    },
  };
}

function open(cwd: string): ElectronStore {
  const store = new ElectronStore({
    cwd,
    name: NAME,
    clearInvalidConfig: false,
    accessPropertiesByDotNotation: false,
    configFileMode: 0o600,
  });
  // It offers its folder to renderers on a channel without any check; none of ours asks.
  ipcMain.removeAllListeners('electron-store-get-data');
  return store;
}
