import { chownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** scripts/lib is JavaScript that the set-up runs before TypeScript is there; these are the parts the lab uses of it. */
export interface ProcessUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface ProcessUserModule {
  processUser(): ProcessUser | undefined;
  asUser(user: ProcessUser | undefined): string[];
  ownFolder(user: ProcessUser | undefined, path: string): void;
}

export interface AppLaunch {
  readonly env: Record<string, string>;
  readonly cwd: string;
  readonly executablePath: string;
  readonly appArgs: string[];
}

interface AppLaunchModule {
  appLaunch(options: {
    readonly userDataDir?: string;
    readonly home?: string;
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string | undefined>>;
  }): AppLaunch;
}

const scripts = new URL('../../../scripts/lib/', import.meta.url);
const userModule = (await import(new URL('process-user.mjs', scripts).href)) as ProcessUserModule;

/** The unprivileged user that runs desktop and app when the lab runs as root, else undefined: the present one. */
export function appUser(): ProcessUser | undefined {
  return userModule.processUser();
}

/** The beginning of a command line that runs the rest as the app's user. */
export function asAppUser(): string[] {
  return userModule.asUser(appUser());
}

/** Makes a folder (0700) that belongs to the app's user. */
export function ownedFolder(path: string): string {
  userModule.ownFolder(appUser(), path);
  return path;
}

/** Gives a file or folder, with all in it, to the app's user. */
export function giveToAppUser(path: string): void {
  const user = appUser();
  if (user === undefined) return;
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) giveToAppUser(join(path, name));
  chownSync(path, user.uid, user.gid);
}

/** How to start the built app; throws a sentence with the remedy when it is not built or Electron is missing. */
export async function appLaunch(options: Parameters<AppLaunchModule['appLaunch']>[0]): Promise<AppLaunch> {
  const module = (await import(new URL('app-launch.mjs', scripts).href)) as AppLaunchModule;
  return module.appLaunch(options);
}
