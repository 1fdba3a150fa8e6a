import { createHmac, randomBytes } from 'node:crypto';
import type { KnownHostKey } from '../../../shared/connection-failure.ts';
import {
  canonicalKeyType,
  decodeBase64,
  fingerprintOf,
  keyTypeOfBlob,
  parsePublicKeyBlob,
} from './public-key-blob.ts';
import { matchesPattern } from './config/patterns.ts';

/**
 * known_hosts as sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", describes it, and where that is silent as OpenSSH's client reads
 * it: parsing and matching only, no files. Texts are bytes in latin1, so that every file comes out as it went in.
 * Certificate authorities are read but never match a plain key: ssh2 cannot verify host certificates.
 */
export interface KnownHostsEntry {
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  /** The host field as written: a hash, or patterns separated by commas. */
  readonly hosts: string;
  /** Of the plain key. */
  readonly keyType: string;
  /** The plain public key in its canonical form (`PublicKeyBlob`). */
  readonly blob: Buffer;
  /** The line holds a certificate: it names a key, but equals none. */
  readonly isCertificate: boolean;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

export type HostKeyVerdict =
  | {
      readonly type: 'trusted';
      readonly entry: KnownHostsEntry;
      /** Found under the name without its port only. */
      readonly withoutPort: boolean;
    }
  | { readonly type: 'unknown'; readonly otherKnownTypes: readonly string[] }
  /** Another key of the same type is on file. */
  | { readonly type: 'changed'; readonly known: readonly KnownHostKey[] }
  | { readonly type: 'revoked'; readonly entry: KnownHostsEntry };

export const DEFAULT_SSH_PORT = 22;

/** OpenSSH's limit: with a longer pattern a whole list matches nothing. */
const MAX_PATTERN_CHARS = 1022;
const SALT_BYTES = 20;

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
    const entry = parseLine(raw, file, line);
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

function parseLine(raw: string, file: string, line: number): KnownHostsEntry | null {
  // To OpenSSH a line ends at its first zero byte. A carriage return is no white space to it, and ends up in the last field.
  const end = raw.indexOf('\0');
  const text = skipBlanks(end === -1 ? raw : raw.slice(0, end));
  if (text === '' || text.startsWith('#')) return null;
  const marked = readMarker(text);
  if (marked === null) return null;
  const [hosts, afterHosts] = nextField(marked.rest);
  if (afterHosts.startsWith('#')) return null;
  const [typeName, afterType] = nextField(afterHosts);
  const [base64] = nextField(afterType);
  if (base64 === '') return null;
  const bytes = decodeBase64(base64);
  const key = bytes === null ? null : parsePublicKeyBlob(bytes);
  // The type is written twice, outside and inside the blob; a line where they differ is broken.
  if (bytes === null || key === null || keyTypeOfBlob(bytes) !== canonicalKeyType(typeName)) return null;
  const { keyType, plain, isCertificate } = key;
  return { marker: marked.marker, hosts, keyType, blob: plain, isCertificate, file, line };
}

/** One marker at most; a second one, or an unknown one, spoils the line. */
function readMarker(
  text: string,
): { readonly marker: KnownHostsEntry['marker']; readonly rest: string } | null {
  if (!text.startsWith('@')) return { marker: 'none', rest: text };
  // OpenSSH looks for a space in the whole line first: a tab ends a marker only where no space follows anywhere.
  const space = text.indexOf(' ');
  const end = space === -1 ? text.indexOf('\t') : space;
  const marker = end === -1 ? undefined : MARKERS.get(text.slice(0, end));
  if (marker === undefined) return null;
  const rest = skipBlanks(text.slice(end));
  return rest.startsWith('@') ? null : { marker, rest };
}

function skipBlanks(text: string): string {
  return text.replace(/^[ \t]+/, '');
}

/** The text up to the next blank, and what comes after the blanks. */
function nextField(text: string): readonly [string, string] {
  const end = text.search(/[ \t]/);
  return end === -1 ? [text, ''] : [text.slice(0, end), skipBlanks(text.slice(end))];
}

/** The name under which a host is kept: `host`, or `[host]:port` for other ports than 22; always in lower case. */
export function knownHostsName(host: string, port: number): string {
  // ASCII only: no letter from elsewhere may become one of another name.
  const name = lowerCase(Buffer.from(host, 'utf8').toString('latin1'));
  return port === DEFAULT_SSH_PORT ? name : `[${name}]:${port}`;
}

function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Whether this name, written into a file, would mean this host and nothing else. */
export function isRecordableName(name: string): boolean {
  return /^[^@#|!\s*?,][^\s*?,]*$/.test(name) && !/[\0-\x20\x7f]/.test(name);
}

/** A line for a plain (unhashed) or hashed entry, without its newline; in latin1. */
export function formatEntry(host: string, port: number, blob: Buffer, isHashed = false): string {
  const name = knownHostsName(host, port);
  const hosts = isHashed ? hashName(name, randomBytes(SALT_BYTES)) : name;
  return `${hosts} ${keyTypeOfBlob(blob) ?? ''} ${blob.toString('base64')}`;
}

/** `|1|salt|hash`: HMAC-SHA1 of the name under the salt. */
function hashName(name: string, salt: Buffer): string {
  const hash = createHmac('sha1', salt).update(name, 'latin1').digest('base64');
  return `|1|${salt.toString('base64')}|${hash}`;
}

/** Whether the host field of an entry covers this name (as `knownHostsName` gives it). */
export function matchesHosts(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHash(hosts, name);
  let found = false;
  for (const part of hosts.split(',')) {
    const negated = part.startsWith('!');
    const pattern = lowerCase(negated ? part.slice(1) : part);
    if (pattern.length > MAX_PATTERN_CHARS) return false;
    if (pattern === '' || !matchesPattern(pattern, name)) continue;
    // A negated match wins over every other pattern of the line.
    if (negated) return false;
    found = true;
  }
  return found;
}

/** OpenSSH compares the text: other ways to write the same hash do not match. */
function matchesHash(hosts: string, name: string): boolean {
  const [, version, salt] = hosts.split('|');
  if (version !== '1' || salt === undefined) return false;
  const key = decodeBase64(salt);
  return key?.length === SALT_BYTES && hashName(name, key) === hosts;
}

/**
 * Judges a host's key. Revocation is decided first, over all entries; several keys of one host and type are all good.
 * OpenSSH's client calls a key of a type that is not on file yet "changed" too; here it is unknown, and the other types
 * on file are told of.
 */
export function judgeHostKey(
  entries: readonly KnownHostsEntry[],
  host: string,
  port: number,
  blob: Buffer,
): HostKeyVerdict {
  const verdict = judgeName(entries, knownHostsName(host, port), blob);
  if (verdict.type !== 'unknown' || port === DEFAULT_SSH_PORT) return verdict;
  // OpenSSH falls back to the name without a port, and takes only a matching key from there. With any key on file under the
  // full name it would have refused already.
  const withoutPort = judgeName(entries, knownHostsName(host, DEFAULT_SSH_PORT), blob);
  switch (withoutPort.type) {
    case 'trusted':
      return verdict.otherKnownTypes.length > 0 ? verdict : { ...withoutPort, withoutPort: true };
    case 'revoked':
      return withoutPort;
    case 'unknown':
    case 'changed':
      return verdict;
  }
}

function judgeName(entries: readonly KnownHostsEntry[], name: string, offered: Buffer): HostKeyVerdict {
  const key = parsePublicKeyBlob(offered);
  const keyType = key?.keyType ?? keyTypeOfBlob(offered);
  const blob = key?.plain ?? offered;
  const ofHost = entriesOf(entries, name);
  const revoked = ofHost.find((entry) => entry.marker === 'revoked' && entry.blob.equals(blob));
  if (revoked !== undefined) return { type: 'revoked', entry: revoked };
  const unmarked = ofHost.filter((entry) => entry.marker === 'none');
  const plain = unmarked.filter((entry) => !entry.isCertificate);
  const same = plain.find((entry) => entry.blob.equals(blob));
  if (same !== undefined) return { type: 'trusted', entry: same, withoutPort: false };
  const rivals = plain.filter((entry) => entry.keyType === keyType);
  if (rivals.length > 0) return { type: 'changed', known: rivals.map(describe) };
  return { type: 'unknown', otherKnownTypes: [...new Set(unmarked.map((entry) => entry.keyType))] };
}

/** Types of the plain keys on file for a host. */
export function knownKeyTypes(
  entries: readonly KnownHostsEntry[],
  host: string,
  port: number,
): ReadonlySet<string> {
  return new Set(
    entriesOf(entries, knownHostsName(host, port))
      .filter((entry) => entry.marker === 'none' && !entry.isCertificate)
      .map((entry) => entry.keyType),
  );
}

/**
 * The `@cert-authority` line that vouches for this host's certificates, if any: the host's key is then to be judged by
 * somebody who can verify certificates. An authority that is revoked for the host vouches for nothing.
 */
export function certAuthorityOf(
  entries: readonly KnownHostsEntry[],
  host: string,
  port: number,
): KnownHostsEntry | null {
  for (const name of new Set([knownHostsName(host, port), knownHostsName(host, DEFAULT_SSH_PORT)])) {
    const ofHost = entriesOf(entries, name);
    const revoked = ofHost.filter((entry) => entry.marker === 'revoked');
    const authority = ofHost.find(
      (entry) => entry.marker === 'cert-authority' && !revoked.some((other) => other.blob.equals(entry.blob)),
    );
    if (authority !== undefined) return authority;
  }
  return null;
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
