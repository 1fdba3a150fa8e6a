import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainLines, plainText } from '../../../src/main/core/plain-text.ts';

describe('a foreign text', () => {
  it.each([
    ['an escape sequence', 'a\u001b[31mb', 'ab'],
    ['a bidirectional override', 'invoice\u202egpj.exe', 'invoicegpj.exe'],
    ['isolates', 'a\u2066b\u2069c', 'abc'],
    ['zero width', 'pass\u200bword', 'password'],
    ['tags', 'x\u{e0041}y', 'xy'],
    ['a NUL', 'a\u0000b', 'ab'],
    ['line breaks', ' a\r\nb\n\nc\t', 'a b c'],
  ])('loses %s', (_what, text, expected) => {
    expect(plainText(text, 100)).toBe(expected);
  });

  it('keeps the languages of the world and whole characters', () => {
    expect(plainText('비밀번호: é 👍 نعم', 100)).toBe('비밀번호: é 👍 نعم');
    expect(plainText('👍👍👍', 2)).toBe('👍👍');
  });

  it('keeps its lines where they are wanted', () => {
    expect(plainLines('a\r\nb\rc', 100)).toBe('a\nb\nc');
  });

  it('is never longer than it may be, and well-formed', () => {
    const anything = fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
      .map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(anything, fc.nat({ max: 50 }), (text, max) => {
        const plain = plainText(text, max);
        expect(Array.from(plain).length).toBeLessThanOrEqual(max);
        expect(Buffer.from(plain, 'utf8').toString('utf8')).toBe(plain);
      }),
    );
  });
});
