/** Longest text that goes into one field of a log line or a failure's detail. */
const MAX_CHARS = 2000;
const MARK = '[redacted]';
/** Shorter values would blank out ordinary words; nobody's token is that short. */
const MIN_SECRET_CHARS = 6;

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g, MARK],
  [/\b(authorization\s*[:=]\s*)[^\r\n,;"'}]+/gi, `$1${MARK}`],
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${MARK}`],
  [
    /((?:token|password|passphrase|secret|private_?key|api_?key|signature)["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s,;&"'}\]]+)/gi,
    `$1${MARK}`,
  ],
  [/([a-z][a-z0-9+.-]*:\/\/[^/\s:@]*):[^/\s@]+@/gi, `$1:${MARK}@`],
];

/**
 * Takes secrets out of text before it is written anywhere: by shape (PEM blocks, Authorization, `token=…`, credentials
 * in URLs) and by value, for the secrets that main has handled in this run.
 */
export class Redactor {
  readonly #secrets = new Set<string>();

  /** From now on the value is taken out wherever it stands, also in its JSON, URL and base64 forms. */
  addSecret(value: string): void {
    if (value.length < MIN_SECRET_CHARS) return;
    this.#secrets.add(value);
    this.#secrets.add(JSON.stringify(value).slice(1, -1));
    this.#secrets.add(encodeURIComponent(value));
    this.#secrets.add(Buffer.from(value, 'utf8').toString('base64'));
  }

  /** The text without secrets and control characters, at most 2,000 characters long. */
  redact(text: string): string {
    // Cut late, so that a secret across the cut is still recognised; bounded early, so that a huge text costs little.
    let result = text.slice(0, 4 * MAX_CHARS);
    for (const secret of this.#secrets) result = result.replaceAll(secret, MARK);
    for (const [pattern, replacement] of PATTERNS) result = result.replace(pattern, replacement);
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    result = result.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, ' ').replaceAll('\n', ' ⏎ ');
    return result.length > MAX_CHARS ? `${result.slice(0, MAX_CHARS)}…` : result;
  }
}
