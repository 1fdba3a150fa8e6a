import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LADDER_LAYERS } from '../../../src/shared/health.ts';
import { en } from '../../../src/shared/i18n/en.ts';
import { createTranslate } from '../../../src/shared/i18n/index.ts';
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

test('every message that a screen names exists', () => {
  const root = join(import.meta.dirname, '../../../src/renderer');
  const named = new Set<string>();
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(file)) continue;
    const source = readFileSync(join(root, file), 'utf8');
    for (const match of source.matchAll(
      /'((?:chat|common|health|notices|prompts|settings|status)\.[\w.-]+)'/g,
    )) {
      if (match[1] !== undefined) named.add(match[1]);
    }
  }
  expect(named.size).toBeGreaterThan(100);
  const known = (key: string): boolean => english.has(key) || english.has(`${key}_other`);
  expect([...named].filter((key) => !known(key))).toEqual([]);
});

test('every member of a union that a key is built from has its words', () => {
  const t = createTranslate('ko');
  for (const layer of LADDER_LAYERS) {
    expect(t(`health.layers.${layer}`)).not.toContain('health.');
    expect(t(`health.layerHints.${layer}`)).not.toContain('health.');
  }
});
