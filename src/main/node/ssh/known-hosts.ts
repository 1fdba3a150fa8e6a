import { createHash, createHmac } from 'node:crypto';
import type { KnownHostKey } from '../../../shared/connection-failure.ts';

/**
 * known_hosts as sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", describes it: parsing and matching only, no files.
 * Certificate authorities are read but never match a plain key: ssh2 cannot verify host certificates.
 */
export interface KnownHostsEntry {
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  /** The host field as written: a hash, or patterns separated by commas. */
  readonly hosts: string;
  readonly keyType: string;
  /** The public key as on the wire (RFC 4253, section 6.6). */
  readonly blob: Buffer;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

export type HostKeyVerdict =
  | { readonly type: 'trusted'; readonly entry: KnownHostsEntry }
  | { readonly type: 'unknown'; readonly otherKnownTypes: readonly string[] }
  /** Another key of the same type is on file. */
  | { readonly type: 'changed'; readonly known: readonly KnownHostKey[] }
  | { readonly type: 'revoked'; readonly entry: KnownHostsEntry };

export const DEFAULT_SSH_PORT = 22;

const MAX_LINE_CHARS = 65_536;
const MAX_PATTERN_CHARS = 1024;

const MARKERS: ReadonlyMap<string, KnownHostsEntry['marker']> = new Map([
  ['@revoked', 'revoked'],
  ['@cert-authority', 'cert-authority'],
]);

/** Reads all entries; lines that are not entries are skipped, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHostsEntry[] {
  const entries: KnownHostsEntry[] = [];
  let line = 0;
  for (const raw of text.split('\n')) {
    line += 1;
    if (raw.length > MAX_LINE_CHARS) continue;
    const entry = parseLine(raw, file, line);
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

function parseLine(raw: string, file: string, line: number): KnownHostsEntry | null {
  const text = raw.trim();
  if (text === '' || text.startsWith('#')) return null;
  const fields = text.split(/[ \t]+/);
  const marker = text.startsWith('@') ? MARKERS.get(fields.shift() ?? '') : 'none';
  if (marker === undefined) return null;
  const [hosts, keyType, base64] = fields;
  if (hosts === undefined || keyType === undefined || base64 === undefined) return null;
  const blob = decodeBlob(base64);
  // The type is written twice, outside and inside the blob; a line where they differ is broken.
  if (blob === null || keyTypeOfBlob(blob) !== keyType) return null;
  return { marker, hosts, keyType, blob, file, line };
}

function decodeBlob(base64: string): Buffer | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  return Buffer.from(base64, 'base64');
}

/** First string of a public key blob: its type. Null where the blob is not one. */
export function keyTypeOfBlob(blob: Buffer): string | null {
  if (blob.length < 4) return null;
  const length = blob.readUInt32BE(0);
  if (length === 0 || length > 128 || blob.length < 4 + length) return null;
  return blob.toString('latin1', 4, 4 + length);
}

/** `SHA256:` and unpadded base64, as OpenSSH prints it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** The name under which a host is kept: `host`, or `[host]:port` for other ports than 22; always in lower case. */
export function knownHostsName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === DEFAULT_SSH_PORT ? name : `[${name}]:${port}`;
}

/** A line for a plain (unhashed) entry, without its newline. */
export function formatEntry(host: string, port: number, blob: Buffer): string {
  return `${knownHostsName(host, port)} ${keyTypeOfBlob(blob) ?? ''} ${blob.toString('base64')}`;
}

/** Whether the host field of an entry covers this name (as `knownHostsName` gives it). */
export function matchesHosts(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHash(hosts, name);
  let found = false;
  for (const part of hosts.split(',')) {
    if (part.length > MAX_PATTERN_CHARS) return false;
    const negated = part.startsWith('!');
    const pattern = (negated ? part.slice(1) : part).toLowerCase();
    if (pattern === '' || !matchesPattern(pattern, name)) continue;
    // A negated match wins over every other pattern of the line.
    if (negated) return false;
    found = true;
  }
  return found;
}

/** `|1|salt|hash`: HMAC-SHA1 of the name under the salt. */
function matchesHash(hosts: string, name: string): boolean {
  const [, version, salt, hash, ...more] = hosts.split('|');
  if (version !== '1' || salt === undefined || hash === undefined || more.length > 0) return false;
  const key = Buffer.from(salt, 'base64');
  if (key.length !== 20) return false;
  return createHmac('sha1', key).update(name).digest().equals(Buffer.from(hash, 'base64'));
}

/** `*` stands for any run of characters, `?` for one. Linear in the text for each star: no backtracking explosion. */
function matchesPattern(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resumeAt = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p;
      p += 1;
      resumeAt = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p += 1;
      t += 1;
    } else if (star !== -1) {
      p = star + 1;
      resumeAt += 1;
      t = resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** Judges a host's key. Revocation is decided first; several keys of one host and type are all good. */
export function judgeHostKey(
  entries: readonly KnownHostsEntry[],
  host: string,
  port: number,
  blob: Buffer,
): HostKeyVerdict {
  const keyType = keyTypeOfBlob(blob);
  const ofHost = entriesOf(entries, knownHostsName(host, port));
  const revoked = ofHost.find((entry) => entry.marker === 'revoked' && entry.blob.equals(blob));
  if (revoked !== undefined) return { type: 'revoked', entry: revoked };
  const plain = ofHost.filter((entry) => entry.marker === 'none');
  const same = plain.find((entry) => entry.blob.equals(blob));
  if (same !== undefined) return { type: 'trusted', entry: same };
  const rivals = plain.filter((entry) => entry.keyType === keyType);
  if (rivals.length > 0) return { type: 'changed', known: rivals.map(describe) };
  if (port !== DEFAULT_SSH_PORT) {
    // OpenSSH falls back to the name without a port, and takes only a matching key from there.
    const withoutPort = judgeHostKey(entries, host, DEFAULT_SSH_PORT, blob);
    if (withoutPort.type === 'trusted' || withoutPort.type === 'revoked') return withoutPort;
  }
  return { type: 'unknown', otherKnownTypes: [...new Set(plain.map((entry) => entry.keyType))] };
}

/** Types of the plain keys on file for a host. */
export function knownKeyTypes(
  entries: readonly KnownHostsEntry[],
  host: string,
  port: number,
): ReadonlySet<string> {
  return new Set(
    entriesOf(entries, knownHostsName(host, port))
      .filter((entry) => entry.marker === 'none')
      .map((entry) => entry.keyType),
  );
}

function entriesOf(entries: readonly KnownHostsEntry[], name: string): KnownHostsEntry[] {
  return entries.filter((entry) => matchesHosts(entry.hosts, name));
}

function describe(entry: KnownHostsEntry): KnownHostKey {
  return {
    keyType: entry.keyType,
    fingerprint: fingerprintOf(entry.blob),
    file: entry.file,
    line: entry.line,
  };
}
