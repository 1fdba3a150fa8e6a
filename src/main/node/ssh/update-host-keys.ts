import type { ConnectionFailure } from '../../../shared/connection-failure.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import type { LogFields, LogLevel } from '../../core/ports.ts';
import type { SshHop } from '../../core/tunnel/ssh-hop.ts';
import type { HostKeyCheck } from './host-key-check.ts';
import { linesOf, readKnownHostsText, rewriteKnownHosts } from './known-hosts-file.ts';
import {
  formatEntry,
  knownHostsName,
  matchesHosts,
  parseKnownHosts,
  type KnownHostsEntry,
} from './known-hosts.ts';
import { fingerprintOf, keyTypeOfBlob, parsePublicKeyBlob } from './public-key-blob.ts';
import { SSH2_KEY_TYPES } from './ssh-algorithms.ts';

/** UpdateHostKeys of ssh_config(5) and hostkeys-00@openssh.com of OpenSSH's PROTOCOL file, section 2.5. */

/** What the connection's own server has shown: name in known_hosts, and the keys that it has proved to hold. */
export interface ProvenHostKeys {
  readonly host: string;
  readonly port: number;
  /** The key that this connection was accepted by. */
  readonly accepted: Buffer;
  /** In the server's order; wire format. */
  readonly proven: readonly Buffer[];
}

export type HostKeyUpdate =
  | { readonly type: 'none'; readonly reason: string }
  | {
      readonly type: 'update';
      /** Keys to be written. */
      readonly learnt: readonly Buffer[];
      /** Fingerprints of keys that the server has no longer. */
      readonly deprecated: readonly string[];
    };

/**
 * What is to change in the user's files. As OpenSSH's client does, nothing where a line of the host is a wildcard, a list of
 * more than two names, an authority or a revocation, nor where one of the keys stands under another name as well.
 */
export function planHostKeyUpdate(
  entries: readonly KnownHostsEntry[],
  keys: ProvenHostKeys,
  offeredAlgorithms: readonly string[],
): HostKeyUpdate {
  const announced = acceptable(keys.proven, offeredAlgorithms);
  if (announced === null) return none('the server named a key twice');
  if (!holds(announced, keys.accepted)) return none('the server did not prove the key in use');
  const name = knownHostsName(keys.host, keys.port);
  const lines = entries.filter((entry) => !entry.isCertificate);
  const ofHost = lines.filter((entry) => matchesHosts(entry.hosts, name));
  const elsewhere = lines.filter((entry) => !matchesHosts(entry.hosts, name));
  const plain = ofHost.filter((entry) => entry.marker === 'none');
  const known = plain.map((entry) => entry.blob);
  const learnt = announced.filter((key) => !holds(known, key));
  const old = plain.filter((entry) => isDeprecated(entry, announced));
  if (learnt.length === 0 && old.length === 0) return none('nothing new');
  if (ofHost.some((entry) => entry.marker !== 'none')) return none('an authority or a revocation is on file');
  if (plain.some((entry) => isComplex(entry.hosts))) return none('the name on file is a pattern or a list');
  const touched = [...announced, ...old.map((entry) => entry.blob)];
  if (elsewhere.some((entry) => holds(touched, entry.blob)))
    return none('a key is on file under another name');
  return { type: 'update', learnt, deprecated: old.map((entry) => fingerprintOf(entry.blob)) };
}

/**
 * One file's text after the update: lines with keys that the server has no longer go, new keys come at the end of the
 * first file. Every other byte stays.
 */
export function updatedText(
  text: string,
  keys: ProvenHostKeys,
  options: {
    readonly offeredAlgorithms: readonly string[];
    readonly isFirst: boolean;
    readonly hash: boolean;
  },
): string {
  const announced = acceptable(keys.proven, options.offeredAlgorithms) ?? [];
  // OpenSSH gathers a host's keys in the first file.
  const kept = options.isFirst ? announced : [];
  const name = knownHostsName(keys.host, keys.port);
  const ofHost = parseKnownHosts(text, '').filter(
    (entry) => entry.marker === 'none' && matchesHosts(entry.hosts, name),
  );
  const stale = new Set(ofHost.filter((entry) => isDeprecated(entry, kept)).map((entry) => entry.line));
  const lines = linesOf(text).filter((_line, index) => !stale.has(index + 1));
  const present = ofHost.map((entry) => entry.blob);
  const added = kept
    .filter((key) => !holds(present, key))
    .map((key) => `${formatEntry(keys.host, keys.port, key, options.hash)}\n`);
  const before = lines.join('');
  const newline = added.length > 0 && before !== '' && !before.endsWith('\n') ? '\n' : '';
  return `${before}${newline}${added.join('')}`;
}

/** Reads, plans and writes. The result says what was done. */
export async function updateHostKeys(
  hop: Pick<SshHop, 'knownHostsFiles' | 'hashKnownHosts' | 'algorithms'>,
  keys: ProvenHostKeys,
): Promise<Result<HostKeyUpdate, ConnectionFailure>> {
  const files = hop.knownHostsFiles.user;
  const offeredAlgorithms = hop.algorithms.serverHostKey;
  const entries: KnownHostsEntry[] = [];
  for (const file of files) {
    const text = await readKnownHostsText(file);
    if (!text.ok) return text;
    entries.push(...parseKnownHosts(text.value ?? '', file));
  }
  const update = planHostKeyUpdate(entries, keys, offeredAlgorithms);
  if (update.type === 'none') return ok(update);
  for (const [index, file] of files.entries()) {
    const options = { offeredAlgorithms, isFirst: index === 0, hash: hop.hashKnownHosts };
    const written = await rewriteKnownHosts(file, (text) => updatedText(text, keys, options));
    if (!written.ok) return err(written.error);
  }
  return ok(update);
}

/**
 * Learns the keys that a server has proved to hold, where its accepted key may vouch for them and the configuration says
 * `yes`. With `ask` nothing is learnt: the keys come after the login, when a connection made in the background may ask
 * nothing any more; OpenSSH's client leaves it as well where it may not ask (BatchMode). Never fails: it says in the log what
 * came of it.
 */
export async function learnHostKeys(
  hop: SshHop,
  check: HostKeyCheck,
  proven: readonly Buffer[],
  log: (level: LogLevel, event: string, fields: LogFields) => void,
): Promise<void> {
  const accepted = check.voucher;
  if (hop.updateHostKeys !== 'yes' || accepted === null) {
    const reason = accepted === null ? 'the key in use may not vouch for others' : 'not switched on';
    log('debug', 'ssh.host-keys-kept', { reason });
    return;
  }
  const updated = await updateHostKeys(hop, { ...check.place, accepted, proven });
  if (!updated.ok) {
    const { code } = updated.error;
    log('warn', 'ssh.host-keys-failed', { code });
  } else if (updated.value.type === 'none') {
    log('debug', 'ssh.host-keys-kept', { reason: updated.value.reason });
  } else {
    const { learnt, deprecated } = updated.value;
    log('info', 'ssh.host-keys-updated', {
      learnt: learnt.map(fingerprintOf).join(' '),
      deprecated: deprecated.join(' '),
    });
  }
}

/** Plain keys of the types that the configuration asks for, in canonical form. Null when one comes twice. */
function acceptable(proven: readonly Buffer[], offeredAlgorithms: readonly string[]): Buffer[] | null {
  const keys: Buffer[] = [];
  for (const blob of proven) {
    const key = parsePublicKeyBlob(blob);
    if (key === null || key.isCertificate || !isOffered(key.keyType, offeredAlgorithms)) continue;
    if (holds(keys, key.plain)) return null;
    keys.push(key.plain);
  }
  return keys;
}

function isOffered(keyType: string, offeredAlgorithms: readonly string[]): boolean {
  return keyType === 'ssh-rsa'
    ? offeredAlgorithms.some((name) => name === 'rsa-sha2-256' || name === 'rsa-sha2-512')
    : offeredAlgorithms.includes(keyType);
}

/** Not among the server's keys, though it would be there if the server still had it. */
function isDeprecated(entry: KnownHostsEntry, announced: readonly Buffer[]): boolean {
  // Of a type that ssh2 cannot read in the server's list, it cannot be known whether the server still has it.
  const isReadable = !entry.isCertificate && SSH2_KEY_TYPES.has(keyTypeOfBlob(entry.blob) ?? '');
  return isReadable && !holds(announced, entry.blob);
}

/** OpenSSH itself writes `host` and `host,address`; whatever else is the user's own. */
function isComplex(hosts: string): boolean {
  return /[*?]/.test(hosts) || hosts.split(',').length > 2;
}

function holds(keys: readonly Buffer[], key: Buffer): boolean {
  return keys.some((other) => other.equals(key));
}

function none(reason: string): HostKeyUpdate {
  return { type: 'none', reason };
}
