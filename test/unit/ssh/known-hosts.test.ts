import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  certAuthorityOf,
  formatEntry,
  isRecordableName,
  judgeHostKey,
  knownHostsName,
  knownKeyTypes,
  matchesHosts,
  parseKnownHosts,
} from '../../../src/main/node/ssh/known-hosts.ts';

/** A well-formed key of this type, made of the content: RSA with 2048 bits, anything else as Ed25519. */
function blob(type: 'ssh-ed25519' | 'ssh-rsa', content: string): Buffer {
  const seed = createHash('sha256').update(content).digest();
  const modulus = Buffer.concat([Buffer.from([0, 0x80]), ...Array.from({ length: 8 }, () => seed)]).subarray(
    0,
    257,
  );
  const fields = type === 'ssh-rsa' ? [Buffer.from([1, 0, 1]), modulus] : [seed];
  return Buffer.concat(
    [Buffer.from(type), ...fields].flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
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
    [
      'the port of another type only, the plain name good',
      `${line('[h]:2222', RSA_A)}\n${line('h', ED_A)}`,
      'h',
      2222,
      ED_A,
      'unknown:ssh-rsa',
    ],
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

  it('keeps a key that is written in another form, but is the same', () => {
    const padded = Buffer.concat([RSA_A.subarray(0, 18), Buffer.from([0, 0, 1, 2, 0]), RSA_A.subarray(22)]);
    expect(judge(line('h', padded), 'h', 22, RSA_A)).toBe('trusted:1');
  });

  it('folds only ASCII letters: no other letter becomes one of them', () => {
    // The Kelvin sign's lower case is a plain k.
    expect(judge(line('k', ED_A), '\u212a', 22, ED_A)).toBe('unknown:');
    expect(judge(line(Buffer.from('h\u00f6st').toString('latin1'), ED_A), 'H\u00f6st', 22, ED_A)).toBe(
      'trusted:1',
    );
  });

  it('finds the authority of a host, by its name with the port or without, unless it is revoked', () => {
    const authority = (text: string, host: string, port: number): number | null =>
      certAuthorityOf(parseKnownHosts(text, 'kh'), host, port)?.line ?? null;
    const text = `${line('h', ED_A)}\n${line('*.example', ED_B, '@cert-authority')}`;
    expect(authority(text, 'a.example', 22)).toBe(2);
    expect(authority(text, 'a.example', 2222)).toBe(2);
    expect(authority(text, 'h', 22)).toBeNull();
    expect(authority(`${text}\n${line('*', ED_B, '@revoked')}`, 'a.example', 22)).toBeNull();
  });

  it.each(['a*', 'a,b', '!a', '#a', '@a', '|1|a', 'a b', 'a\tb', 'a\nb', 'a\0b', '', '?', 'a\u00a0b'])(
    'does not write the name %j down',
    (name) => expect(isRecordableName(name)).toBe(false),
  );

  it.each(['h', '[h]:22', 'fe80::1%lo', '[fe80::1%lo]:22', 'h\u00c3\u00b6st', 'a_b-c.d'])(
    'writes the name %j down',
    (name) => expect(isRecordableName(name)).toBe(true),
  );

  it('trusts what it wrote itself, for any host, port and key, plain and hashed', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 65_535 }),
        fc.string(),
        fc.boolean(),
        (host, port, content, isHashed) => {
          const key = blob('ssh-ed25519', content);
          const entries = parseKnownHosts(`# x\n${formatEntry(host, port, key, isHashed)}\n`, 'kh');
          const { type } = judgeHostKey(entries, host, port, key);
          if (isHashed || isRecordableName(knownHostsName(host, port))) expect(type).toBe('trusted');
          expect(judgeHostKey(entries, `${host}x`, port, key).type).not.toBe('changed');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('names nobody else by what it writes', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 20 }),
        fc.string({ minLength: 1, maxLength: 20 }),
        (a, b) => {
          const [name, other] = [knownHostsName(a, 22), knownHostsName(b, 22)];
          fc.pre(name !== other && isRecordableName(name));
          const entries = parseKnownHosts(formatEntry(a, 22, ED_A), 'kh');
          expect(judgeHostKey(entries, b, 22, ED_A).type).toBe('unknown');
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('hostile known_hosts files', () => {
  const LIMIT_MS = 10_000;
  const word = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 10 }),
    fc.constantFrom(
      '@revoked',
      '@cert-authority',
      '|1|',
      hashed('h'),
      'h',
      '[h]:22',
      '*',
      ',',
      '!',
      '#',
      '\0',
      '\r',
      '\t',
      'ssh-ed25519',
      'ssh-rsa',
      'ecdsa-sha2-nistp256',
      'ssh-ed25519-cert-v01@openssh.com',
      ED_A.toString('base64'),
      RSA_A.toString('base64'),
    ),
  );
  const text = fc
    .array(fc.tuple(fc.array(word, { maxLength: 6 }), fc.constantFrom(' ', '\t', '')), { maxLength: 40 })
    .map((lines) => lines.map(([words, blank]) => words.join(blank)).join('\n'));

  it('survives any text at all', () => {
    fc.assert(
      fc.property(
        text,
        fc.string({ maxLength: 40 }),
        fc.integer({ min: 1, max: 65_535 }),
        (given, host, port) => {
          const entries = parseKnownHosts(given, 'kh');
          const verdict = judgeHostKey(entries, host, port, ED_A);
          expect(['trusted', 'unknown', 'changed', 'revoked']).toContain(verdict.type);
          certAuthorityOf(entries, host, port);
          knownKeyTypes(entries, host, port);
        },
      ),
      { numRuns: 2_000, interruptAfterTimeLimit: LIMIT_MS, markInterruptAsFailure: true },
    );
  });

  it('survives any key blob, as the offered key and on file', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // A good blob with a few bytes turned.
      fc
        .tuple(fc.constantFrom(ED_A, RSA_A), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }))
        .map(([key, edits]) => {
          const copy = Buffer.from(key);
          for (const [at, value] of edits) copy[at % copy.length] = value;
          return copy;
        }),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom('ssh-ed25519', 'ssh-rsa'), (given, type) => {
        const offered = Buffer.from(given);
        const entries = parseKnownHosts(`h ${type} ${offered.toString('base64')}\n${line('h', ED_A)}`, 'kh');
        const { type: verdict } = judgeHostKey(entries, 'h', 22, offered);
        const isKnown = entries.some((entry) => entry.line === 1) || offered.equals(ED_A);
        if (isKnown) expect(verdict).toBe('trusted');
        else expect(verdict).not.toBe('trusted');
      }),
      { numRuns: 2_000, interruptAfterTimeLimit: LIMIT_MS, markInterruptAsFailure: true },
    );
  });

  it('reads a large file of the worst lines in bounded time', () => {
    const worst = [
      '@'.repeat(1_000),
      `${' '.repeat(100_000)}x`,
      `${'*a'.repeat(500)}b ssh-ed25519 ${ED_A.toString('base64')}`,
      `${','.repeat(100_000)} ssh-ed25519 ${ED_A.toString('base64')}`,
      `h ssh-ed25519 ${'A'.repeat(200_000)}`,
    ];
    const given = Array.from({ length: 10 }, () => worst.join('\n')).join('\n');
    const startedAtMs = performance.now();
    judgeHostKey(parseKnownHosts(given, 'kh'), 'a'.repeat(250), 2222, ED_B);
    expect(performance.now() - startedAtMs).toBeLessThan(LIMIT_MS);
  });

  it('matches a pattern full of stars in no time', () => {
    const startedAtMs = performance.now();
    expect(matchesHosts(`${'*a'.repeat(500)}b`, knownHostsName('a'.repeat(250), 22))).toBe(false);
    // Backtracking would not end in a lifetime.
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });
});
