import { createHmac } from 'node:crypto';
import type { KeyPair } from '../../support/lab/keys.ts';

/** The keys of the server in the differential test, and strangers of the same types. */
export interface CaseKeys {
  readonly ed: KeyPair;
  readonly ec: KeyPair;
  readonly rsa: KeyPair;
  readonly otherEd: KeyPair;
  readonly otherEc: KeyPair;
  readonly otherRsa: KeyPair;
  /** Signed the certificate of the server's Ed25519 key for the name `certified.example`. */
  readonly authority: KeyPair;
  /** That certificate: type and base64. */
  readonly certificate: string;
}

export type Verdict = 'accepted' | 'unknown' | 'changed' | 'revoked';

export interface KnownHostsCase {
  readonly name: string;
  /** The user's file, in latin1. */
  readonly text: string;
  /** A second file of the user's. */
  readonly second?: string;
  readonly global?: string;
  readonly host?: string;
  readonly port?: number;
  readonly alias?: string;
  /** HostKeyAlgorithms; default `ssh-ed25519`. */
  readonly algorithm?: string;
  /** What OpenSSH must say, so that a broken oracle is noticed. */
  readonly verdict: Verdict;
  /** Where we differ on purpose: our verdict, and why. */
  readonly ours?: { readonly verdict: Verdict; readonly reason: string };
}

const OTHER_TYPE =
  'a key of a type that is not on file is new, not changed: the person is asked, and told of the types on file';
const CERTIFICATE =
  'ssh2 cannot verify certificates: the @cert-authority line is found and leads to the OpenSSH transport';

/** A line of known_hosts with this key. */
export function line(hosts: string, key: KeyPair | string, marker = ''): string {
  const [type = '', base64 = ''] = (typeof key === 'string' ? key : key.publicKey).split(' ');
  return `${marker === '' ? '' : `${marker} `}${hosts} ${type} ${base64}`;
}

export function hashed(name: string, saltByte = 7): string {
  const salt = Buffer.alloc(20, saltByte);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

/** The same key with another field or base64 text. */
function edited(hosts: string, key: KeyPair, edit: (base64: string) => string): string {
  const [type = '', base64 = ''] = key.publicKey.split(' ');
  return `${hosts} ${type} ${edit(base64)}`;
}

function withBytes(hosts: string, key: KeyPair, edit: (blob: Buffer) => Buffer): string {
  return edited(hosts, key, (base64) => edit(Buffer.from(base64, 'base64')).toString('base64'));
}

function renamed(hosts: string, type: string, key: KeyPair): string {
  return `${hosts} ${type} ${key.publicKey.split(' ')[1] ?? ''}`;
}

/** Files of known_hosts, each with what `ssh -o StrictHostKeyChecking=yes` makes of it. The host is `h.example` on port 22. */
export function knownHostsCases(k: CaseKeys): readonly KnownHostsCase[] {
  const H = 'h.example';
  const good = line(H, k.ed);
  const bad = line(H, k.otherEd);
  const filler = Array.from({ length: 300 }, (_, index) => line(`host${index}`, k.otherEd)).join('\n');
  return [
    // Names
    { name: 'an empty file', text: '', verdict: 'unknown' },
    { name: 'the plain name', text: good, verdict: 'accepted' },
    { name: 'another name', text: line('g.example', k.ed), verdict: 'unknown' },
    { name: 'another key of the type', text: bad, verdict: 'changed' },
    { name: 'good and bad', text: `${good}\n${bad}\n`, verdict: 'accepted' },
    { name: 'bad and good', text: `${bad}\n${good}\n`, verdict: 'accepted' },
    { name: 'the name in capitals on file', text: line('H.EXAMPLE', k.ed), verdict: 'accepted' },
    { name: 'the name in capitals as typed', text: good, host: 'H.Example', verdict: 'accepted' },
    { name: 'a list of names', text: line('a,b,h.example,c', k.ed), verdict: 'accepted' },
    { name: 'a list with empty places', text: line(',,h.example,', k.ed), verdict: 'accepted' },
    { name: 'a list with blanks', text: line('a, h.example', k.ed), verdict: 'unknown' },
    { name: 'an address', text: line('192.0.2.7', k.ed), host: '192.0.2.7', verdict: 'accepted' },
    {
      name: 'the loopback address',
      text: line('127.0.0.1', k.ed),
      host: '127.0.0.1',
      verdict: 'accepted',
    },
    // Patterns
    { name: 'a star', text: line('*', k.ed), verdict: 'accepted' },
    { name: 'a star in front', text: line('*.example', k.ed), verdict: 'accepted' },
    { name: 'a star for nothing', text: line('h*.example', k.ed), verdict: 'accepted' },
    { name: 'a star over dots', text: line('*e', k.ed), host: 'a.b.c.example', verdict: 'accepted' },
    { name: 'a question mark', text: line('?.example', k.ed), verdict: 'accepted' },
    { name: 'a question mark too many', text: line('??.example', k.ed), verdict: 'unknown' },
    { name: 'a pattern in capitals', text: line('*.EXAMPLE', k.ed), verdict: 'accepted' },
    { name: 'a wildcard with another key', text: line('*', k.otherEd), verdict: 'changed' },
    {
      name: 'a wildcard beside the right line',
      text: `${line('*', k.otherEd)}\n${good}`,
      verdict: 'accepted',
    },
    { name: 'many stars', text: line('*h*.*e*x*', k.ed), verdict: 'accepted' },
    { name: 'a negation after', text: line('*.example,!h.example', k.ed), verdict: 'unknown' },
    { name: 'a negation before', text: line('!h.example,*.example', k.ed), verdict: 'unknown' },
    { name: 'a negation of another', text: line('*.example,!g.example', k.ed), verdict: 'accepted' },
    { name: 'a negation alone', text: line('!g.example', k.ed), verdict: 'unknown' },
    { name: 'a negated wildcard', text: line('h.example,!*.example', k.ed), verdict: 'unknown' },
    { name: 'a double negation', text: line('*,!!h.example', k.ed), verdict: 'accepted' },
    { name: 'an empty negation', text: line('h.example,!', k.ed), verdict: 'accepted' },
    {
      name: 'a negation in one line only',
      text: `${line('*,!h.example', k.otherEd)}\n${good}`,
      verdict: 'accepted',
    },
    {
      name: 'a pattern of 1022 characters',
      text: line(`${'a'.repeat(1022)},${H}`, k.ed),
      verdict: 'accepted',
    },
    {
      name: 'a pattern of 1023 characters',
      text: line(`${'a'.repeat(1023)},${H}`, k.ed),
      verdict: 'unknown',
    },
    {
      name: 'a long pattern after the name',
      text: line(`${H},${'a'.repeat(1023)}`, k.ed),
      verdict: 'unknown',
    },
    { name: 'a long negated pattern', text: line(`!${'a'.repeat(1022)},${H}`, k.ed), verdict: 'accepted' },
    // Ports
    { name: 'another port', text: line('[h.example]:2222', k.ed), port: 2222, verdict: 'accepted' },
    {
      name: 'another port in capitals',
      text: line('[H.example]:2222', k.ed),
      port: 2222,
      verdict: 'accepted',
    },
    { name: 'a port on file, 22 asked', text: line('[h.example]:2222', k.ed), verdict: 'unknown' },
    { name: 'port 22 in brackets', text: line('[h.example]:22', k.ed), verdict: 'unknown' },
    { name: 'brackets without a port', text: line('[h.example]', k.ed), verdict: 'unknown' },
    { name: 'the bare name for a port', text: good, port: 2222, verdict: 'accepted' },
    { name: 'the bare name with another key', text: bad, port: 2222, verdict: 'unknown' },
    { name: 'the bare name hashed', text: line(hashed(H), k.ed), port: 2222, verdict: 'accepted' },
    { name: 'the bare name revoked', text: line(H, k.ed, '@revoked'), port: 2222, verdict: 'revoked' },
    {
      name: 'the port changed, the bare name good',
      text: `${line('[h.example]:2222', k.otherEd)}\n${good}`,
      port: 2222,
      verdict: 'changed',
    },
    {
      name: 'the port of another type, the bare name good',
      text: `${line('[h.example]:2222', k.rsa)}\n${good}`,
      port: 2222,
      verdict: 'changed',
      ours: { verdict: 'unknown', reason: OTHER_TYPE },
    },
    {
      name: 'the port revoked, the bare name good',
      text: `${line('[h.example]:2222', k.ed, '@revoked')}\n${good}`,
      port: 2222,
      verdict: 'revoked',
    },
    {
      name: 'a wildcard over names at a port',
      text: line('[*]:2222', k.ed),
      port: 2222,
      verdict: 'accepted',
    },
    { name: 'a wildcard over ports', text: line('[h.example]:*', k.ed), port: 2222, verdict: 'accepted' },
    { name: 'a star for host and port', text: line('*', k.ed), port: 2222, verdict: 'accepted' },
    { name: 'a negated port', text: line('*,![h.example]:2222', k.ed), port: 2222, verdict: 'accepted' },
    {
      name: 'a negated bare name',
      text: line('[h.example]:2222,!h.example', k.ed),
      port: 2222,
      verdict: 'accepted',
    },
    // IPv6
    { name: 'IPv6', text: line('2001:db8::1', k.ed), host: '2001:db8::1', verdict: 'accepted' },
    { name: 'IPv6 in capitals', text: line('2001:DB8::1', k.ed), host: '2001:db8::1', verdict: 'accepted' },
    {
      name: 'IPv6 with a port',
      text: line('[2001:db8::1]:2222', k.ed),
      host: '2001:db8::1',
      port: 2222,
      verdict: 'accepted',
    },
    {
      name: 'IPv6 in brackets, 22 asked',
      text: line('[2001:db8::1]', k.ed),
      host: '2001:db8::1',
      verdict: 'unknown',
    },
    { name: 'IPv6 with a zone', text: line('fe80::1%lo', k.ed), host: 'fe80::1%lo', verdict: 'accepted' },
    {
      name: 'IPv6 with a zone and a port',
      text: line('[fe80::1%lo]:2222', k.ed),
      host: 'fe80::1%lo',
      port: 2222,
      verdict: 'accepted',
    },
    { name: 'IPv6 without the zone', text: line('fe80::1', k.ed), host: 'fe80::1%lo', verdict: 'unknown' },
    {
      name: 'IPv6 hashed',
      text: line(hashed('2001:db8::1'), k.ed),
      host: '2001:db8::1',
      verdict: 'accepted',
    },
    // HostKeyAlias
    { name: 'an alias', text: line('alias', k.ed), alias: 'alias', verdict: 'accepted' },
    {
      name: 'an alias without the port',
      text: line('alias', k.ed),
      alias: 'alias',
      port: 2222,
      verdict: 'accepted',
    },
    {
      name: 'an alias with the port on file',
      text: line('[alias]:2222', k.ed),
      alias: 'alias',
      port: 2222,
      verdict: 'unknown',
    },
    { name: 'an alias, the host on file', text: good, alias: 'alias', verdict: 'unknown' },
    {
      name: 'an alias, the host on file at a port',
      text: good,
      alias: 'alias',
      port: 2222,
      verdict: 'unknown',
    },
    {
      name: 'an alias in brackets',
      text: line('[h.example]:2222', k.ed),
      alias: '[h.example]:2222',
      verdict: 'accepted',
    },
    { name: 'an alias in capitals', text: line('alias', k.ed), alias: 'ALIAS', verdict: 'accepted' },
    { name: 'an alias hashed', text: line(hashed('alias'), k.ed), alias: 'Alias', verdict: 'accepted' },
    // Hashes
    { name: 'a hash', text: line(hashed(H), k.ed), verdict: 'accepted' },
    { name: 'a hash, capitals typed', text: line(hashed(H), k.ed), host: 'H.EXAMPLE', verdict: 'accepted' },
    { name: 'a hash of capitals', text: line(hashed('H.EXAMPLE'), k.ed), verdict: 'unknown' },
    {
      name: 'a hash with a port',
      text: line(hashed('[h.example]:2222'), k.ed),
      port: 2222,
      verdict: 'accepted',
    },
    { name: 'a hash with another key', text: line(hashed(H), k.otherEd), verdict: 'changed' },
    { name: 'a hash of another name', text: line(hashed('g.example'), k.ed), verdict: 'unknown' },
    { name: 'a hash in a list', text: line(`${hashed(H)},x`, k.ed), verdict: 'unknown' },
    { name: 'two hashes in a list', text: line(`${hashed(H)},${hashed(H, 8)}`, k.ed), verdict: 'unknown' },
    { name: 'a hash of version 2', text: line(hashed(H).replace('|1|', '|2|'), k.ed), verdict: 'unknown' },
    {
      name: 'a hash with a short salt',
      text: line(hashed(H).replace('BwcHB', 'BwcH'), k.ed),
      verdict: 'unknown',
    },
    { name: 'a hash without padding', text: line(hashed(H).replace(/=$/, ''), k.ed), verdict: 'unknown' },
    { name: 'a hash with a bar more', text: line(`${hashed(H)}|`, k.ed), verdict: 'unknown' },
    { name: 'a negated hash', text: line(`!${hashed(H)}`, k.ed), verdict: 'unknown' },
    { name: 'a revoked hash', text: line(hashed(H), k.ed, '@revoked'), verdict: 'revoked' },
    // Key types
    {
      name: 'another type only',
      text: line(H, k.rsa),
      verdict: 'changed',
      ours: { verdict: 'unknown', reason: OTHER_TYPE },
    },
    {
      name: 'another type in the global file only',
      text: '',
      global: line(H, k.ec),
      verdict: 'changed',
      ours: { verdict: 'unknown', reason: OTHER_TYPE },
    },
    { name: 'several types', text: [line(H, k.rsa), line(H, k.ec), good].join('\n'), verdict: 'accepted' },
    { name: 'several types, ours changed', text: [line(H, k.rsa), bad].join('\n'), verdict: 'changed' },
    { name: 'RSA', text: line(H, k.rsa), algorithm: 'rsa-sha2-512', verdict: 'accepted' },
    { name: 'RSA changed', text: line(H, k.otherRsa), algorithm: 'rsa-sha2-256', verdict: 'changed' },
    {
      name: 'RSA under the name of its signature',
      text: renamed(H, 'rsa-sha2-512', k.rsa),
      algorithm: 'rsa-sha2-512',
      verdict: 'accepted',
    },
    { name: 'ECDSA', text: line(H, k.ec), algorithm: 'ecdsa-sha2-nistp256', verdict: 'accepted' },
    { name: 'ECDSA changed', text: line(H, k.otherEc), algorithm: 'ecdsa-sha2-nistp256', verdict: 'changed' },
    { name: 'a type that is not the blob’s', text: renamed(H, 'ssh-rsa', k.ed), verdict: 'unknown' },
    {
      name: 'another curve than the blob’s',
      text: renamed(H, 'ecdsa-sha2-nistp384', k.ec),
      algorithm: 'ecdsa-sha2-nistp256',
      verdict: 'unknown',
    },
    { name: 'a type in capitals', text: renamed(H, 'SSH-ED25519', k.ed), verdict: 'unknown' },
    { name: 'a type that nobody knows', text: renamed(H, 'ssh-future', k.ed), verdict: 'unknown' },
    {
      name: 'a certificate as a key',
      text: `${H} ${k.certificate}`,
      verdict: 'changed',
      ours: { verdict: 'unknown', reason: OTHER_TYPE },
    },
    // Base64 and blobs
    { name: 'base64 cut short', text: edited(H, k.ed, (text) => text.slice(0, -4)), verdict: 'unknown' },
    {
      name: 'base64 with a stray character',
      text: edited(H, k.ed, (text) => `${text.slice(0, 20)}!${text.slice(20)}`),
      verdict: 'unknown',
    },
    { name: 'base64 with padding too much', text: edited(H, k.ed, (text) => `${text}=`), verdict: 'unknown' },
    {
      name: 'base64 with its padding',
      text: line(H, k.ec),
      algorithm: 'ecdsa-sha2-nistp256',
      verdict: 'accepted',
    },
    {
      name: 'base64 without its padding',
      text: edited(H, k.ec, (text) => text.replace(/=+$/, '')),
      algorithm: 'ecdsa-sha2-nistp256',
      verdict: 'unknown',
    },
    {
      name: 'text after the padding',
      text: edited(H, k.ec, (text) => `${text}A`),
      algorithm: 'ecdsa-sha2-nistp256',
      verdict: 'unknown',
    },
    {
      name: 'a form feed in base64',
      text: edited(H, k.ed, (text) => `${text.slice(0, 20)}\f${text.slice(20)}`),
      verdict: 'accepted',
    },
    {
      name: 'a carriage return in base64',
      text: edited(H, k.ed, (text) => `${text.slice(0, 20)}\r${text.slice(20)}`),
      verdict: 'accepted',
    },
    {
      name: 'a blank in base64',
      text: edited(H, k.ed, (text) => `${text.slice(0, 20)} ${text.slice(20)}`),
      verdict: 'unknown',
    },
    {
      name: 'base64 for web addresses',
      text: edited(H, k.ed, (text) => `${text.slice(0, 60)}-_${text.slice(62)}`),
      verdict: 'unknown',
    },
    {
      name: 'a byte too many',
      text: withBytes(H, k.ed, (blob) => Buffer.concat([blob, Buffer.alloc(3)])),
      verdict: 'unknown',
    },
    { name: 'a byte too few', text: withBytes(H, k.ed, (blob) => blob.subarray(0, -1)), verdict: 'unknown' },
    {
      name: 'a point off its curve',
      text: withBytes(H, k.ec, (blob) =>
        Buffer.concat([blob.subarray(0, -1), Buffer.from([(blob.at(-1) ?? 0) ^ 1])]),
      ),
      algorithm: 'ecdsa-sha2-nistp256',
      verdict: 'unknown',
    },
    {
      name: 'a short RSA modulus',
      text: `${H} ssh-rsa ${shortRsa()}`,
      algorithm: 'rsa-sha2-512',
      verdict: 'unknown',
    },
    { name: 'no key', text: `${H} ssh-ed25519`, verdict: 'unknown' },
    { name: 'no key but blanks', text: `${H} ssh-ed25519 \t `, verdict: 'unknown' },
    { name: 'no type', text: H, verdict: 'unknown' },
    { name: 'a comment for a type', text: `${H} # ssh-ed25519`, verdict: 'unknown' },
    // Markers
    { name: 'revoked', text: line(H, k.ed, '@revoked'), verdict: 'revoked' },
    { name: 'revoked for all', text: line('*', k.ed, '@revoked'), verdict: 'revoked' },
    { name: 'revoked after good', text: `${good}\n${line('*', k.ed, '@revoked')}`, verdict: 'revoked' },
    { name: 'revoked before good', text: `${line('*', k.ed, '@revoked')}\n${good}`, verdict: 'revoked' },
    { name: 'revoked in the second file', text: good, second: line(H, k.ed, '@revoked'), verdict: 'revoked' },
    { name: 'revoked in the global file', text: good, global: line(H, k.ed, '@revoked'), verdict: 'revoked' },
    {
      name: 'revoked for another host',
      text: `${good}\n${line('g.example', k.ed, '@revoked')}`,
      verdict: 'accepted',
    },
    { name: 'another key revoked', text: `${good}\n${line(H, k.otherEd, '@revoked')}`, verdict: 'accepted' },
    { name: 'only another key revoked', text: line(H, k.otherEd, '@revoked'), verdict: 'unknown' },
    { name: 'changed and revoked', text: `${bad}\n${line(H, k.ed, '@revoked')}`, verdict: 'revoked' },
    {
      name: 'revoked but negated',
      text: `${good}\n${line('*,!h.example', k.ed, '@revoked')}`,
      verdict: 'accepted',
    },
    { name: 'revoked by its certificate', text: `${good}\n@revoked * ${k.certificate}`, verdict: 'revoked' },
    {
      name: 'a broken revoked line',
      text: `${good}\n${edited(`@revoked ${H}`, k.ed, (text) => text.slice(4))}`,
      verdict: 'accepted',
    },
    { name: 'a marker and tabs', text: line(H, k.ed, '@revoked').replaceAll(' ', '\t'), verdict: 'revoked' },
    {
      name: 'a marker, a tab, then blanks',
      text: line(H, k.ed, '@revoked').replace(' ', '\t'),
      verdict: 'unknown',
    },
    { name: 'a marker in capitals', text: line(H, k.ed, '@REVOKED'), verdict: 'unknown' },
    { name: 'a marker that nobody knows', text: line(H, k.ed, '@trusted'), verdict: 'unknown' },
    { name: 'two markers', text: line(H, k.ed, '@revoked @cert-authority'), verdict: 'unknown' },
    { name: 'the same marker twice', text: line(H, k.ed, '@revoked @revoked'), verdict: 'unknown' },
    { name: 'a marker alone', text: '@revoked', verdict: 'unknown' },
    { name: 'a marker with blanks before', text: `  ${line(H, k.ed, '@revoked')}`, verdict: 'revoked' },
    {
      name: 'an authority with the server’s key',
      text: line(H, k.ed, '@cert-authority'),
      verdict: 'unknown',
    },
    {
      name: 'an authority with another key',
      text: line(H, k.authority, '@cert-authority'),
      verdict: 'unknown',
    },
    {
      name: 'an authority beside the key',
      text: `${line(H, k.authority, '@cert-authority')}\n${good}`,
      verdict: 'accepted',
    },
    {
      name: 'a certified host',
      text: line('*.example', k.authority, '@cert-authority'),
      host: 'certified.example',
      algorithm: 'ssh-ed25519-cert-v01@openssh.com,ssh-ed25519',
      verdict: 'accepted',
      ours: { verdict: 'unknown', reason: CERTIFICATE },
    },
    {
      name: 'a certified host at a port, by the bare name',
      text: line('certified.example', k.authority, '@cert-authority'),
      host: 'certified.example',
      port: 2222,
      algorithm: 'ssh-ed25519-cert-v01@openssh.com,ssh-ed25519',
      verdict: 'accepted',
      ours: { verdict: 'unknown', reason: CERTIFICATE },
    },
    {
      name: 'a revoked authority',
      text: `${line('*', k.authority, '@cert-authority')}\n${line('*', k.authority, '@revoked')}`,
      host: 'certified.example',
      algorithm: 'ssh-ed25519-cert-v01@openssh.com,ssh-ed25519',
      verdict: 'revoked',
      ours: {
        verdict: 'unknown',
        reason: 'ssh2 never sees the certificate, and the plain key is not on file',
      },
    },
    // Lines and files
    { name: 'comments and blank lines', text: `# h.example\n\n  \t\n${good} me@here\n`, verdict: 'accepted' },
    { name: 'a commented key', text: `#${good}`, verdict: 'unknown' },
    { name: 'a comment after blanks', text: `  # ${good}`, verdict: 'unknown' },
    { name: 'a comment with anything in it', text: `${good} # @revoked * !\t\u00e9`, verdict: 'accepted' },
    { name: 'tabs', text: good.replaceAll(' ', '\t'), verdict: 'accepted' },
    { name: 'many blanks', text: `  ${good.replaceAll(' ', ' \t  ')}   `, verdict: 'accepted' },
    { name: 'CRLF', text: `# x\r\n\r\n${good}\r\n`, verdict: 'accepted' },
    { name: 'CRLF with a comment', text: `${good} me\r\n${bad}\r\n`, verdict: 'accepted' },
    { name: 'CRLF, changed', text: `${bad}\r\n`, verdict: 'changed' },
    { name: 'carriage returns alone', text: `${good}\r${bad}\r`, verdict: 'unknown' },
    { name: 'a carriage return in front', text: `\r${good}`, verdict: 'unknown' },
    { name: 'a vertical tab in front', text: `\v${good}`, verdict: 'unknown' },
    { name: 'a no-break space for a blank', text: good.replace(' ', '\u00a0'), verdict: 'unknown' },
    { name: 'a byte order mark', text: `\u00ef\u00bb\u00bf${good}`, verdict: 'unknown' },
    {
      name: 'a byte order mark before a comment',
      text: `\u00ef\u00bb\u00bf# x\n${good}`,
      verdict: 'accepted',
    },
    { name: 'a zero byte after the key', text: `${good}\0 rest\n`, verdict: 'accepted' },
    { name: 'a zero byte in the name', text: `h\0${good}\n`, verdict: 'unknown' },
    { name: 'no newline at the end', text: `${line('g.example', k.ed)}\n${good}`, verdict: 'accepted' },
    { name: 'a line of SSH 1', text: `${H} 1024 35 1234567890123`, verdict: 'unknown' },
    { name: 'a line of SSH 1 before', text: `${H} 1024 35 1234567890123\n${good}`, verdict: 'accepted' },
    { name: 'broken lines around', text: `${H}\n@\n|1|x|y z\n${good}\n!!\n,`, verdict: 'accepted' },
    { name: 'an old list with the address', text: line('h.example,192.0.2.7', k.ed), verdict: 'accepted' },
    { name: 'a very long comment', text: `${good} ${'x'.repeat(300_000)}\n`, verdict: 'accepted' },
    { name: 'a very long list', text: line(`${'n.example,'.repeat(20_000)}${H}`, k.ed), verdict: 'accepted' },
    { name: 'a very long broken line before', text: `${'y'.repeat(200_000)}\n${good}`, verdict: 'accepted' },
    { name: 'many lines', text: `${filler}\n${good}\n${filler}`, verdict: 'accepted' },
    {
      name: 'text in another language',
      text: `h\u00f6st ssh-ed25519 AAAA\n${good} \u00e9\u00e8`,
      verdict: 'accepted',
    },
    { name: 'the second file', text: '', second: good, verdict: 'accepted' },
    { name: 'the global file', text: '', global: good, verdict: 'accepted' },
    { name: 'changed in one, good in the other', text: bad, second: good, verdict: 'accepted' },
    { name: 'changed in the user’s, good in the global', text: bad, global: good, verdict: 'accepted' },
    { name: 'good in the user’s, changed in the global', text: good, global: bad, verdict: 'accepted' },
    { name: 'changed in the global file', text: '', global: bad, verdict: 'changed' },
  ];
}

/** A public RSA key of 768 bits. */
function shortRsa(): string {
  const strings = [
    Buffer.from('ssh-rsa'),
    Buffer.from([1, 0, 1]),
    Buffer.concat([Buffer.from([0]), Buffer.alloc(96, 0xd1)]),
  ];
  return Buffer.concat(
    strings.flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  ).toString('base64');
}
