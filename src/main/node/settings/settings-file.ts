import { accessSync, constants, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../core/settings/schema.ts';
import { removeLeftovers, syncFolder, writeFileAtomic } from '../atomic-file.ts';
import type { SettingsStorage } from './settings-store.ts';

/** Options of electron-store that this file relies on. */
export interface StagedStoreOptions {
  readonly cwd: string;
  /** Without `.json`. */
  readonly name: string;
  readonly clearInvalidConfig: false;
  readonly accessPropertiesByDotNotation: false;
  readonly configFileMode: number;
  readonly serialize: (value: unknown) => string;
}

/** electron-store as it is used here: setting `store` replaces its file. */
export interface StagedStore {
  store: Record<string, unknown>;
}

const STAGED_NAME = 'settings.next';

/**
 * `settings.json` as plain storage: versions, checks and repairs are the caller's (src/main/core/settings).
 *
 * electron-store writes `settings.next.json`, which takes the place of `settings.json` only once it holds every byte:
 * electron-store's own writer takes a short write, as on a disk that fills up, for a whole one. The store is opened at the
 * first write, and what a killed run left of such files is removed here.
 */
export function settingsFile(
  folder: string,
  openStore: (options: StagedStoreOptions) => StagedStore,
): SettingsStorage {
  const path = join(folder, 'settings.json');
  const stagedFile = `${STAGED_NAME}.json`;
  const stagedPath = join(folder, stagedFile);
  let staged: StagedStore | null = null;
  removeLeftovers(folder, 'settings.json');
  removeLeftovers(folder, stagedFile, true);

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
      // electron-store's writer tries again for a second where it may not write, and the app would stand still.
      accessSync(folder, constants.W_OK);
      try {
        staged ??= openStore({
          cwd: folder,
          name: STAGED_NAME,
          clearInvalidConfig: false,
          accessPropertiesByDotNotation: false,
          configFileMode: 0o600,
          serialize,
        });
        staged.store = { ...settings };
        // Ours writes on after a short write, or throws what stops it.
        const text = serialize(settings);
        if (readFileSync(stagedPath, 'utf8') !== text) writeFileAtomic(stagedPath, text);
        renameSync(stagedPath, path);
      } catch (error) {
        rmSync(stagedPath, { force: true });
        throw error;
      }
      syncFolder(folder);
    },
    putAside(suffix) {
      const aside = `${path}${suffix}`;
      renameSync(path, aside);
      syncFolder(folder);
      return aside;
    },
  };
}

function serialize(value: unknown): string {
  return JSON.stringify(value, null, '\t');
}
