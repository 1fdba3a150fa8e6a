import { plainText } from '../../core/plain-text.ts';
import { WireReader } from './ssh-wire-reader.ts';

/** What a server offers in its first key exchange message, best first. */
export interface ServerAlgorithms {
  readonly 'key exchange': readonly string[];
  readonly 'host key': readonly string[];
  readonly cipher: readonly string[];
  readonly mac: readonly string[];
  readonly compression: readonly string[];
}

const SSH_MSG_KEXINIT = 20;
const COOKIE_BYTES = 16;
const MAX_NAMES = 64;

/**
 * Reads SSH_MSG_KEXINIT (RFC 4253, section 7.1), which travels in the clear after the identification line. Null where the bytes
 * end before it does, or hold something else. Client to server stands for both directions: no server in use has two lists.
 */
export function readServerKexInit(received: Buffer): ServerAlgorithms | null {
  const text = received.toString('latin1');
  const identification = /(?:^|\n)SSH-[^\n]*\n/.exec(text);
  if (identification === null) return null;
  const packet = new WireReader(received.subarray(identification.index + identification[0].length));
  const body = packet.string();
  if (body?.[1] !== SSH_MSG_KEXINIT) return null;
  const reader = new WireReader(body.subarray(2 + COOKIE_BYTES));
  const names = Array.from({ length: 7 }, () => reader.string());
  const [kex, hostKey, cipher, , mac, , compression] = names.map((list) =>
    list === null ? null : namesOf(list),
  );
  if (!kex || !hostKey || !cipher || !mac || !compression) return null;
  return { 'key exchange': kex, 'host key': hostKey, cipher, mac, compression };
}

function namesOf(list: Buffer): readonly string[] {
  const names = list.toString('latin1').split(',');
  // Flags of the protocol's extensions, not algorithms.
  const isAlgorithm = (name: string): boolean => name !== '' && !/^(?:ext-info-|kex-strict-)/.test(name);
  return names
    .filter(isAlgorithm)
    .slice(0, MAX_NAMES)
    .map((name) => plainText(name, 64));
}
