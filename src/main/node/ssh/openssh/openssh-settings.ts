import { execFile } from 'node:child_process';
import { failure, type ConnectionFailure } from '../../../../shared/connection-failure.ts';
import { err, ok, type Result } from '../../../../shared/result.ts';
import type { DisposableStore } from '../../../core/lifecycle.ts';
import { plainLines } from '../../../core/plain-text.ts';
import type { OpensshCommand, SshHop } from '../../../core/tunnel/ssh-hop.ts';

/** What `ssh -G` says of the target, as far as this transport needs to know. */
export interface OpensshSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** ControlPath with its tokens expanded; null for `none`. */
  readonly controlPath: string | null;
  readonly connectTimeoutMs: number | null;
  readonly knownHostsFiles: readonly string[];
  /** Any value that takes a changed key: those are `accept-new` here. */
  readonly takesAnyHostKey: boolean;
  readonly proxyJump: readonly string[];
  readonly proxyCommand: string | null;
  /** Null where this ssh does not know the directive (before 8.7). */
  readonly forkAfterAuthentication: string | null;
}

const MAX_HOPS = 16;
/** `ssh -G` runs what `Match exec` names. */
const SETTINGS_LIMIT_MS = 15_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_DETAIL_CHARS = 400;

/** Asks `ssh -G`, which ends with `resources`. */
export function readOpensshSettings(
  openssh: OpensshCommand,
  { name, host }: SshHop,
  resources: DisposableStore,
): Promise<Result<OpensshSettings, ConnectionFailure>> {
  return new Promise((resolve) => {
    const child = execFile(
      openssh.command,
      ['-G', ...openssh.targetArgs],
      { env: { ...openssh.env }, timeout: SETTINGS_LIMIT_MS, maxBuffer: MAX_OUTPUT_BYTES },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve(ok(parseOpensshSettings(stdout)));
        } else if (error.code === 'ENOENT' || error.code === 'EACCES') {
          resolve(err(failure('openssh-missing', { target: name, reasons: [] })));
        } else if (error.killed === true) {
          resolve(err(failure('openssh-failed', { host, exitCode: null, detail: 'ssh -G: timeout' })));
        } else {
          const detail = plainLines(stderr.trim(), MAX_DETAIL_CHARS);
          resolve(err(failure('ssh-config-invalid', { target: name, detail })));
        }
      },
    );
    child.stdin?.end();
    resources.defer(() => child.kill());
  });
}

/** Reads the output of `ssh -G`: one `directive value` a line, the directive in lower case. */
export function parseOpensshSettings(output: string): OpensshSettings {
  const values = new Map<string, string>();
  for (const line of output.split('\n')) {
    const space = line.indexOf(' ');
    const name = line.slice(0, space);
    if (space > 0 && !values.has(name)) values.set(name, line.slice(space + 1).trim());
  }
  const value = (name: string): string | null => {
    const text = values.get(name);
    return text === undefined || text === '' || text === 'none' ? null : text;
  };
  const seconds = Number(value('connecttimeout') ?? Number.NaN);
  const port = Number(value('port') ?? 22);
  return {
    host: value('hostname') ?? '',
    port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : 22,
    user: value('user') ?? '',
    controlPath: value('controlpath'),
    connectTimeoutMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : null,
    knownHostsFiles: [
      ...(value('userknownhostsfile')?.split(' ') ?? []),
      ...(value('globalknownhostsfile')?.split(' ') ?? []),
    ].filter((file) => file.startsWith('/') || /^[A-Za-z]:/.test(file)),
    takesAnyHostKey: ['no', 'off', 'false'].includes(value('stricthostkeychecking') ?? 'ask'),
    proxyJump: (value('proxyjump')?.split(',') ?? []).slice(0, MAX_HOPS),
    proxyCommand: value('proxycommand'),
    forkAfterAuthentication: value('forkafterauthentication'),
  };
}
