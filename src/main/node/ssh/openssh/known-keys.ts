import type { ConnectionFailure, KnownHostKey } from '../../../../shared/connection-failure.ts';
import { failure } from '../../../../shared/connection-failure.ts';
import type { SshHop } from '../../../core/tunnel/ssh-hop.ts';
import type { HostKeyQuestion } from '../../tunnel/tunnel-session.ts';
import { loadKnownHosts } from '../known-hosts-file.ts';
import {
  DEFAULT_SSH_PORT,
  knownHostsName,
  knownKeyTypes,
  matchesHosts,
  type KnownHostsEntry,
} from '../known-hosts.ts';
import { fingerprintOf } from '../public-key-blob.ts';

/** With the types of that host's keys that are on file: ssh does not name them. */
export async function withKnownTypes(
  question: HostKeyQuestion,
  files: readonly string[],
): Promise<HostKeyQuestion> {
  const types = knownKeyTypes(await entriesOf(files), question.host, question.port);
  return { ...question, otherKnownTypes: [...types].filter((type) => type !== question.keyType) };
}

/** What ssh calls a hop in known_hosts (`knownHostsName`): an alias stands alone. */
export function knownName({ hostKeyAlias, host, port }: SshHop): string {
  return hostKeyAlias?.toLowerCase() ?? knownHostsName(host, port);
}

/**
 * Completes what ssh says of keys on file: fingerprints where it names lines, lines where it names fingerprints. `files` are
 * those of all hops.
 */
export async function withKnownKeys(
  why: ConnectionFailure,
  files: readonly string[],
): Promise<ConnectionFailure> {
  switch (why.code) {
    case 'host-key-changed': {
      const { host, port, offeredFingerprint } = why.facts;
      const names = [knownHostsName(host, port), knownHostsName(host, DEFAULT_SSH_PORT)];
      const entries = (await entriesOf(files)).filter(
        (entry) =>
          entry.marker === 'none' &&
          names.some((name) => matchesHosts(entry.hosts, name)) &&
          fingerprintOf(entry.blob) !== offeredFingerprint,
      );
      // What is named here may be removed: only lines that are what ssh says of them.
      const known = why.facts.known.flatMap((key): KnownHostKey[] => {
        const entry = entries.find(({ file, line }) => file === key.file && line === key.line);
        if (entry === undefined) return [];
        return [{ ...key, keyType: entry.keyType, fingerprint: fingerprintOf(entry.blob) }];
      });
      return failure('host-key-changed', { ...why.facts, known });
    }
    case 'host-key-revoked': {
      const revoked = (await entriesOf(files)).find(
        (entry) => entry.marker === 'revoked' && fingerprintOf(entry.blob) === why.facts.fingerprint,
      );
      if (revoked === undefined) return why;
      return failure('host-key-revoked', { ...why.facts, file: revoked.file, line: revoked.line });
    }
    default:
      return why;
  }
}

async function entriesOf(files: readonly string[]): Promise<readonly KnownHostsEntry[]> {
  const loaded = await loadKnownHosts(files);
  return loaded.ok ? loaded.value : [];
}
