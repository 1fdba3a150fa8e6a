import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { failure, type ConnectionFailure } from '../../../../shared/connection-failure.ts';
import { err, ok, type Result } from '../../../../shared/result.ts';
import { proxyEnvironment } from '../proxy-environment.ts';
import { askOpenssh, type SshQuestion } from './ask-openssh.ts';
import { readConfigTree, type ConfigLine } from './config-tree.ts';
import { evaluateConfig } from './library-options.ts';
import {
  configFileArgs,
  systemConfigFile,
  systemOnlyArgs,
  userConfigFile,
  type SshEnvironment,
} from './ssh-environment.ts';
import type { SshOptions } from './ssh-options.ts';

/** `user` leaves the system's file out, `system` the user's, `none` both. */
export type ConfigScope = 'all' | 'user' | 'system' | 'none';

/** Who reads the configuration. */
export interface OptionsReader {
  readonly source: 'openssh' | 'library';
  /** The program that `ssh -G` was, null for the library. */
  readonly command: string | null;
  read(question: SshQuestion, scope: ConfigScope): Promise<Result<SshOptions, ConnectionFailure>>;
}

/** `ssh -G` where there is an OpenSSH, else the ssh-config package. `target`: as typed, for failures. */
export async function createOptionsReader(
  target: string,
  environment: SshEnvironment,
): Promise<OptionsReader> {
  const command = await findProgram(environment.sshCommand, environment.platform);
  if (command === null) return libraryReader(target, environment);
  // Only a command of "Match exec" looks at PATH; to learn the terminal's takes a login shell.
  const isNeeded = await mayMention(/\bexec\b/i, environment);
  const path = isNeeded ? (await proxyEnvironment()).path : null;
  return opensshReader(command, target, { ...environment, path });
}

/** The file that a program's name leads to; null where there is none. */
async function findProgram(command: string | null, platform: NodeJS.Platform): Promise<string | null> {
  if (command === null) return null;
  const folders = /[\\/]/.test(command) ? [''] : (process.env['PATH'] ?? '').split(delimiter);
  for (const folder of folders) {
    if (folder === '' && !isAbsolute(command)) continue;
    const path = join(folder, platform === 'win32' && !/\.exe$/i.test(command) ? `${command}.exe` : command);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // The next one.
    }
  }
  return null;
}

function opensshReader(
  command: string,
  target: string,
  environment: SshEnvironment & { readonly path: string | null },
): OptionsReader {
  const args: { readonly [S in ConfigScope]: () => readonly string[] } = {
    all: () => configFileArgs(environment),
    user: () => ['-F', userConfigFile(environment)],
    system: () => systemOnlyArgs(environment),
    none: () => ['-F', 'none'],
  };
  return {
    source: 'openssh',
    command,
    read: async (question, scope) => {
      const answer = await askOpenssh(command, args[scope](), question, environment);
      switch (answer.type) {
        case 'options':
          return ok(answer.options);
        case 'missing':
          return err(failure('openssh-missing', { target, reasons: [] }));
        case 'failed':
          // The user's configuration is broken, or takes too long: guessing would lead to a wrong place.
          return err(failure('ssh-config-invalid', { target, detail: answer.detail }));
      }
    },
  };
}

function libraryReader(target: string, environment: SshEnvironment): OptionsReader {
  const trees = new Map<string, Promise<readonly ConfigLine[]>>();
  const treeOf = (path: string): Promise<readonly ConfigLine[]> => {
    const tree = trees.get(path) ?? readConfigTree(path, environment);
    trees.set(path, tree);
    return tree;
  };
  const files = (scope: ConfigScope): readonly (string | null)[] => {
    const [, named] = configFileArgs(environment);
    const user = userConfigFile(environment);
    const system = systemConfigFile(environment);
    switch (scope) {
      case 'all':
        return named === undefined ? [user, system] : [named];
      case 'user':
        return [user];
      case 'system':
        return named === undefined || named === system ? [system] : [];
      case 'none':
        return [];
    }
  };
  return {
    source: 'library',
    command: null,
    read: async (question, scope) => {
      const paths = files(scope).flatMap((path) => (path === null ? [] : [path]));
      const options = evaluateConfig(await Promise.all(paths.map(treeOf)), question, environment.user);
      if (options.ok) return options;
      return err(failure('ssh-config-needs-openssh', { target, directives: options.error }));
    },
  };
}

/** Whether the user's own file may speak of something, by itself or by what it includes. */
export async function mayMention(pattern: RegExp, environment: SshEnvironment): Promise<boolean> {
  const text = await readFile(userConfigFile(environment), 'utf8').catch(() => '');
  return pattern.test(text) || /^\s*include\b/im.test(text);
}
