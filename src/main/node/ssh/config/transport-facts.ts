import { constants, open } from 'node:fs/promises';
import type { TransportFacts } from '../../../core/ssh/choose-transport.ts';
import { SSH_DIRECTIVES } from '../../../core/ssh/directives.ts';
import { certAuthorityOf } from '../known-hosts.ts';
import { loadKnownHosts } from '../known-hosts-file.ts';
import { openSshEnvelope } from '../openssh-key.ts';
import type { AgentKey } from '../ssh-agent.ts';
import { keyTypeOfBlob } from '../public-key-blob.ts';
import type { SpecialAgentKeys } from './special-agent-keys.ts';
import type { HopOfOptions } from './hop-of-options.ts';
import { firstValue, flagValue, listValue, namedValue, type SshOptions } from './ssh-options.ts';

const MAX_KEY_FILE_BYTES = 64 * 1024;
/** With which ssh2 opens key files; all of `ssh -Q cipher` but ChaCha20. */
const KEY_FILE_CIPHERS =
  /^(?:none|3des-cbc|aes(?:128|192|256)-(?:cbc|ctr)|aes(?:128|256)-gcm@openssh\.com|rijndael-cbc@lysator\.liu\.se)$/;
const CERTIFICATE_TYPE = /-cert-v\d\d@openssh\.com$/;
const NO_VALUES = new Set(['no', 'none', 'false']);

/**
 * What a hop needs that ssh2 may not do: read from its options, from the key and known_hosts files that it names, and from its
 * agent. `chosen` are the options without those that the system's file sets for everybody.
 */
export async function gatherTransportFacts(
  { hop, certificateFiles, impossible }: HopOfOptions,
  options: SshOptions,
  chosen: SshOptions,
  agentKeys: SpecialAgentKeys,
): Promise<TransportFacts> {
  const [keys, held, known] = await Promise.all([
    Promise.all(hop.identityFiles.map(lookAtKey)),
    offersAllOfAgent(hop) ? agentKeys.of(hop.agentSocket) : [],
    loadKnownHosts([...hop.knownHostsFiles.user, ...hop.knownHostsFiles.global]),
  ]);
  const ofCertificates = await Promise.all(certificateFiles.map(readStart));
  const named = new Set(
    [...keys.flatMap(({ found }) => found), ...ofCertificates.flatMap((text) => publicKeyOf(text) ?? [])].map(
      ({ base64 }) => base64,
    ),
  );
  const offered = held.filter((key) => !named.has(key.blob.toString('base64')) && isAccepted(key, options));
  const authority = known.ok ? certAuthorityOf(known.value, hop.hostKeyAlias ?? hop.host, hop.port) : null;
  const controlPath = namedValue(options, 'controlpath');
  return {
    securityKeys: keys.flatMap(({ path, isSecurityKey }) => (isSecurityKey ? [path] : [])),
    certificates: [...certificateFiles, ...keys.flatMap(({ certificate }) => certificate ?? [])],
    agentSecurityKeys: offered.filter((key) => !isCertificate(key.type)).map(nameOf),
    agentCertificates: offered.filter((key) => isCertificate(key.type)).map(nameOf),
    hostAuthorities: authority === null ? [] : [`${authority.file}:${authority.line}`],
    gssapi: switchedOn(chosen, ['GSSAPIAuthentication', 'GSSAPIKeyExchange']),
    hostBased: switchedOn(chosen, ['HostbasedAuthentication']),
    controlMaster: controlPath === null ? [] : [`ControlPath ${controlPath}`],
    pkcs11: valuesOf(options, ['PKCS11Provider']),
    algorithms: [...impossible, ...keys.flatMap(({ unknownCipher }) => unknownCipher ?? [])],
    directives: valuesOf(
      chosen,
      SSH_DIRECTIVES.filter(({ decides }) => decides).map(({ name }) => name),
    ),
  };
}

/**
 * Whether ssh offers keys of the agent that no file names. Those that a file names are known from the file: ssh takes only
 * the very same key or certificate for it (sshkey_equal).
 */
function offersAllOfAgent({ methods, identitiesOnly, identityFileIsExplicit }: HopOfOptions['hop']): boolean {
  return methods.includes('publickey') && !identitiesOnly && !identityFileIsExplicit;
}

/** PubkeyAcceptedAlgorithms, where it is known as a plain list. */
function isAccepted({ type }: AgentKey, options: SshOptions): boolean {
  const accepted = listValue(options, 'pubkeyacceptedalgorithms');
  if (accepted === null || accepted.some((name) => /^[-+^]|[*?!]/.test(name))) return true;
  // The one type that signs by algorithms of other names (RFC 8332).
  return accepted.some(
    (name) => name === type || name.replace(/^rsa-sha2-(?:256|512)-/, 'ssh-rsa-') === type,
  );
}

function isCertificate(type: string): boolean {
  return CERTIFICATE_TYPE.test(type);
}

function nameOf({ comment, type }: AgentKey): string {
  return comment === '' ? type : comment;
}

function switchedOn(options: SshOptions, names: readonly string[]): string[] {
  return names.filter((name) => flagValue(options, name.toLowerCase()) === true).map((name) => `${name} yes`);
}

function valuesOf(options: SshOptions, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = firstValue(options, name.toLowerCase());
    return value === null || NO_VALUES.has(value.toLowerCase()) ? [] : [`${name} ${value}`];
  });
}

interface KeyLook {
  readonly path: string;
  readonly isSecurityKey: boolean;
  /** With which the file is encrypted and that ssh2 does not know; null else. */
  readonly unknownCipher: string | null;
  /** The public keys and certificates that ssh finds by this name. */
  readonly found: readonly PublicKey[];
  /** The certificate among them, or that OpenSSH would find beside it. */
  readonly certificate: string | null;
}

interface PublicKey {
  readonly type: string;
  readonly base64: string;
}

async function lookAtKey(path: string): Promise<KeyLook> {
  const base = path.endsWith('.pub') ? path.slice(0, -'.pub'.length) : path;
  const beside = `${base}-cert.pub`;
  const texts = await Promise.all([readStart(path), readStart(`${base}.pub`), readStart(beside)]);
  const [own, publicKey, certificate] = texts;
  const type = (publicKeyOf(own) ?? publicKeyOf(publicKey))?.type ?? '';
  const cipher = (own === null ? null : openSshEnvelope(own)?.cipher) ?? 'none';
  // Without the key itself ssh offers no certificate either.
  const hasBeside = certificate !== null && (own ?? publicKey) !== null;
  return {
    path,
    isSecurityKey: type.startsWith('sk-'),
    unknownCipher: KEY_FILE_CIPHERS.test(cipher) ? null : `${cipher} (${path})`,
    found: texts.flatMap((text) => publicKeyOf(text) ?? []),
    certificate: isCertificate(type) ? path : hasBeside ? beside : null,
  };
}

/** Of a public key's line, or of a private key in OpenSSH's own format, whose public half is in the clear. */
function publicKeyOf(text: string | null): PublicKey | null {
  if (text === null) return null;
  const envelope = openSshEnvelope(text);
  if (envelope !== null) {
    const type = keyTypeOfBlob(envelope.blob);
    return type === null ? null : { type, base64: envelope.blob.toString('base64') };
  }
  const [, type, base64] = /^\s*([a-z][a-z0-9@.-]{2,63})[ \t]+(AAAA[A-Za-z0-9+/]*={0,2})/.exec(text) ?? [];
  return type === undefined || base64 === undefined ? null : { type, base64 };
}

/** Null where there is no file or it may not be read. */
async function readStart(path: string): Promise<string | null> {
  try {
    // A named pipe would wait for its other end.
    await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK || 0));
    if (!(await file.stat()).isFile()) return null;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_KEY_FILE_BYTES), 0, MAX_KEY_FILE_BYTES, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } catch {
    return null;
  }
}
