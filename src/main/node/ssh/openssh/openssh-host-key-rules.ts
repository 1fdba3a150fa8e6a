import { failure, type ConnectionFailure } from '../../../../shared/connection-failure.ts';
import type { EndRule, OpensshEnd } from './openssh-end.ts';

/** What ssh says of host keys that it does not take. Texts are those of OpenSSH 7.4 to 10 in the C locale. */
export const HOST_KEY_RULES: readonly EndRule[] = [
  {
    line: /^Host key for (\S+) has changed and you have requested strict checking/,
    failure: (end, [, name = '']) => (isUnproven(end, name) ? changedKey(end, name) : null),
  },
  {
    line: /^(?:The )?(?:\S+ )?[Hh]ost key for (\S+) (?:is marked as revoked|was revoked and you have requested strict checking)/,
    failure: (end, [, name = '']) => {
      if (!isUnproven(end, name)) return null;
      const fingerprint = end.progress.hostKey?.fingerprint ?? '';
      return failure('host-key-revoked', { host: placeOf(name).host, fingerprint, file: '', line: 0 });
    },
  },
  {
    line: /^No \S+ host key is known for (\S+) and you have requested strict checking/,
    failure: (end, [, name = '']) => {
      if (!isUnproven(end, name)) return null;
      const { type: keyType = '', fingerprint = '' } = end.progress.hostKey ?? {};
      const file = end.settings.knownHostsFiles[0] ?? '';
      return failure('host-key-unknown', { ...placeOf(name), keyType, fingerprint, file });
    },
  },
  {
    // A jump's, whose StrictHostKeyChecking says no: then ssh takes the changed key, and forwards nothing.
    line: /^Error: forwarding disabled due to host key check failure/,
    failure: (end) => {
      const name = end.hopNames[end.progress.proven];
      return name === undefined ? null : changedKey(end, name);
    },
  },
  {
    line: /^Host key verification failed/,
    failure: (end) =>
      failure('host-key-declined', {
        host: end.settings.host,
        fingerprint: end.progress.hostKey?.fingerprint ?? '',
      }),
  },
];

function changedKey(end: OpensshEnd, name: string): ConnectionFailure {
  const offered = end.lines.map((line) => /^(SHA256:[A-Za-z0-9+/]+)\.?$/.exec(line)?.[1]).find(Boolean);
  const hostKey = end.progress.hostKey;
  return failure('host-key-changed', {
    ...placeOf(name),
    keyType: hostKey?.type ?? '',
    offeredFingerprint: offered ?? hostKey?.fingerprint ?? '',
    known: end.lines.flatMap((line) => {
      const match = /^Offending (\S+) key in (.+):(\d+)$/.exec(line);
      if (match === null) return [];
      const [, keyType = '', file = '', at = '0'] = match;
      return [{ keyType, fingerprint: '', file, line: Number(at) }];
    }),
  });
}

/**
 * Whether a line may speak of that host's key. A server that has proved its own can write such a line itself (see `proven`), but
 * of hosts behind it only, whose keys it could as well replace.
 */
function isUnproven({ hopNames, progress }: OpensshEnd, name: string): boolean {
  return progress.proven === 0 || hopNames.slice(progress.proven).includes(name.toLowerCase());
}

/** `host`, or `[host]:port`, as in known_hosts. */
function placeOf(name: string): { readonly host: string; readonly port: number } {
  const match = /^\[(.+)\]:(\d{1,5})$/.exec(name);
  return match?.[1] === undefined ? { host: name, port: 22 } : { host: match[1], port: Number(match[2]) };
}
