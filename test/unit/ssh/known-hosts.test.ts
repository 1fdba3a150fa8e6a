import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatEntry,
  judgeHostKey,
  knownHostsName,
  knownKeyTypes,
  matchesHosts,
  parseKnownHosts,
} from '../../../src/main/node/ssh/known-hosts.ts';

/** A blob with this type and content; nothing here looks further into a key. */
function blob(type: string, content: string): Buffer {
  const strings = [type, content].map((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  return Buffer.concat(strings);
}

const ED_A = blob('ssh-ed25519', 'a');
const ED_B = blob('ssh-ed25519', 'b');
const RSA_A = blob('ssh-rsa', 'a');

function line(hosts: string, key: Buffer, marker = ''): string {
  const type = key.toString('latin1', 4, 4 + key.readUInt32BE(0));
  return `${marker === '' ? '' : `${marker} `}${hosts} ${type} ${key.toString('base64')}`;
}

function hashed(name: string): string {
  const salt = Buffer.alloc(20, 7);
  const hash = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${salt.toString('base64')}|${hash}`;
}

function judge(text: string, host: string, port: number, key: Buffer): string {
  const verdict = judgeHostKey(parseKnownHosts(text, 'kh'), host, port, key);
  switch (verdict.type) {
    case 'trusted':
    case 'revoked':
      return `${verdict.type}:${verdict.entry.line}`;
    case 'changed':
      return `changed:${verdict.known.map((known) => known.line).join(',')}`;
    case 'unknown':
      return `unknown:${verdict.otherKnownTypes.join(',')}`;
  }
}

describe('judging a host key', () => {
  it.each<[string, string, string, number, Buffer, string]>([
    ['an empty file', '', 'h', 22, ED_A, 'unknown:'],
    ['the plain name', line('h', ED_A), 'h', 22, ED_A, 'trusted:1'],
    ['the name in other letters', line('Host.Example', ED_A), 'hOST.eXAMPLE', 22, ED_A, 'trusted:1'],
    ['another key of the type', line('h', ED_A), 'h', 22, ED_B, 'changed:1'],
    ['another type only', line('h', RSA_A), 'h', 22, ED_A, 'unknown:ssh-rsa'],
    ['several keys of one type', `${line('h', ED_A)}\n${line('h', ED_B)}`, 'h', 22, ED_B, 'trusted:2'],
    ['all rivals', `${line('h', ED_A)}\n${line('h', ED_A)}`, 'h', 22, ED_B, 'changed:1,2'],
    ['a list of names', line('x,h,10.0.0.1', ED_A), '10.0.0.1', 22, ED_A, 'trusted:1'],
    ['a wildcard', line('*.example.org', ED_A), 'a.b.example.org', 22, ED_A, 'trusted:1'],
    ['a wildcard for one character', line('h?', ED_A), 'h1', 22, ED_A, 'trusted:1'],
    ['a wildcard that needs a character', line('h?', ED_A), 'h', 22, ED_A, 'unknown:'],
    [
      'a negation after',
      line('*.example.org,!bad.example.org', ED_A),
      'bad.example.org',
      22,
      ED_A,
      'unknown:',
    ],
    [
      'a negation before',
      line('!bad.example.org,*.example.org', ED_A),
      'bad.example.org',
      22,
      ED_A,
      'unknown:',
    ],
    [
      'a negation of another',
      line('*.example.org,!bad.example.org', ED_A),
      'ok.example.org',
      22,
      ED_A,
      'trusted:1',
    ],
    ['a negation alone', line('!bad', ED_A), 'good', 22, ED_A, 'unknown:'],
    ['another port', line('[h]:2222', ED_A), 'h', 2222, ED_A, 'trusted:1'],
    ['another port than on file', line('[h]:2222', ED_A), 'h', 22, ED_A, 'unknown:'],
    ['the name without its port, same key', line('h', ED_A), 'h', 2222, ED_A, 'trusted:1'],
    ['the name without its port, another key', line('h', ED_A), 'h', 2222, ED_B, 'unknown:'],
    [
      'the port before the plain name',
      `${line('h', ED_A)}\n${line('[h]:2222', ED_B)}`,
      'h',
      2222,
      ED_A,
      'changed:2',
    ],
    ['a wildcard over ports', line('[*]:2222', ED_A), 'any', 2222, ED_A, 'trusted:1'],
    ['IPv6', line('::1', ED_A), '::1', 22, ED_A, 'trusted:1'],
    ['IPv6 with a port', line('[::1]:2200', ED_A), '::1', 2200, ED_A, 'trusted:1'],
    ['a hash', line(hashed('h'), ED_A), 'H', 22, ED_A, 'trusted:1'],
    ['a hash of name and port', line(hashed('[h]:2222'), ED_A), 'h', 2222, ED_A, 'trusted:1'],
    ['a hash of another name', line(hashed('g'), ED_A), 'h', 22, ED_A, 'unknown:'],
    ['a hash with another version', line(hashed('h').replace('|1|', '|2|'), ED_A), 'h', 22, ED_A, 'unknown:'],
    [
      'revoked after trusted',
      `${line('h', ED_A)}\n${line('*', ED_A, '@revoked')}`,
      'h',
      22,
      ED_A,
      'revoked:2',
    ],
    [
      'revoked before trusted',
      `${line('*', ED_A, '@revoked')}\n${line('h', ED_A)}`,
      'h',
      22,
      ED_A,
      'revoked:1',
    ],
    ['another key revoked', `${line('h', ED_A)}\n${line('*', ED_B, '@revoked')}`, 'h', 22, ED_A, 'trusted:1'],
    [
      'revoked for another host',
      `${line('h', ED_A)}\n${line('g', ED_A, '@revoked')}`,
      'h',
      22,
      ED_A,
      'trusted:1',
    ],
    ['revoked under the plain name', line('h', ED_A, '@revoked'), 'h', 2222, ED_A, 'revoked:1'],
    ['an authority with this key', line('h', ED_A, '@cert-authority'), 'h', 22, ED_A, 'unknown:'],
    ['an authority with another key', line('h', ED_B, '@cert-authority'), 'h', 22, ED_A, 'unknown:'],
    ['an unknown marker', line('h', ED_A, '@trusted'), 'h', 22, ED_A, 'unknown:'],
    ['comments and blank lines', `# h\n\n  \t\n${line('h', ED_A)} me@here`, 'h', 22, ED_A, 'trusted:4'],
    ['a commented key', `#${line('h', ED_A)}`, 'h', 22, ED_A, 'unknown:'],
    [
      'indentation, tabs and CRLF',
      `\t ${line('h', ED_A).replaceAll(' ', '\t')}\r\n`,
      'h',
      22,
      ED_A,
      'trusted:1',
    ],
    ['a type that is not the blob’s', `h ssh-rsa ${ED_A.toString('base64')}`, 'h', 22, ED_A, 'unknown:'],
    ['a broken blob', 'h ssh-ed25519 AAAA!!!!', 'h', 22, ED_A, 'unknown:'],
    ['a line of SSH 1', 'h 1024 35 1234567890', 'h', 22, ED_A, 'unknown:'],
    ['a line cut short', 'h ssh-ed25519', 'h', 22, ED_A, 'unknown:'],
  ])('%s', (_name, text, host, port, key, expected) => {
    expect(judge(text, host, port, key)).toBe(expected);
  });

  it('collects the types on file for a host, without authorities and revoked keys', () => {
    const text = [
      line('h', RSA_A),
      line('*', ED_A, '@revoked'),
      line('h', ED_B, '@cert-authority'),
      line('g', ED_A),
    ].join('\n');
    expect([...knownKeyTypes(parseKnownHosts(text, 'kh'), 'h', 22)]).toEqual(['ssh-rsa']);
  });

  it('trusts what it wrote itself, for any host, port and key', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.:-]{0,40}$/),
        fc.integer({ min: 1, max: 65_535 }),
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        (host, port, content) => {
          const key = blob('ssh-ed25519', Buffer.from(content).toString('latin1'));
          const entries = parseKnownHosts(`# x\n${formatEntry(host, port, key)}\n`, 'kh');
          expect(judgeHostKey(entries, host, port, key).type).toBe('trusted');
        },
      ),
    );
  });

  it('survives any text at all', () => {
    const word = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom('@revoked', '|1|', 'h', '*', ',', '!', 'ssh-ed25519', ED_A.toString('base64')),
    );
    const text = fc
      .array(fc.array(word, { maxLength: 6 }).map((words) => words.join(' ')))
      .map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(text, fc.string({ maxLength: 40 }), (given, host) => {
        const verdict = judgeHostKey(parseKnownHosts(given, 'kh'), host, 22, ED_A);
        expect(['trusted', 'unknown', 'changed', 'revoked']).toContain(verdict.type);
      }),
    );
  });

  it('matches a pattern full of stars in no time', () => {
    const startedAtMs = performance.now();
    expect(matchesHosts(`${'*a'.repeat(500)}b`, knownHostsName('a'.repeat(250), 22))).toBe(false);
    // Backtracking would not end in a lifetime.
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });
});
