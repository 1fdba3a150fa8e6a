/** Values by keyword in lower case, in order: as `ssh -G` prints them, whoever read the configuration. */
export type SshOptions = ReadonlyMap<string, readonly string[]>;

const MAX_VALUES = 1_000;

/** What older versions of OpenSSH print for keywords that have another name today. */
const OLD_KEYWORDS: ReadonlyMap<string, string> = new Map([
  ['pubkeyacceptedkeytypes', 'pubkeyacceptedalgorithms'],
  ['hostbasedkeytypes', 'hostbasedacceptedalgorithms'],
  ['hostbasedacceptedkeytypes', 'hostbasedacceptedalgorithms'],
  ['challengeresponseauthentication', 'kbdinteractiveauthentication'],
  ['skeyauthentication', 'kbdinteractiveauthentication'],
  ['tisauthentication', 'kbdinteractiveauthentication'],
  ['dsaauthentication', 'pubkeyauthentication'],
]);

/** The keyword in lower case, by its name of today. */
export function canonicalKeyword(keyword: string): string {
  const name = keyword.toLowerCase();
  return OLD_KEYWORDS.get(name) ?? name;
}

/** Reads the output of `ssh -G`: one `keyword value` a line. */
export function parseSshOptions(text: string): SshOptions {
  const options = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
    const space = line.indexOf(' ');
    if (space <= 0) continue;
    const keyword = canonicalKeyword(line.slice(0, space));
    const values = options.get(keyword) ?? [];
    if (values.length < MAX_VALUES) values.push(line.slice(space + 1).trim());
    options.set(keyword, values);
  }
  return options;
}

/** Null where the keyword is not there or empty. */
export function firstValue(options: SshOptions, keyword: string): string | null {
  const value = options.get(keyword)?.[0];
  return value === undefined || value === '' ? null : value;
}

/** As `firstValue`, and null for `none`. */
export function namedValue(options: SshOptions, keyword: string): string | null {
  const value = firstValue(options, keyword);
  return value === null || value.toLowerCase() === 'none' ? null : value;
}

/** `yes` and `true` alike; null where the keyword is not there or says something else than yes or no. */
export function flagValue(options: SshOptions, keyword: string): boolean | null {
  switch (firstValue(options, keyword)?.toLowerCase()) {
    case 'yes':
    case 'true':
      return true;
    case 'no':
    case 'false':
      return false;
    default:
      return null;
  }
}

/** Null where it is not there, not a number or out of bounds. */
export function numberValue(options: SshOptions, keyword: string, min: number, max: number): number | null {
  const text = firstValue(options, keyword);
  if (text === null || !/^\d{1,10}$/.test(text)) return null;
  const value = Number(text);
  return value >= min && value <= max ? value : null;
}

/** The items of a list with commas. */
export function listValue(options: SshOptions, keyword: string): readonly string[] | null {
  const text = firstValue(options, keyword);
  return text?.split(',').filter((item) => item !== '') ?? null;
}
