import { ipcMain } from 'electron';
import ElectronStore from 'electron-store';
import { settingsFile } from '../node/settings/settings-file.ts';
import type { SettingsStorage } from '../node/settings/settings-store.ts';

/** `settings.json` of the folder, written by electron-store. */
export function electronStoreSettings(userDataDir: string): SettingsStorage {
  return settingsFile(userDataDir, (options) => {
    const store = new ElectronStore(options);
    // It offers its folder to renderers on a channel without any check; none of ours asks.
    ipcMain.removeAllListeners('electron-store-get-data');
    return store;
  });
}
