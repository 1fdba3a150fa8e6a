import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LADDER_LAYERS } from '../../../src/shared/health.ts';
import { en } from '../../../src/shared/i18n/en.ts';
import { ko } from '../../../src/shared/i18n/ko.ts';

function flatten(messages: object, prefix = ''): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(messages).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'object' && value !== null
        ? [...flatten(value, `${prefix}${key}.`)]
        : [[`${prefix}${key}`, String(value)] as const],
    ),
  );
}

const english = flatten(en);
const korean = flatten(ko);

test('both languages have the same messages, and none is empty', () => {
  expect([...korean.keys()].sort()).toEqual([...english.keys()].sort());
  for (const [key, text] of [...english, ...korean]) expect(text.trim(), key).not.toBe('');
});

test('a message takes the same parameters in both languages', () => {
  const parameters = (text: string | undefined): string[] =>
    [...(text ?? '').matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? '').sort();
  for (const [key, text] of english) {
    expect([...new Set(parameters(korean.get(key)))], key).toEqual([...new Set(parameters(text))]);
  }
});

/** What the code looks messages up by: whole keys, and beginnings of keys that end in a member of a union. */
function lookups() {
  const root = join(import.meta.dirname, '../../../src');
  const sections = Object.keys(en).join('|');
  /** Surely looked up: given to t(), or written anywhere in the renderer, where nothing else looks like a key. */
  const taken = new Set<string>();
  /** Looks like a key; names of log events and of channels do too. */
  const quoted = new Set<string>();
  const begun = new Set<string>();
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(file) || file.includes('i18n')) continue;
    const source = readFileSync(join(root, file), 'utf8');
    for (const [, key = ''] of source.matchAll(/\bt\(\s*'([\w.-]+)'/g)) taken.add(key);
    for (const [, key = ''] of source.matchAll(new RegExp(`'((?:${sections})\\.[\\w.-]+)'`, 'g'))) {
      quoted.add(key);
      if (file.startsWith('renderer')) taken.add(key);
    }
    for (const [, start = ''] of source.matchAll(new RegExp(`\`((?:${sections})\\.[\\w.-]*)\\$\\{`, 'g'))) {
      begun.add(start);
    }
  }
  return { taken, quoted, begun };
}

test('every message that the code names exists', () => {
  const { taken, begun } = lookups();
  expect(taken.size).toBeGreaterThan(150);
  expect([...taken].filter((key) => !english.has(key) && !english.has(`${key}_other`))).toEqual([]);
  expect([...begun].filter((start) => ![...english.keys()].some((key) => key.startsWith(start)))).toEqual([]);
});

test('no message is written that nothing shows', () => {
  const { quoted, begun } = lookups();
  const unused = [...english.keys()].filter(
    (key) =>
      !quoted.has(key.replace(/_(?:one|other)$/, '')) && ![...begun].some((prefix) => key.startsWith(prefix)),
  );
  expect(unused).toEqual([]);
});

test('every member of a union that a key is built from has its words', () => {
  for (const layer of LADDER_LAYERS) {
    for (const group of ['layers', 'layerHints', 'layerSubjects', 'layerUnused']) {
      expect(english.has(`health.${group}.${layer}`)).toBe(true);
    }
  }
});
