import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { expandHome, underHome, type SshEnvironment } from './ssh-environment.ts';

/** What the tokens of ssh_config(5) stand for, of one hop. */
export interface TokenFacts {
  /** As given on the command line (%n). */
  readonly name: string;
  /** HostName (%h). */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly hostKeyAlias: string | null;
  /** The ProxyJump list as `ssh -G` prints it, '' without one (%j, and part of %C since OpenSSH 9.8). */
  readonly jump: string;
}

/** ssh_config(5), TOKENS: those of ProxyCommand and ProxyJump. Others stay as they are. */
export function expandProxyTokens(text: string, facts: TokenFacts): string {
  return replaceTokens(text, {
    '%': '%',
    h: facts.host,
    n: facts.name,
    p: String(facts.port),
    r: facts.user,
  });
}

/** Tokens, `${VARIABLE}` and `~` of a path. Null where it names a variable that is not set: ssh ignores such a directive. */
export function expandPath(text: string, facts: TokenFacts, environment: SshEnvironment): string | null {
  const path = text.replace(/^"(.*)"$/, '$1');
  const variables = expandVariables(path, environment);
  if (variables === null) return null;
  const local = hostname();
  const { name, host, port, user, hostKeyAlias, jump } = facts;
  const expanded = replaceTokens(variables, {
    '%': '%',
    C: createHash('sha1').update(`${local}${host}${port}${user}`).digest('hex'),
    d: environment.home,
    h: host,
    i: String(process.getuid?.() ?? ''),
    j: jump,
    k: hostKeyAlias ?? name,
    L: local.split('.')[0] ?? '',
    l: local,
    n: name,
    p: String(port),
    r: user,
    u: environment.user,
  });
  return underHome(expandHome(expanded, environment.home), environment);
}

function replaceTokens(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/%(.)/g, (whole, token: string) => values[token] ?? whole);
}

/** Whether a path names a variable that is not set. */
export function hasUnsetVariable(text: string, environment: SshEnvironment): boolean {
  return expandVariables(text, environment) === null;
}

function expandVariables(text: string, { home }: SshEnvironment): string | null {
  const valueOf = (name: string): string | undefined => (name === 'HOME' ? home : process.env[name]);
  const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name ?? '');
  if (names.some((name) => valueOf(name) === undefined)) return null;
  return text.replace(/\$\{(\w+)\}/g, (_whole, name: string) => valueOf(name) ?? '');
}
