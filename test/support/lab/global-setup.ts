/**
 * Runs once before the integration tests and before the end-to-end tests: says in one sentence what is missing, instead
 * of a hundred failures. Looks at files only, so it costs nothing.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GATEWAY_MISSING, gatewayEntry } from './gateway.ts';
import { findSshd } from './sshd.ts';

const inRepository = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

interface Tool {
  readonly program: string;
  readonly debianPackage: string;
}

const LAB_TOOLS: readonly Tool[] = [
  { program: 'perl', debianPackage: 'perl-base' },
  { program: 'ssh-keygen', debianPackage: 'openssh-client' },
];
const DESKTOP_TOOLS: readonly Tool[] = [
  { program: 'Xvfb', debianPackage: 'xvfb' },
  { program: 'dbus-daemon', debianPackage: 'dbus' },
  { program: 'dbus-send', debianPackage: 'dbus' },
  { program: 'gnome-keyring-daemon', debianPackage: 'gnome-keyring' },
];

/** What keeps the lab from working here, a sentence each with its remedy; empty when all is there. */
export function missingForLab(withApp: boolean): string[] {
  const tools = withApp ? [...LAB_TOOLS, ...DESKTOP_TOOLS] : LAB_TOOLS;
  const absent = tools.filter((tool) => !isInPath(tool.program));
  if (findSshd() === null) absent.push({ program: 'sshd', debianPackage: 'openssh-server' });
  const missing: string[] = [];
  if (absent.length > 0) {
    const packages = [...new Set(absent.map((tool) => tool.debianPackage))].join(' ');
    missing.push(
      `${absent.map((tool) => tool.program).join(', ')} not found: install ${packages} (apt install ${packages}).`,
    );
  }
  if (gatewayEntry() === null) missing.push(GATEWAY_MISSING);
  if (withApp && !existsSync(inRepository('out/main/index.js'))) {
    missing.push('The app is not built: run `npm run build`.');
  }
  if (withApp && !existsSync(inRepository('.runtime/electron.json'))) {
    missing.push('Electron is not set up: run `npm run setup`.');
  }
  return missing;
}

function isInPath(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
  return folders.some((folder) => existsSync(join(folder, program)));
}

// Both runners call a module's default export: vitest with its project, Playwright with its configuration.
export default function globalSetup(runner: unknown): void {
  const withApp =
    typeof runner === 'object' && runner !== null && 'projects' in runner && 'configFile' in runner;
  const missing = missingForLab(withApp);
  if (missing.length > 0) throw new Error(`The lab cannot start. ${missing.join(' ')}`);
}
