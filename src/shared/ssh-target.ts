import { err, ok, type Result } from './result.ts';

/** What a person may type for "SSH target", taken apart. Pure: the form and the tunnel share it. */
export interface SshTarget {
  /** As typed, trimmed. */
  readonly original: string;
  /** Host name, alias or address; an IPv6 address without brackets. */
  readonly host: string;
  /** Null where the target names none. */
  readonly port: number | null;
  readonly user: string | null;
}

export type SshTargetError =
  | 'empty'
  | 'too-long'
  /** Spaces, control characters, or what a shell or ssh itself would take for something else. */
  | 'bad-characters'
  /** ssh would read it as an option. */
  | 'leading-dash'
  | 'bad-host'
  | 'bad-port'
  | 'bad-user';

const MAX_TARGET_CHARS = 1024;
const MAX_PART_CHARS = 255;

/**
 * Takes `host`, an alias, `user@host`, `user@host:port`, `ssh://[user@]host[:port]`, `[v6]:port` or a bare IPv6
 * address apart. The user is what precedes the last `@`, as in ssh(1). Nothing is resolved.
 */
export function parseSshTarget(text: string): Result<SshTarget, SshTargetError> {
  const original = text.trim();
  if (original === '') return err('empty');
  if (original.length > MAX_TARGET_CHARS) return err('too-long');
  if (!isClean(original)) return err('bad-characters');
  const isUri = /^ssh:\/\//i.test(original);
  const body = isUri ? original.slice('ssh://'.length).replace(/\/$/, '') : original;
  const at = body.lastIndexOf('@');
  const written = at === -1 ? null : body.slice(0, at);
  const user = written !== null && isUri ? decoded(written) : written;
  if (body.startsWith('-')) return err('leading-dash');
  if (user !== null && !isUser(user)) return err('bad-user');
  const rest = splitHostAndPort(body.slice(at + 1));
  if (!rest.ok) return rest;
  const { host, port } = rest.value;
  if (host.startsWith('-')) return err('leading-dash');
  return ok({ original, host, port, user });
}

/** Letters of any script are allowed in names; spaces, quotes and control characters are in no name of a host or user. */
function isClean(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  return !/[\s\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff"'`\\$&;|<>(){}!*?#^]/u.test(
    text,
  );
}

/** As ssh(1) does with the user of a `ssh://` target; '' (no user's name) for what is no encoding or hides odd characters. */
function decoded(user: string): string {
  try {
    const text = decodeURIComponent(user);
    return isClean(text) ? text : '';
  } catch {
    return '';
  }
}

function isUser(user: string): boolean {
  return user !== '' && user.length <= MAX_PART_CHARS && !user.startsWith('-') && !/[/:]/.test(user);
}

function splitHostAndPort(text: string): Result<{ host: string; port: number | null }, SshTargetError> {
  const bracketed = /^\[([^[\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed) {
    const [, host = '', port] = bracketed;
    return isIpv6(host) ? withPort(host, port) : err('bad-host');
  }
  const colons = text.split(':').length - 1;
  if (colons > 1) return isIpv6(text) ? ok({ host: text, port: null }) : err('bad-host');
  const [host = '', port] = text.split(':');
  return isHost(host) ? withPort(host, port) : err('bad-host');
}

function withPort(
  host: string,
  port: string | undefined,
): Result<{ host: string; port: number | null }, SshTargetError> {
  if (port === undefined) return ok({ host, port: null });
  if (!/^\d{1,5}$/.test(port)) return err('bad-port');
  const number = Number(port);
  return number >= 1 && number <= 65_535 ? ok({ host, port: number }) : err('bad-port');
}

function isHost(host: string): boolean {
  return host !== '' && host.length <= MAX_PART_CHARS && !/[/@,[\]=]/.test(host);
}

/** RFC 4291 text, with an optional zone (RFC 4007). */
function isIpv6(text: string): boolean {
  const [address = '', zone, ...more] = text.split('%');
  if (more.length > 0 || (zone !== undefined && !/^[\w.-]{1,64}$/.test(zone))) return false;
  const halves = address.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const tail = groups.at(-1) ?? '';
  const endsInIpv4 = /^\d{1,3}(\.\d{1,3}){3}$/.test(tail);
  const plain = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  const count = plain.length + (endsInIpv4 ? 2 : 0);
  return halves.length === 2 ? count <= 7 : count === 8;
}
