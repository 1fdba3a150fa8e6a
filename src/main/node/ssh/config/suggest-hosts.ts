import type { HostSuggestion } from '../../../../shared/ssh-resolution.ts';
import { parseSshTarget } from '../../../../shared/ssh-target.ts';
import { readConfigTree, type ConfigLine } from './config-tree.ts';
import { userConfigFile, type SshEnvironment } from './ssh-environment.ts';

const MAX_SUGGESTIONS = 200;

/** The names after `Host` of the user's own configuration and of what it includes, without patterns. Runs nothing. */
export async function suggestHosts(environment: SshEnvironment): Promise<readonly HostSuggestion[]> {
  const found = new Map<string, string>();
  collect(await readConfigTree(userConfigFile(environment), environment), found);
  return [...found].map(([alias, detail]) => ({ alias, detail }));
}

function collect(lines: readonly ConfigLine[], found: Map<string, string>): void {
  for (const line of lines) {
    if (found.size >= MAX_SUGGESTIONS) return;
    if (line.type === 'include') collect(line.lines, found);
    if (line.type !== 'block') continue;
    if (line.kind === 'host') {
      for (const alias of line.words) {
        const isPlain = !/[*?!]/.test(alias) && parseSshTarget(alias).ok;
        if (isPlain && !found.has(alias) && found.size < MAX_SUGGESTIONS) {
          found.set(alias, detailOf(alias, line.lines));
        }
      }
    }
    collect(line.lines, found);
  }
}

/** `user@host:port`, as far as the block itself says; '' where it says nothing of them. */
function detailOf(alias: string, lines: readonly ConfigLine[]): string {
  const value = (keyword: string): string => {
    const line = lines.find((other) => other.type === 'directive' && other.keyword === keyword);
    return line?.type === 'directive' ? (line.words[0] ?? '').slice(0, 255) : '';
  };
  const [user, hostName, port] = [value('user'), value('hostname'), value('port')];
  if (user === '' && hostName === '' && port === '') return '';
  const host = hostName === '' ? alias : hostName;
  const place = host.includes(':') && port !== '' ? `[${host}]` : host;
  return `${user === '' ? '' : `${user}@`}${place}${port === '' ? '' : `:${port}`}`;
}
