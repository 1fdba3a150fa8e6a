import { plainLines } from '../../../core/plain-text.ts';
import type { TunnelAnswer } from '../../../core/tunnel/tunnel-protocol.ts';
import type { Question } from '../../tunnel/tunnel-session.ts';

/** What ssh gave to its askpass program: the text, and SSH_ASKPASS_PROMPT (ssh(1), ENVIRONMENT). */
export interface AskpassRequest {
  readonly text: string;
  /** `confirm`: yes or no. `none`: only to be shown. Else something is to be typed. */
  readonly hint: string;
}

/** What a question needs to know of the connection that asks it. */
export interface AskpassContext {
  /** Name, port and user of the target. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Where ssh would write an accepted key. */
  readonly knownHostsFile: string;
  /** `Server host key` lines so far: fingerprint to key type. */
  readonly keyTypes: ReadonlyMap<string, string>;
  /** The server's own words are waited for (keyboard-interactive): whatever they look like, they are not ssh's. */
  readonly isServersQuestion: boolean;
  /** Other servers are on the way, or may be: a question that does not say whose it is can be anybody's. */
  readonly hasOtherServers: boolean;
  /** Every request before this one in this attempt, as it was written. */
  readonly asked: readonly string[];
}

const MAX_TEXT_CHARS = 2_000;
/** Of no account. */
const UNKNOWN_USER = '?';

/** The typed question that a request means. Texts are those of OpenSSH 7.4 to 10. */
export function questionOf(request: AskpassRequest, context: AskpassContext): Question {
  const text = plainLines(request.text, MAX_TEXT_CHARS);
  const { host } = context;
  if (request.hint === 'none') return { type: 'notice', host, text };
  const wasWrong = context.asked.includes(request.text);
  // `(user@host) ` is put before the server's own words since OpenSSH 8.5.
  const named = /^\((.+?)@([^@)]+)\) ([\s\S]*)$/.exec(text);
  const ofServer: Question = {
    type: 'keyboard-interactive',
    jump: null,
    // An answer that is remembered for one account must not go to another server.
    user: named?.[1] ?? (context.hasOtherServers ? UNKNOWN_USER : context.user),
    host: named?.[2] ?? host,
    name: '',
    instructions: '',
    prompts: [{ text: (named?.[3] ?? text).trim(), echo: false }],
    wasWrong,
  };
  if (named !== null || context.isServersQuestion) return ofServer;
  const hostKey = hostKeyQuestion(text, context);
  if (hostKey !== null) return hostKey;
  if (request.hint === 'confirm' || /\(yes\/no(?:\/\[fingerprint\])?\)[?:] ?$/.test(text)) {
    return { type: 'confirm', host, text };
  }
  const passphrase = /^Enter passphrase for (?:key )?'?(.+?)'?: ?$/.exec(text);
  if (passphrase?.[1] !== undefined) return { type: 'passphrase', keyPath: passphrase[1], wasWrong };
  const password = /^(.+)@([^@]+)'s password: ?$/.exec(text);
  if (password?.[1] !== undefined && password[2] !== undefined) {
    return { type: 'password', jump: null, user: password[1], host: password[2], wasWrong };
  }
  return ofServer;
}

function hostKeyQuestion(text: string, context: AskpassContext): Question | null {
  const where = /^The authenticity of host '([^']+)' can't be established\./m.exec(text)?.[1];
  const key = /^(\S+) key fingerprint is:? ?(SHA256:[A-Za-z0-9+/]+)/m.exec(text);
  const fingerprint = key?.[2];
  if (where === undefined || fingerprint === undefined) return null;
  // `name (address)`, each of them `[host]:port` for other ports than 22.
  const name = where.split(' ')[0] ?? where;
  const withPort = /^\[(.+)\]:(\d{1,5})$/.exec(name);
  return {
    type: 'host-key',
    jump: null,
    host: withPort?.[1] ?? name,
    port: withPort === null ? 22 : Number(withPort[2]),
    keyType: context.keyTypes.get(fingerprint) ?? key?.[1] ?? '',
    fingerprint,
    knownHostsFile: context.knownHostsFile,
    otherKnownTypes: [],
  };
}

/** What askpass says to ssh; null for a no, or for an answer that does not fit the question. */
export function replyTo(question: Question, request: AskpassRequest, answer: TunnelAnswer): string | null {
  switch (answer.type) {
    case 'trust-host-key':
      if (question.type !== 'host-key' || answer.fingerprint !== question.fingerprint) return null;
      // Since OpenSSH 8.0 the fingerprint itself is an answer, and ssh compares it.
      return request.text.includes('[fingerprint]') ? question.fingerprint : 'yes';
    case 'passphrase':
      return question.type === 'passphrase' ? answer.passphrase : null;
    case 'password':
      return question.type === 'password' ? answer.password : null;
    case 'responses':
      return question.type === 'keyboard-interactive' ? (answer.responses[0] ?? null) : null;
    case 'confirm':
      return question.type === 'confirm' ? 'yes' : null;
  }
}
