import { failure, type ConnectionFailure } from '../../../../shared/connection-failure.ts';
import { plainLines } from '../../../core/plain-text.ts';
import type { EndRule, OpensshEnd } from './openssh-end.ts';
import { HOST_KEY_RULES } from './openssh-host-key-rules.ts';
import { methodList, type Progress } from './openssh-progress.ts';

const MAX_DETAIL_CHARS = 400;
const MAX_OFFERED = 64;
/** ServerAliveInterval times ServerAliveCountMax, as we give them. */
const SERVER_ALIVE_MS = 9_000;

type KindOfAlgorithm = Extract<
  ConnectionFailure,
  { readonly code: 'ssh-no-common-algorithm' }
>['facts']['kind'];

/** As OpenSSH names them, kex.c `proposal_names` and its errors. */
const ALGORITHM_KINDS: ReadonlyMap<string, KindOfAlgorithm> = new Map([
  ['key exchange method', 'key exchange'],
  ['host key type', 'host key'],
  ['cipher', 'cipher'],
  ['MAC', 'mac'],
  ['compression method', 'compression'],
]);

/** The rule that comes first wins, on whichever line. Texts are those of OpenSSH 7.4 to 10 in the C locale. */
const RULES: readonly EndRule[] = [
  {
    // A folder for temporary files from which nothing may be run: no question can be asked.
    line: /^ssh_askpass: exec/,
    failure: (end, { input }) =>
      failure('openssh-failed', { host: end.settings.host, exitCode: end.exitCode, detail: bounded(input) }),
  },
  {
    line: /Bad configuration option|bad configuration options$|^Bad owner or permissions on |Missing argument|Missing Match criteria|Unsupported option|no argument after keyword|extra arguments at end of line/,
    failure: (end, { input }) =>
      end.progress.phase === 'start'
        ? failure('ssh-config-invalid', { target: end.target, detail: bounded(input) })
        : null,
  },
  ...HOST_KEY_RULES,
  {
    line: /^Unable to negotiate with .*: no matching (.+) found(?:\. Their offer: (.*))?$/,
    failure: (end, [, kind = '', offer = '']) => {
      const known = ALGORITHM_KINDS.get(kind);
      if (known === undefined) return null;
      return failure('ssh-no-common-algorithm', {
        host: end.settings.host,
        kind: known,
        offered: algorithmList(offer),
      });
    },
  },
  {
    line: /Too many authentication failures/,
    failure: (end) => {
      const { user, host } = end.settings;
      const { tried, offeredMethods } = end.progress;
      const typed = typedMethods(end);
      return typed.length === 0
        ? failure('auth-too-many', { user, host, tried })
        : failure('auth-rejected', {
            user,
            host,
            offered: offeredMethods ?? [],
            tried: [...tried, ...typed],
          });
    },
  },
  {
    line: /^(?:(.+)@([^@:\s]+): )?Permission denied \(([\w@.,-]*)\)\.?$/,
    failure: (end, [, user, host, methods = '']) => {
      const { tried, agent } = end.progress;
      const typed = typedMethods(end);
      const at = host ?? end.settings.host;
      const unopened = typed.length === 0 ? unopenedKey(end) : null;
      if (unopened !== null) return failure('passphrase-wrong', { path: unopened, host: at });
      return (
        unreadableKey(end) ??
        failure('auth-rejected', {
          user: user ?? end.settings.user,
          host: at,
          offered: methodList(methods),
          tried: [...tried, ...typed],
          ...(agent === null ? {} : { agent }),
          ...(end.missingKeys.length === 0 ? {} : { missing: end.missingKeys }),
        })
      );
    },
  },
  {
    line: /Could not resolve hostname (\S+): (.*)$/,
    failure: (_end, [, host = '', reason = '']) =>
      /temporary failure|try again/i.test(reason)
        ? failure('dns-timeout', { host, limitMs: 5_000 })
        : failure('host-not-found', { host }),
  },
  {
    line: /connect to host (\S+) port (\d+): (.*)$/,
    failure: (end, [, host = '', portText = '0', reason = '']) => {
      const port = Number(portText);
      if (/refused/i.test(reason)) return failure('ssh-refused', { host, port });
      if (/timed out/i.test(reason))
        return failure('ssh-timeout', { host, port, limitMs: end.connectLimitMs });
      return failure('ssh-unreachable', { host, port, detail: bounded(reason) });
    },
  },
  {
    // Of a jump's `ssh -W`: our own channels are opened by the control socket and write nothing here.
    line: /open failed: (administratively prohibited|connect failed|unknown channel type|resource shortage): ?(.*)$/,
    failure: (end, [, why = '', detail = '']) => {
      if (!end.progress.usesProxy || end.progress.phase === 'start') return null;
      const facts = { ...failedHop(end), detail: bounded(detail) };
      return failure(why === 'connect failed' ? 'jump-unreachable' : 'jump-forbidden', facts);
    },
  },
  {
    line: /^Timeout, server .* not responding/,
    failure: ({ settings: { host } }) => failure('link-dead', { host, silentMs: SERVER_ALIVE_MS }),
  },
  {
    line: /Corrupted MAC on input|Bad packet length|message authentication code incorrect|Packet corrupt/i,
    failure: ({ settings: { host } }) => failure('link-corrupted', { host }),
  },
  {
    line: /Connection timed out during banner exchange|^Connection to \S+ port \d+ timed out/,
    failure: (end) => {
      const { host, port } = end.settings;
      const facts = { host, port, limitMs: end.connectLimitMs };
      return end.progress.phase === 'banner'
        ? failure('ssh-handshake-timeout', facts)
        : failure('ssh-timeout', facts);
    },
  },
  {
    line: /banner line \d+: (?:Exceeded MaxStartups|Not allowed at this time)/,
    failure: ({ settings: { host, port } }) => failure('ssh-rejecting', { host, port }),
  },
  {
    line: /banner line \d+: (.*)$|(Protocol major versions differ.*)$|(?:[Ii]nvalid (?:SSH identification string|identification)|banner line contains invalid|could not read protocol version)(.*)$/,
    failure: (end, [, first = '', second = '', third = '']) => {
      const isOver = !['start', 'connecting', 'banner'].includes(end.progress.phase);
      const { host, port } = end.settings;
      if (isOver) return null;
      return failure('not-ssh', { host, port, received: bounded(`${first}${second}${third}`).slice(0, 200) });
    },
  },
];

/** The failure that the end of an ssh process means. */
export function classifyOpensshEnd(end: OpensshEnd): ConnectionFailure {
  for (const rule of RULES) {
    for (const line of end.lines) {
      const match = rule.line.exec(line);
      const found = match === null ? null : rule.failure(end, match);
      if (found !== null) return found;
    }
  }
  return withoutWords(end);
}

/** Nobody said why: where it had come to tells. */
function withoutWords(end: OpensshEnd): ConnectionFailure {
  const { settings, progress, lines, exitCode } = end;
  const { host, port } = settings;
  const detail = bounded(lines.slice(-3).join('\n'));
  const isUp = progress.phase === 'up' && !isBehindJump(end);
  if (isUp) return failure('link-lost', { host, detail });
  if (progress.usesProxy && settings.proxyJump.length === 0 && hasNoGreeting(progress)) {
    const command = (settings.proxyCommand ?? '').slice(0, 300);
    const words = lines.filter(
      (line) =>
        !/^(?:kex_exchange_identification:|Connection (?:closed|reset) by |ssh_exchange_identification:|banner exchange:)/.test(
          line,
        ),
    );
    const said = bounded(words.slice(-3).join('\n'));
    return /(?:not found|No such file or directory|Permission denied|is not recognized)\s*$/m.test(said)
      ? failure('proxy-command-not-found', { host, command, detail: said })
      : failure('proxy-command-failed', { host, command, exitCode: null, detail: said });
  }
  if (progress.usesProxy && settings.proxyJump.length > 0) {
    return failure('jump-unreachable', { ...failedHop(end), detail });
  }
  switch (progress.phase) {
    case 'connecting':
    case 'banner':
      return failure('ssh-rejecting', { host, port });
    case 'key-exchange':
    case 'auth':
    case 'up':
      return failure('link-lost', { host, detail });
    case 'start':
      return failure('openssh-failed', { host, exitCode, detail });
  }
}

function hasNoGreeting(progress: Progress): boolean {
  return progress.phase === 'start' || progress.phase === 'connecting' || progress.phase === 'banner';
}

/** The last connection heard of is a jump's: the target's own has not begun. */
function isBehindJump({ settings, progress }: OpensshEnd): boolean {
  return settings.proxyJump.length > 0 && progress.authenticated <= settings.proxyJump.length - 1;
}

/** Which jump could not reach what: as many as have authenticated are behind us. */
function failedHop({ settings, progress }: OpensshEnd): {
  readonly jump: string;
  readonly host: string;
  readonly port: number;
} {
  const { proxyJump, host, port } = settings;
  const at = Math.min(Math.max(progress.authenticated, 1), Math.max(proxyJump.length, 1)) - 1;
  const jump = proxyJump[at] ?? 'ProxyCommand';
  const next = proxyJump[at + 1];
  return next === undefined ? { jump, host, port } : { jump, ...placeOfHop(next) };
}

/** `user@host:port` of ProxyJump. */
function placeOfHop(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:ssh:\/\/)?(?:.*@)?(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  return { host: match?.[1] ?? match?.[2] ?? text, port: Number(match?.[3] ?? 22) };
}

/** What a person typed for the server that was heard last. */
function typedMethods({ asked, progress }: OpensshEnd): readonly string[] {
  const types = asked.filter(({ at, type }) => at.proven === progress.proven && type !== 'passphrase');
  return [...new Set(types.map(({ type }) => type))];
}

/**
 * The key whose passphrase was asked for last and in vain. ssh says nothing of it, but what it did next does: a key that was opened
 * is offered after that, or, where the server had accepted it before, is used, and the server answers once more than keys are offered.
 */
function unopenedKey({ asked, lines, progress }: OpensshEnd): string | null {
  const last = asked.findLast(({ at, type }) => at.proven === progress.proven && type === 'passphrase');
  if (last === undefined) return null;
  // A format that ssh cannot read, whatever the passphrase.
  const complaint = lines.findLast((line) => line.startsWith(`Load key "${last.keyPath}": `));
  if (complaint !== undefined && !complaint.includes('incorrect passphrase')) return null;
  const offers = progress.tried.slice(last.at.tried.length);
  const isUsed = progress.refusals - last.at.refusals > offers.length;
  return isUsed || offers.includes(last.keyPath) ? null : last.keyPath;
}

/** A key that could not be used explains a refusal only where nothing else was shown, or where it is the chosen one. */
function unreadableKey(end: OpensshEnd): ConnectionFailure | null {
  for (const line of end.lines) {
    const bad = /^Load key "(.+)": (.*)$/.exec(line);
    const missing = /Identity file (.+) not accessible: (.*?)\.?$/.exec(line);
    const path = bad?.[1] ?? missing?.[1];
    if (path === undefined || (end.progress.tried.length > 0 && path !== end.explicitKey)) continue;
    const why = bad?.[2] ?? missing?.[2] ?? '';
    if (/incorrect passphrase/.test(why)) continue;
    return failure('key-unreadable', { path: path.slice(0, 500), reason: reasonOf(why) });
  }
  return null;
}

function reasonOf(why: string): 'missing' | 'permission' | 'format' | 'not-a-file' | 'unsupported' {
  if (/No such file/i.test(why)) return 'missing';
  if (/permission/i.test(why)) return 'permission';
  if (/Is a directory/i.test(why)) return 'not-a-file';
  return /unsupported|unknown or unsupported|not implemented/i.test(why) ? 'unsupported' : 'format';
}

function algorithmList(text: string): readonly string[] {
  return text
    .split(',')
    .filter((name) => /^[\w@.+/-]{1,128}$/.test(name))
    .slice(0, MAX_OFFERED);
}

function bounded(text: string): string {
  return plainLines(text, MAX_DETAIL_CHARS).trim();
}
