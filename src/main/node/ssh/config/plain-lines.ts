/**
 * Which lines of an ssh_config file the ssh-config package reads as OpenSSH does. It differs in single quotes, escapes, quotes
 * within words, empty values (it takes the next line for the value), comment signs within words, and the blanks of commands;
 * so whatever is not written plainly is put into a line of its own kind, to be refused where it would count.
 */

/** Stands for a line that cannot be read for certain; its value is the keyword. */
export const UNSURE = 'GangwayUnsure';

/** Keywords with more than one argument (readconf.c of OpenSSH 10). */
const SEVERAL = new Set(
  [
    ['host', 'match', 'include', 'userknownhostsfile', 'globalknownhostsfile', 'canonicaldomains'],
    ['canonicalizepermittedcnames', 'sendenv', 'setenv', 'ipqos', 'rekeylimit', 'localforward'],
    ['remoteforward', 'dynamicforward', 'permitremoteopen', 'logverbose', 'addkeystoagent', 'channeltimeout'],
  ].flat(),
);
/** Their value is the rest of the line as it is. */
const COMMANDS = new Set(['proxycommand', 'knownhostscommand']);
/** Their value has no meaning here, so that it may be written in any way. */
const UNREAD_COMMANDS = new Set(['localcommand', 'remotecommand']);

const MAX_LINE_CHARS = 8_192;
// What the two readers take for blanks or not, each in its own way.
const ODD_CHARACTERS =
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  /[\u0000-\u0008\u000a-\u001f\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f\u3000\ufeff]/;
const LINE = /^[ \t]*([A-Za-z0-9]+)(?:[ \t]*=[ \t]*|[ \t]+)([^ \t=].*)$/;
const WORD = /(?:"[^"\\]*"|[^ \t"'\\#]+)/y;

/** The text with `GangwayUnsure KEYWORD` in place of every line that is not plain. */
export function withPlainLinesOnly(text: string): string {
  return text
    .split('\n')
    .map((line) => (line.length > MAX_LINE_CHARS ? `${UNSURE} line` : plainLine(trimmedEnd(line))))
    .join('\n');
}

/** OpenSSH takes a form feed at the end for a blank as well. Not by an expression, which would be slow on many blanks. */
function trimmedEnd(line: string): string {
  let end = line.length;
  while (end > 0 && ' \t\r\f'.includes(line.charAt(end - 1))) end -= 1;
  return line.slice(0, end);
}

function plainLine(line: string): string {
  if (/^[ \t]*(?:#.*)?$/.test(line)) return '';
  const [, keyword = '', value = ''] = LINE.exec(line) ?? [];
  if (keyword !== '' && !ODD_CHARACTERS.test(line)) {
    const name = keyword.toLowerCase();
    if (UNREAD_COMMANDS.has(name)) return `${keyword} unread`;
    if (COMMANDS.has(name)) {
      // Its words are joined again with one blank between, or with the sign that stood there.
      const isPlain = !/["'\\#\t]| {2}|= | =|^=|=$|==/.test(value);
      if (isPlain) return `${keyword} ${value}`;
    } else {
      const words = plainWords(value);
      const hasRoom = words !== null && (words.length === 1 || SEVERAL.has(name));
      // The package divides at "=" as well, where OpenSSH does so after the keyword only.
      if (hasRoom && !(SEVERAL.has(name) && words.some((word) => word.includes('=')))) {
        return `${keyword} ${words.join(' ')}`;
      }
    }
  }
  const first = /^[ \t"']*([A-Za-z0-9]{1,64})/.exec(line)?.[1] ?? 'line';
  const isExec = first.toLowerCase() === 'match' && /\bexec\b/i.test(line);
  return `${UNSURE} ${isExec ? 'Match exec' : first}`;
}

/** Words, and words in double quotes; null where there is something else. A comment at the end is left out. */
function plainWords(value: string): string[] | null {
  const words: string[] = [];
  let at = 0;
  while (at < value.length) {
    WORD.lastIndex = at;
    const word = WORD.exec(value)?.[0];
    if (word === undefined || word === '""') return null;
    words.push(word);
    at += word.length;
    const blanks = /^[ \t]+/.exec(value.slice(at))?.[0].length ?? 0;
    if (at < value.length && blanks === 0) return null;
    at += blanks;
    if (value[at] === '#') break;
  }
  return words.length === 0 ? null : words;
}
