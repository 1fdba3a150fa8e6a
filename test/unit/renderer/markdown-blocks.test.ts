import { expect, test } from 'vitest';
import { markdownBlocks } from '../../../src/renderer/chat/markdown-blocks.ts';

test.each<[string, readonly string[]]>([
  ['', ['']],
  ['one\ntwo', ['one\ntwo']],
  ['one\n\ntwo', ['one\n', 'two']],
  ['# a\n\ntext\n\n## b', ['# a\n', 'text\n', '## b']],
  ['```\na\n\nb\n```\n\nc', ['```\na\n\nb\n```\n', 'c']],
  ['````\n```\n\nb\n````\n\nc', ['````\n```\n\nb\n````\n', 'c']],
  ['~~~\n```\n\nb\n~~~\n\nc', ['~~~\n```\n\nb\n~~~\n', 'c']],
  ['```js\nstill open\n\ngoes on', ['```js\nstill open\n\ngoes on']],
  ['``` `inline` ```\n\nb', ['``` `inline` ```\n', 'b']],
  ['1. a\n\n2. b\n\n   more\n\nend', ['1. a\n\n2. b\n\n   more\n', 'end']],
  ['- a\n\n- b\n\ntext', ['- a\n\n- b\n', 'text']],
  ['> a\n\n> b', ['> a\n\n> b']],
  ['see [x][r]\n\n[r]: https://a.example', ['see [x][r]\n\n[r]: https://a.example']],
  ['note[^1]\n\n[^1]: text', ['note[^1]\n\n[^1]: text']],
])('%j is cut into %j', (text, blocks) => {
  expect(markdownBlocks(text)).toEqual(blocks);
  expect(markdownBlocks(text).join('\n')).toBe(text);
});
