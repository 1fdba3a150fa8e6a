import { expect, it } from 'vitest';
import { visibleText } from '../../src/shared/visible-text.ts';

it.each([
  ['a bidirectional override', 'ls \u202e fr-', 'ls \\u{202e} fr-'],
  ['an isolate', '\u2066x\u2069', '\\u{2066}x\\u{2069}'],
  ['a zero-width space', 'rm\u200b', 'rm\\u{200b}'],
  ['a carriage return that hides a line', 'rm -rf /\rls', 'rm -rf /\\u{d}ls'],
  ['an escape sequence', '\u001b[2K', '\\u{1b}[2K'],
  ['a tag character', 'a\u{e0041}', 'a\\u{e0041}'],
  ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
  ['a combining joiner', 'a\u034fb', 'a\\u{34f}b'],
  ['a variation selector', 'a\ufe0f', 'a\\u{fe0f}'],
  ['a selector beyond', 'a\u{e0100}', 'a\\u{e0100}'],
  ['half of a pair', 'a\ud83d', 'a\\u{d83d}'],
  ['a space that is none to a shell', 'rm\u00a0-rf', 'rm\\u{a0}-rf'],
  ['a wide space', 'rm\u3000-rf', 'rm\\u{3000}-rf'],
  ['a Hangul filler', 'a\u3164b', 'a\\u{3164}b'],
])('writes out %s', (_what, text, shown) => {
  expect(visibleText(text)).toBe(shown);
});

it('leaves text, line breaks and tabs as they are', () => {
  const text = 'echo "안녕하세요 🙂 مرحبا"\n\tls -la';
  expect(visibleText(text)).toBe(text);
});
