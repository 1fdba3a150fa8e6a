import fc from 'fast-check';
import SSHConfig from 'ssh-config';
import { describe, expect, it } from 'vitest';
import { matchesPattern, matchesPatterns } from '../../../src/main/node/ssh/config/patterns.ts';
import { withPlainLinesOnly } from '../../../src/main/node/ssh/config/plain-lines.ts';
import { expandProxyTokens } from '../../../src/main/node/ssh/config/tokens.ts';

const piece = fc.constantFrom(
  ...[
    'Host',
    'Match',
    'Include',
    'User',
    'ProxyCommand',
    'host',
    'exec',
    'all',
    '!',
    '*',
    '?',
    '"',
    "'",
    '\\',
  ],
  ...['#', '=', ' ', '\t', '\r', '\n', ',', 'a', '%h', '\u00a0', '\ufeff', '\u0000'],
);

describe('lines for the ssh-config package', () => {
  it.each([
    ['Host a b', 'Host a b'],
    ['  Port=22 # x', 'Port 22'],
    ['User "a b"', 'User "a b"'],
    ['ProxyCommand nc -x=1 %h', 'ProxyCommand nc -x=1 %h'],
    ['RemoteCommand "odd', 'RemoteCommand unread'],
    ['# comment', ''],
    ["User 'a'", 'GangwayUnsure User'],
    ['Port', 'GangwayUnsure Port'],
    ['Port 1 2', 'GangwayUnsure Port'],
    ['Match exec "a=b"', 'GangwayUnsure Match exec'],
    ['User a\u00a0b', 'GangwayUnsure User'],
    ['x'.repeat(10_000), 'GangwayUnsure line'],
  ])('%j becomes %j', (line, plain) => {
    expect(withPlainLinesOnly(line)).toBe(plain);
  });

  it('keep their number, and the package reads one directive from each', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('');
        const plain = withPlainLinesOnly(text);
        expect(plain.split('\n').length).toBe(text.split('\n').length);
        // Its parser refuses half a criterion; that is an answer as well.
        let config: SSHConfig;
        try {
          config = SSHConfig.parse(plain);
        } catch (error) {
          expect(String(error)).toContain('Missing value for match criteria');
          return;
        }
        let count = 0;
        for (const line of config) {
          if ('param' in line) count += 1;
          if ('config' in line) count += line.config.filter((inner) => 'param' in inner).length;
        }
        expect(count).toBe(plain.split('\n').filter((line) => line.trim() !== '').length);
      }),
      { numRuns: 3_000 },
    );
  });

  it('take no time for hostile files', () => {
    const startedAtMs = performance.now();
    for (const unit of [' ', '\t', '"', 'a ', '= ', '\\', '# ', 'Host * ']) {
      SSHConfig.parse(withPlainLinesOnly(`User ${unit.repeat(4_000)}x\n`.repeat(20)));
    }
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
  });
});

describe('patterns', () => {
  it('are those of ssh_config(5)', () => {
    expect(matchesPattern('web?', 'web')).toBe(false);
    expect(matchesPattern('web?', 'web1')).toBe(true);
    expect(matchesPattern('a.c', 'abc')).toBe(false);
    expect(matchesPatterns(['*', '!box'], 'box')).toBe(false);
    expect(matchesPatterns(['!box'], 'other')).toBe(false);
  });

  it('take no time for many stars', () => {
    const startedAtMs = performance.now();
    expect(matchesPattern('*a'.repeat(400), 'a'.repeat(399))).toBe(false);
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });
});

describe('tokens of ProxyCommand', () => {
  it('are expanded once', () => {
    const facts = { name: 'box', host: '%p.internal', port: 22, user: 'u', hostKeyAlias: null, jump: '' };
    expect(expandProxyTokens('x %h %n %p %r %% %%h %z', facts)).toBe('x %p.internal box 22 u % %h %z');
  });
});
