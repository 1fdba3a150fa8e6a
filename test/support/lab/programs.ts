import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Absolute path of a program on the PATH or in the system's folders (sbin is often not in an ordinary user's PATH). */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** As `findProgram`; throws a sentence with the remedy. */
export function needProgram(name: string, debianPackage: string): string {
  const path = findProgram(name);
  if (path === null)
    throw new Error(`No ${name} on this machine: install ${debianPackage} (apt install ${debianPackage}).`);
  return path;
}
