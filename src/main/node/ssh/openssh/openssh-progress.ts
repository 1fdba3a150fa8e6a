import type { AgentTrouble } from '../../../../shared/connection-failure.ts';
import type { ConnectStage } from '../../../../shared/connection-state.ts';

/** What ssh's `-v` lines have told so far, of the connection that they came last to: behind a jump, the jump's come first. */
export interface Progress {
  readonly phase: OpensshPhase;
  /** Software of the server that was heard last. */
  readonly server: string | null;
  readonly hostKey: { readonly type: string; readonly fingerprint: string } | null;
  readonly keyExchange: string | null;
  readonly cipher: string | null;
  /** Methods that the server named last. */
  readonly offeredMethods: readonly string[] | null;
  /** What was shown to the server, in order. */
  readonly tried: readonly string[];
  /** Lists of methods that the server has sent: one for each refusal. */
  readonly refusals: number;
  readonly agent: AgentTrouble | null;
  readonly accepted: { readonly name: string; readonly fingerprint: string } | null;
  readonly method: string | null;
  /**
   * Key exchanges that are over: servers that have proved their keys, jumps first. From then on a server can write lines of its
   * own (SSH_MSG_USERAUTH_BANNER, RFC 4252) that look like ssh's.
   */
  readonly proven: number;
  /** How the user is being proved, as ssh named it last. */
  readonly trying: string | null;
  /** Connections that have authenticated so far: jumps, then the target. */
  readonly authenticated: number;
  /** ProxyCommand or ProxyJump carries the target's connection. */
  readonly usesProxy: boolean;
  /** Nothing but the server's answer is waited for. Else it may be someone's hand: the agent's owner's, at a security key. */
  readonly isServersTurn: boolean;
}

export type OpensshPhase = 'start' | 'connecting' | 'banner' | 'key-exchange' | 'auth' | 'up';

/** What is told of one server, before anything of it is known. */
const UNKNOWN_SERVER = {
  hostKey: null,
  keyExchange: null,
  cipher: null,
  offeredMethods: null,
  tried: [],
  refusals: 0,
  agent: null,
  accepted: null,
  method: null,
  trying: null,
} satisfies Partial<Progress>;

export const NO_PROGRESS: Progress = {
  ...UNKNOWN_SERVER,
  phase: 'start',
  server: null,
  proven: 0,
  authenticated: 0,
  usesProxy: false,
  isServersTurn: false,
};

const MAX_TRIED = 64;

interface Rule {
  readonly line: RegExp;
  readonly next: (progress: Progress, match: RegExpExecArray) => Partial<Progress>;
}

/** First match wins. Texts are those of OpenSSH 7.4 to 10 in the C locale. */
const RULES: readonly Rule[] = [
  {
    line: /^debug1: Executing proxy command: /,
    next: () => ({ phase: 'connecting', usesProxy: true, isServersTurn: true }),
  },
  { line: /^debug1: Connecting to /, next: () => ({ phase: 'connecting', isServersTurn: true }) },
  { line: /^debug1: Connection established/, next: () => ({ phase: 'banner', isServersTurn: true }) },
  {
    line: /^debug1: Remote protocol version \S+, remote software version (.{1,200})$/,
    next: (_progress, [, server]) => ({
      phase: 'key-exchange',
      ...UNKNOWN_SERVER,
      server: server ?? null,
      isServersTurn: true,
    }),
  },
  { line: /^debug1: kex: algorithm: (\S+)/, next: (_p, [, name]) => ({ keyExchange: name ?? null }) },
  {
    line: /^debug1: kex: server->client cipher: (\S+)/,
    next: (_p, [, name]) => ({ cipher: name ?? null }),
  },
  {
    line: /^debug1: Server host (?:key|certificate): (\S+) (SHA256:[A-Za-z0-9+/]+)/,
    next: (_p, [, type = '', fingerprint = '']) => ({ hostKey: { type, fingerprint } }),
  },
  // The agent is asked for its keys now.
  {
    line: /^debug1: SSH2_MSG_NEWKEYS received/,
    next: ({ proven }) => ({ phase: 'auth', proven: proven + 1, isServersTurn: false }),
  },
  {
    line: /^debug1: Next authentication method: ([\w@.-]{1,64})$/,
    next: (_p, [, trying]) => ({ trying: trying ?? null }),
  },
  {
    line: /^debug1: Authentications that can continue: (\S*)/,
    next: ({ refusals }, [, methods = '']) => ({
      offeredMethods: methodList(methods),
      refusals: refusals + 1,
      isServersTurn: false,
    }),
  },
  { line: /^debug1: .*\bssh_get_authentication_socket: /, next: () => ({ agent: 'missing' }) },
  {
    line: /^debug1: .*\bssh_fetch_identitylist: (.*)$/,
    next: (_p, [, why = '']) => ({ agent: agentTrouble(why) }),
  },
  {
    line: /^sign_and_send_pubkey: signing failed for .*: agent refused operation/,
    next: () => ({ agent: 'refused' }),
  },
  {
    line: /^debug1: Offering public key: (.*?)(?: (?:explicit|agent|token|hardware))*$/,
    next: ({ tried }, [, key = '']) => ({
      tried: [...tried, keyName(key)].slice(0, MAX_TRIED),
      isServersTurn: true,
    }),
  },
  {
    line: /^debug1: Server accepts key: (.*?)(?: (?:explicit|agent|token|hardware))*$/,
    next: (_p, [, key = '']) => ({
      accepted: { name: keyName(key), fingerprint: /SHA256:[A-Za-z0-9+/]+/.exec(key)?.[0] ?? '' },
      isServersTurn: false,
    }),
  },
  {
    line: /^(?:debug1: )?Authenticated to .* using "([\w@.-]{1,64})"\./,
    next: ({ authenticated }, [, method]) => ({
      phase: 'up',
      method: method ?? null,
      trying: null,
      authenticated: authenticated + 1,
      isServersTurn: false,
    }),
  },
];

/** The next progress after one line of ssh's standard error; the same object where the line tells nothing. */
export function afterLine(progress: Progress, line: string): Progress {
  for (const rule of RULES) {
    const match = rule.line.exec(line);
    if (match !== null) return { ...progress, ...rule.next(progress, match) };
  }
  return progress;
}

function agentTrouble(why: string): AgentTrouble {
  if (/no identities/.test(why)) return 'empty';
  return /refused/.test(why) ? 'refused' : 'silent';
}

/** What a line says to people: null for those of `-v`, but for what a server sent that is no SSH server. */
export function wordsOf(line: string): string | null {
  if (/^debug1: .*: banner line \d+: /.test(line)) return line.slice('debug1: '.length);
  // `-v` begins with ssh's own version.
  const isNoise = /^debug\d: |^OpenSSH_.*, \w*SSL|^Authenticated to |^Transferred: |^Bytes per second: /.test(
    line,
  );
  return isNoise || line.trim() === '' ? null : line;
}

export function stageOf(phase: OpensshPhase): ConnectStage {
  switch (phase) {
    case 'start':
    case 'connecting':
      return 'opening-socket';
    case 'banner':
    case 'key-exchange':
      return 'verifying-host-key';
    case 'auth':
    case 'up':
      return 'authenticating';
  }
}

/** `/path/key ED25519 SHA256:…`: the path, or the comment of an agent's key. */
function keyName(text: string): string {
  return text.replace(/ \S+ SHA256:\S+$/, '').slice(0, 300);
}

export function methodList(text: string): readonly string[] {
  return text
    .split(',')
    .filter((name) => /^[\w@.-]{1,64}$/.test(name))
    .slice(0, 16);
}
