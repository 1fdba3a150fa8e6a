import type { SshTransport } from '../../../../shared/gateway-profile.ts';
import { assertNever } from '../../../../shared/result.ts';
import { sshDirective, type SshDirective } from '../../../core/ssh/directives.ts';
import type { SshOptions } from './ssh-options.ts';
import { SSH2_ALGORITHMS, SSH2_PUBLIC_KEY_ALGORITHMS } from '../ssh-algorithms.ts';

export interface DirectiveValue {
  readonly directive: string;
  readonly value: string;
}

const MAX_DIRECTIVES = 64;
const MAX_VALUE_CHARS = 200;
/** Values that say that nothing is to be done. */
const NOTHING = new Set(['no', 'none', 'false', '']);

const ALGORITHMS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['kexalgorithms', SSH2_ALGORITHMS.kex],
  ['ciphers', SSH2_ALGORITHMS.cipher],
  ['macs', SSH2_ALGORITHMS.hmac],
  ['hostkeyalgorithms', SSH2_ALGORITHMS.serverHostKey],
  ['pubkeyacceptedalgorithms', SSH2_PUBLIC_KEY_ALGORITHMS],
]);

/** Directives that the user's configuration sets for this host (that differ from `baseline`), and that have no effect. */
export function notHonoured(
  options: SshOptions,
  baseline: SshOptions,
  transport: SshTransport,
): readonly DirectiveValue[] {
  const found: DirectiveValue[] = [];
  for (const [keyword, values] of options) {
    const usual = baseline.get(keyword) ?? [];
    const own = values.filter((value) => !usual.includes(value));
    const directive = sshDirective(keyword);
    for (const value of own) {
      const rest = withoutEffect(keyword, directive, value, usual[0] ?? '', transport);
      if (rest === null) continue;
      found.push({
        directive: directive?.name ?? keyword.slice(0, 64),
        value: rest.slice(0, MAX_VALUE_CHARS),
      });
    }
  }
  return found.slice(0, MAX_DIRECTIVES);
}

/** The part of the value that has no effect; null where all of it has, or where it asks for nothing. */
function withoutEffect(
  keyword: string,
  directive: SshDirective | undefined,
  value: string,
  usual: string,
  transport: SshTransport,
): string | null {
  const known = ALGORITHMS.get(keyword);
  if (known !== undefined) {
    if (transport === 'openssh') return null;
    // Names that OpenSSH offers to everybody are nothing that this user asked for, unless they are the only ones.
    const unknown = value.split(',').filter((name) => !known.has(name) && !usual.split(',').includes(name));
    return unknown.length === 0 ? null : unknown.join(',');
  }
  switch (directive?.support) {
    case 'honoured':
      return null;
    case 'openssh':
    case undefined:
      return transport === 'openssh' || NOTHING.has(value.toLowerCase()) ? null : value;
    case 'meaningless':
      return NOTHING.has(value.toLowerCase()) ? null : value;
    default:
      return assertNever(directive?.support as never);
  }
}
