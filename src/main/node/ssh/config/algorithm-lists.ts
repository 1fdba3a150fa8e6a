import type { SshHop } from '../../../core/tunnel/ssh-hop.ts';
import { DEFAULT_ALGORITHMS, SSH2_ALGORITHMS, SSH2_PUBLIC_KEY_ALGORITHMS } from '../ssh-algorithms.ts';
import { firstValue, listValue, type SshOptions } from './ssh-options.ts';

const LISTS = [
  ['kex', 'kexalgorithms', 'KexAlgorithms'],
  ['cipher', 'ciphers', 'Ciphers'],
  ['hmac', 'macs', 'MACs'],
  ['serverHostKey', 'hostkeyalgorithms', 'HostKeyAlgorithms'],
] as const;

export interface AlgorithmChoice {
  readonly algorithms: SshHop['algorithms'];
  /** Directives that leave the built-in SSH nothing to offer, with what they name. */
  readonly impossible: readonly string[];
}

/**
 * The lists to offer. Where the configuration says nothing else than OpenSSH's defaults they are our own; else what it names,
 * in its order, as far as ssh2 can do it.
 */
export function chooseAlgorithms(options: SshOptions, defaults: SshOptions): AlgorithmChoice {
  const algorithms: { -readonly [K in keyof SshHop['algorithms']]: string[] } = { ...DEFAULT_ALGORITHMS };
  const impossible: string[] = [];
  for (const [kind, keyword, directive] of LISTS) {
    const wanted = changedList(options, defaults, keyword);
    if (wanted === null) continue;
    const possible = wanted.filter((name) => SSH2_ALGORITHMS[kind].has(name)).slice(0, 64);
    if (possible.length === 0) impossible.push(describe(directive, wanted));
    else algorithms[kind] = [...new Set(possible)];
  }
  const userKeys = changedList(options, defaults, 'pubkeyacceptedalgorithms');
  if (userKeys !== null) {
    // Named only by somebody whose server takes nothing better than SHA-1.
    const takesSha1 = userKeys.includes('ssh-rsa');
    const hasOurs = userKeys.some((name) => SSH2_PUBLIC_KEY_ALGORITHMS.has(name));
    if (takesSha1) impossible.push('PubkeyAcceptedAlgorithms ssh-rsa');
    else if (!hasOurs) impossible.push(describe('PubkeyAcceptedAlgorithms', userKeys));
  }
  return { algorithms, impossible };
}

/** Null where the list is the default one. */
function changedList(options: SshOptions, defaults: SshOptions, keyword: string): readonly string[] | null {
  const list = listValue(options, keyword);
  return list === null || firstValue(options, keyword) === firstValue(defaults, keyword) ? null : list;
}

function describe(directive: string, names: readonly string[]): string {
  return `${directive} ${names.join(',')}`.slice(0, 200);
}
