import { sshDirective } from '../../../core/ssh/directives.ts';
import { err, ok, type Result } from '../../../../shared/result.ts';
import type { SshQuestion } from './ask-openssh.ts';
import type { ConfigLine } from './config-tree.ts';
import { matchesPatternList, matchesPatterns } from './patterns.ts';
import { canonicalKeyword, type SshOptions } from './ssh-options.ts';

/** Directives that add up; of all others the first one wins. */
const ADDING = new Set([
  'identityfile',
  'certificatefile',
  'localforward',
  'remoteforward',
  'dynamicforward',
  'sendenv',
]);
const LISTS = new Set(['kexalgorithms', 'ciphers', 'macs', 'hostkeyalgorithms', 'pubkeyacceptedalgorithms']);
const PATH_LISTS = new Set(['userknownhostsfile', 'globalknownhostsfile']);
const TIMES = new Set(['connecttimeout', 'serveraliveinterval']);
const NUMBERS = new Set(['port', 'serveralivecountmax', 'numberofpasswordprompts']);
/** Honoured keywords with a few values only. */
const ENUMS: ReadonlyMap<string, readonly string[]> = new Map([
  ...[
    ['identitiesonly', 'hashknownhosts', 'passwordauthentication', 'kbdinteractiveauthentication'],
    ['tcpkeepalive', 'gssapiauthentication', 'hostbasedauthentication'],
  ]
    .flat()
    .map((keyword): [string, readonly string[]] => [keyword, ['yes', 'no', 'true', 'false']]),
  ['pubkeyauthentication', ['yes', 'no', 'true', 'false', 'unbound', 'host-bound']],
  ['updatehostkeys', ['yes', 'no', 'true', 'false', 'ask']],
  ['stricthostkeychecking', ['yes', 'no', 'true', 'false', 'off', 'ask', 'accept-new']],
  ['addressfamily', ['any', 'inet', 'inet6']],
]);

/** Directives of the past that OpenSSH passes over (readconf.c, oIgnore and oDeprecated). */
const PASSED_OVER = new Set(
  [
    ['protocol', 'cipher', 'compressionlevel', 'fallbacktorsh', 'usersh', 'useroaming', 'useprivilegedport'],
    ['rsaauthentication', 'rhostsauthentication', 'rhostsrsaauthentication'],
    ['globalknownhostsfile2', 'userknownhostsfile2'],
  ].flat(),
);

/** Directives that are not evaluated for certain, as ssh_config(5) spells them. */
export type Unsure = readonly string[];

/**
 * What the configuration says of a host, in the shape of `ssh -G`, for computers without OpenSSH. The ssh-config package reads the lines;
 * they are evaluated here, because its `compute` matches by looser rules than OpenSSH, knows no Include and no negated Match,
 * and runs programs (Match exec, nslookup). What only OpenSSH can tell is an error, never a guess.
 */
export function evaluateConfig(
  files: readonly (readonly ConfigLine[])[],
  question: SshQuestion,
  localUser: string,
): Result<SshOptions, Unsure> {
  const evaluation = new Evaluation(question, localUser);
  for (const lines of files) evaluation.run(lines, true);
  return evaluation.result();
}

class Evaluation {
  readonly #question: SshQuestion;
  readonly #localUser: string;
  readonly #options = new Map<string, string[]>();
  readonly #unsure = new Set<string>();

  constructor(question: SshQuestion, localUser: string) {
    this.#question = question;
    this.#localUser = localUser;
    if (question.jump !== null) this.#options.set('proxyjump', [question.jump]);
    if (question.user !== null) this.#options.set('user', [question.user]);
    if (question.port !== null) this.#options.set('port', [String(question.port)]);
  }

  run(lines: readonly ConfigLine[], isActive: boolean): void {
    for (const line of lines) {
      switch (line.type) {
        case 'directive':
          if (PASSED_OVER.has(line.keyword)) break;
          // A misspelt keyword ends OpenSSH wherever it stands.
          if (sshDirective(canonicalKeyword(line.keyword)) === undefined) this.#unsure.add(line.keyword);
          else if (isActive) this.#apply(line.keyword, line.words);
          break;
        case 'unsure':
          // Of an unread Host or Match line it is not known what follows it.
          if (isActive || /^(?:host|match|line)\b/i.test(line.directive))
            this.#unsure.add(spelt(line.directive));
          break;
        case 'include':
          this.run(line.lines, isActive);
          break;
        case 'block':
          this.run(line.lines, isActive && this.#isMet(line.kind, line.words));
          break;
      }
    }
  }

  result(): Result<SshOptions, Unsure> {
    const canonicalize = this.#options.get('canonicalizehostname')?.[0]?.toLowerCase() ?? 'no';
    if (!['no', 'none', 'false'].includes(canonicalize)) this.#unsure.add('CanonicalizeHostname');
    const host = this.#hostName();
    if (host === null) this.#unsure.add('HostName');
    if (this.#unsure.size > 0) return err([...this.#unsure].slice(0, 16));
    return ok(new Map([...this.#options, ['hostname', [(host ?? '').toLowerCase()]]]));
  }

  #isMet(kind: 'host' | 'match', words: readonly string[]): boolean {
    return kind === 'host' ? matchesPatterns(words, this.#question.host) : this.#matches(words);
  }

  /** In OpenSSH's order: what stands after a criterion that is not met is not looked at. */
  #matches(words: readonly string[]): boolean {
    let isMet = true;
    for (let at = 0; at < words.length; at += 1) {
      const word = words[at] ?? '';
      const isNegated = word.startsWith('!');
      const criterion = (isNegated ? word.slice(1) : word).toLowerCase();
      if (criterion === 'canonical' || criterion === 'final') {
        // They make OpenSSH read everything once more.
        this.#unsure.add(`Match ${criterion}`);
        return false;
      }
      if (criterion === 'all') {
        if (words.length > 1 || isNegated) this.#unsure.add('Match');
        return true;
      }
      at += 1;
      const list = words[at];
      if (!isMet) continue;
      const verdict = list === undefined ? null : this.#criterion(criterion, list);
      if (verdict === null) {
        this.#unsure.add(`Match ${criterion}`.slice(0, 64));
        return false;
      }
      isMet = verdict !== isNegated;
    }
    return isMet;
  }

  #criterion(criterion: string, list: string): boolean | null {
    switch (criterion) {
      case 'host': {
        const host = this.#hostName();
        return host === null ? null : matchesPatternList(list.toLowerCase(), host.toLowerCase());
      }
      case 'originalhost':
        return matchesPatternList(list.toLowerCase(), this.#question.host.toLowerCase());
      case 'user':
        return matchesPatternList(list, this.#options.get('user')?.[0] ?? this.#localUser);
      case 'localuser':
        return matchesPatternList(list, this.#localUser);
      default:
        return null;
    }
  }

  /** HostName takes %h and %% (ssh_config(5), TOKENS). Null where it holds others. */
  #hostName(): string | null {
    const named = this.#options.get('hostname')?.[0];
    if (named === undefined) return this.#question.host;
    if (/%(?![h%])/.test(named.replaceAll('%%', ''))) return null;
    return named.replace(/%([h%])/g, (_whole, token) => (token === '%' ? '%' : this.#question.host));
  }

  #apply(written: string, words: readonly string[]): void {
    const keyword = canonicalKeyword(written);
    const known = this.#options.get(keyword);
    if (known !== undefined && !ADDING.has(keyword)) return;
    // Of ProxyJump and ProxyCommand the first one wins over the other as well.
    if (keyword === 'proxycommand' && this.#options.has('proxyjump')) return;
    if (keyword === 'proxyjump' && this.#options.has('proxycommand')) return;
    const value = valueOf(keyword, words);
    if (value === null) {
      this.#unsure.add(spelt(keyword));
    } else if (known === undefined) {
      this.#options.set(keyword, [value]);
    } else if (!known.includes(value) && known.length < 1_000) {
      known.push(value);
    }
  }
}

/** The value as `ssh -G` would print it; null where OpenSSH may see another one, or none. */
function valueOf(keyword: string, words: readonly string[]): string | null {
  const [first = ''] = words;
  if (PATH_LISTS.has(keyword)) return words.map((word) => (/\s/.test(word) ? `"${word}"` : word)).join(' ');
  // The sign that divided two words of a command stands before the second.
  if (keyword === 'proxycommand') return words.join(' ').replaceAll(' =', '=');
  // What is added to or taken from OpenSSH's own lists depends on its version.
  if (LISTS.has(keyword)) return /^[+\-^]|[*?!]/.test(first) ? null : first;
  if (TIMES.has(keyword)) return first.toLowerCase() === 'none' ? 'none' : secondsOf(first);
  if (NUMBERS.has(keyword)) {
    const isFine = /^\d{1,6}$/.test(first) && (keyword !== 'port' || isPort(Number(first)));
    return isFine ? String(Number(first)) : null;
  }
  const values = ENUMS.get(keyword);
  if (values !== undefined) return values.includes(first.toLowerCase()) ? first.toLowerCase() : null;
  // Newer versions of OpenSSH expand tokens there.
  if (keyword === 'user' && /[%$]/.test(first)) return null;
  return words.join(' ');
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}

/** sshd_config(5), TIME FORMATS. */
function secondsOf(text: string): string | null {
  if (!/^(?:\d{1,6}[smhdw]?){1,5}$/i.test(text)) return null;
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
  const parts = text.toLowerCase().matchAll(/(\d+)([smhdw]?)/g);
  let seconds = 0;
  for (const [, count, unit] of parts)
    seconds += Number(count) * (units[unit === '' ? 's' : (unit ?? 's')] ?? 1);
  return String(seconds);
}

function spelt(keyword: string): string {
  return sshDirective(keyword)?.name ?? keyword.slice(0, 64);
}
