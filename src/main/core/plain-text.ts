/** Controls, characters that hide or reorder others (bidirectional overrides, zero width), lone surrogates. */
const UNPRINTABLE =
  // eslint-disable-next-line no-control-regex -- control characters are what is removed
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** Colours and cursor movements of a terminal (ECMA-48, control sequences): without this their parameters would stay. */
// eslint-disable-next-line no-control-regex -- control characters are what is removed
const TERMINAL_SEQUENCE = /\u001b\[[0-?]*[ -/]*[@-~]/g;

/** A foreign text on one line: bounded, without what a terminal or a dialog would act on. */
export function plainText(text: string, maxChars: number): string {
  return plainLines(text, maxChars)
    .replace(/[\t\n ]+/g, ' ')
    .trim();
}

/** The same with its line breaks and tabs. */
export function plainLines(text: string, maxChars: number): string {
  // Cut twice: a huge text is not searched through, and what is removed does not count.
  const clean = text
    .slice(0, maxChars * 4)
    .replace(/\r\n?/g, '\n')
    .replace(TERMINAL_SEQUENCE, '')
    .replace(UNPRINTABLE, '');
  return Array.from(clean).slice(0, maxChars).join('');
}
