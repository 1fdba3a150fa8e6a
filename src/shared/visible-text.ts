/**
 * Characters that are there and cannot be seen, that turn the text around them, or that look like a space and are none:
 * controls, formats, bidirectional marks, selectors, separators, tags, halves of pairs. A command must not look like another one (Unicode TR 36; CVE-2021-42574, "Trojan Source").
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{Default_Ignorable_Code_Point}]/gu;
const KEPT = new Set([' ', '\n', '\t']);

/** The text with everything hidden written out, e.g. `\u{202e}`; spaces, line breaks and tabs stay. */
export function visibleText(text: string): string {
  return text.replace(HIDDEN, (character) =>
    KEPT.has(character) ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
