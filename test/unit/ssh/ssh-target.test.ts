import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSshTarget } from '../../../src/shared/ssh-target.ts';

describe('an SSH target', () => {
  it.each<[string, string | null, string, number | null]>([
    ['host', null, 'host', null],
    ['  host  ', null, 'host', null],
    ['user@host', 'user', 'host', null],
    ['user@host:2222', 'user', 'host', 2222],
    ['host:22', null, 'host', 22],
    ['user.name+tag@host-1.example.org', 'user.name+tag', 'host-1.example.org', null],
    ['a@b@host', 'a@b', 'host', null],
    ['DOMAIN/user@host'.replace('/', '_'), 'DOMAIN_user', 'host', null],
    ['ssh://host', null, 'host', null],
    ['ssh://user@host:2200', 'user', 'host', 2200],
    ['SSH://user@host:2200/', 'user', 'host', 2200],
    ['ssh://[fe80::1%eth0]:2200', null, 'fe80::1%eth0', 2200],
    ['::1', null, '::1', null],
    ['user@2001:db8::5', 'user', '2001:db8::5', null],
    ['[::1]', null, '::1', null],
    ['[::1]:65535', null, '::1', 65535],
    ['user@[::ffff:10.0.0.1]:22', 'user', '::ffff:10.0.0.1', 22],
    ['10.0.0.1:22', null, '10.0.0.1', 22],
    ['ssh://a%40b@host', 'a@b', 'host', null],
    ['a%40b@host', 'a%40b', 'host', null],
    ['my_alias', null, 'my_alias', null],
    ['bücher.example', null, 'bücher.example', null],
  ])('%j', (text, user, host, port) => {
    const result = parseSshTarget(text);
    expect(result).toEqual({ ok: true, value: { original: text.trim(), user, host, port } });
  });

  it.each([
    ['', 'empty'],
    ['   ', 'empty'],
    ['-oProxyCommand=x', 'leading-dash'],
    ['user@-host', 'leading-dash'],
    ['-user@host', 'leading-dash'],
    ['ssh://-oX', 'leading-dash'],
    ['two words', 'bad-characters'],
    ['host\nother', 'bad-characters'],
    ['host\u0000', 'bad-characters'],
    ['host;reboot', 'bad-characters'],
    ['$(reboot)', 'bad-characters'],
    ['h\u202eost', 'bad-characters'],
    ['@host', 'bad-user'],
    ['a:b@host', 'bad-user'],
    ['ssh://a%20b@host', 'bad-user'],
    ['ssh://%2doProxyCommand=x@host', 'bad-user'],
    ['ssh://a%zz@host', 'bad-user'],
    ['user@', 'bad-host'],
    ['ssh://', 'bad-host'],
    ['host:', 'bad-port'],
    ['host:0', 'bad-port'],
    ['host:65536', 'bad-port'],
    ['host:22a', 'bad-port'],
    ['[::1]:', 'bad-port'],
    ['host/path', 'bad-host'],
    ['a:b:c', 'bad-host'],
    [':::1', 'bad-host'],
    ['[host]:22', 'bad-host'],
    ['[::1]x', 'bad-host'],
    ['x'.repeat(1025), 'too-long'],
  ] as const)('%j is refused: %s', (text, error) => {
    expect(parseSshTarget(text)).toEqual({ ok: false, error });
  });

  it('is never read as an option or another argument, whatever is put together from its parts', () => {
    const part = fc.constantFrom(
      ...[
        '-',
        '--',
        '-oX=y',
        '@',
        ':',
        '[',
        ']',
        '::1',
        'host',
        'u',
        '22',
        '%2d',
        '%',
        '/',
        'ssh://',
        ' ',
        ',',
        '=',
        '.',
      ],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const result = parseSshTarget(parts.join(''));
        if (!result.ok) return;
        const { host, user } = result.value;
        expect(host).not.toMatch(/^-|[\s,/@]/);
        expect(user ?? 'u').not.toMatch(/^-|[\s/:]/);
      }),
      { numRuns: 5_000 },
    );
  });

  it('takes no time for long input', () => {
    const startedAtMs = performance.now();
    for (const unit of ['@', ':', '[', '::', 'a.', '%2', '1:']) parseSshTarget(unit.repeat(100_000));
    for (const unit of ['@', ':', '[', '::', 'a.', '%2', '1:']) parseSshTarget(unit.repeat(500));
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });

  it('never crashes, and what it accepts is safe to hand to a program', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.webUrl()), (text) => {
        const result = parseSshTarget(text);
        if (!result.ok) return;
        const { host, user, port } = result.value;
        expect(host).not.toBe('');
        for (const part of [host, user ?? 'x']) {
          expect(part.startsWith('-')).toBe(false);
          expect(part).not.toMatch(/\s/);
          expect(part.length).toBeLessThanOrEqual(255);
        }
        if (port !== null) expect(port > 0 && port < 65_536).toBe(true);
      }),
    );
  });
});
