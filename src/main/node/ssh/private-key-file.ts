import { createPrivateKey } from 'node:crypto';
import ssh2, { type ParsedKey } from 'ssh2';
import type { FailureFacts } from '../../../shared/connection-failure.ts';
import { openSshEnvelope, toOpenSshKey } from './openssh-key.ts';
import { openPpk, readPpk } from './ppk.ts';
import { WireReader, wireString } from './ssh-wire-reader.ts';

export type KeyFormatProblem = FailureFacts['key-unreadable']['reason'];

/** What the text of a key file is, given at most one passphrase. */
export type ParsedKeyFile =
  | { readonly type: 'private'; readonly key: ParsedKey }
  /** `blob`: its public half, where the file has it in the clear. */
  | { readonly type: 'encrypted'; readonly blob: Buffer | null }
  | { readonly type: 'public'; readonly blob: Buffer }
  | { readonly type: 'unreadable'; readonly reason: KeyFormatProblem };

/** Reads OpenSSH's own format, PEM (PKCS#1, SEC1, PKCS#8), PuTTY's PPK 2 and 3, and public keys. `text` is Latin-1. */
export async function parseKeyFile(text: string, passphrase: string | null): Promise<ParsedKeyFile> {
  if (text.startsWith('PuTTY-User-Key-File-')) return parsePpk(text, passphrase);
  if (!text.includes('PRIVATE KEY-----')) {
    const blob = publicBlobOf(text);
    return blob === null ? { type: 'unreadable', reason: 'format' } : { type: 'public', blob };
  }
  const pkcs8 = fromPkcs8(text, passphrase);
  if (pkcs8 === 'encrypted') return { type: 'encrypted', blob: null };
  const key = parseWithSsh2(pkcs8?.pem ?? text, passphrase);
  if (!(key instanceof Error)) {
    return key.isPrivateKey() ? { type: 'private', key } : { type: 'unreadable', reason: 'format' };
  }
  const isUnsupported = /not supported|unsupported/i.test(key.message);
  if (isUnsupported) return { type: 'unreadable', reason: 'unsupported' };
  if (isEncrypted(text)) return { type: 'encrypted', blob: openSshEnvelope(text)?.blob ?? null };
  return { type: 'unreadable', reason: 'format' };
}

async function parsePpk(text: string, passphrase: string | null): Promise<ParsedKeyFile> {
  const file = readPpk(text);
  if (file === null) return { type: 'unreadable', reason: 'ppk' };
  if (file.encryption !== 'none' && passphrase === null) return { type: 'encrypted', blob: file.publicBlob };
  const opened = await openPpk(file, passphrase ?? '');
  switch (opened.type) {
    case 'wrong-passphrase':
      return { type: 'encrypted', blob: file.publicBlob };
    case 'damaged':
      return { type: 'unreadable', reason: 'ppk' };
    case 'unsupported':
      return { type: 'unreadable', reason: 'unsupported' };
    case 'opened': {
      const key = parseWithSsh2(opened.pem, null);
      return key instanceof Error ? { type: 'unreadable', reason: 'ppk' } : { type: 'private', key };
    }
  }
}

function parseWithSsh2(text: string, passphrase: string | null): ParsedKey | Error {
  const parsed = ssh2.utils.parseKey(text, passphrase ?? undefined) as ParsedKey | ParsedKey[] | Error;
  return (Array.isArray(parsed) ? parsed[0] : parsed) ?? new Error('No key');
}

/** ssh2 does not read PKCS#8; Node turns it into what ssh2 reads. Null for files of other formats. */
function fromPkcs8(text: string, passphrase: string | null): { readonly pem: string } | 'encrypted' | null {
  const match = /-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.exec(text);
  if (match === null) return null;
  const isProtected = match[1] !== undefined;
  if (isProtected && passphrase === null) return 'encrypted';
  try {
    const key = createPrivateKey({ key: text, ...(passphrase === null ? {} : { passphrase }) });
    switch (key.asymmetricKeyType) {
      case 'rsa':
        return { pem: key.export({ type: 'pkcs1', format: 'pem' }).toString() };
      case 'ec':
        return { pem: key.export({ type: 'sec1', format: 'pem' }).toString() };
      case 'ed25519': {
        const { d, x } = key.export({ format: 'jwk' });
        const seed = Buffer.from(d ?? '', 'base64url');
        const point = Buffer.from(x ?? '', 'base64url');
        const blob = Buffer.concat([wireString('ssh-ed25519'), wireString(point)]);
        return { pem: toOpenSshKey(blob, [point, Buffer.concat([seed, point])]) };
      }
      default:
        return null;
    }
  } catch {
    return isProtected ? 'encrypted' : null;
  }
}

function isEncrypted(text: string): boolean {
  if (/^Proc-Type: 4,ENCRYPTED/m.test(text)) return true;
  const envelope = openSshEnvelope(text);
  return envelope !== null && envelope.cipher !== 'none';
}

/** The blob of a public key file: one line as in authorized_keys, or RFC 4716. Also of types that ssh2 cannot use. */
export function publicBlobOf(text: string): Buffer | null {
  const line = /^[ \t]*([a-z0-9@.-]{1,64})[ \t]+([A-Za-z0-9+/]{16,}={0,2})(?:[ \t]|\r?$)/m.exec(text);
  if (line !== null) {
    const blob = Buffer.from(line[2] ?? '', 'base64');
    return new WireReader(blob).string()?.toString('latin1') === line[1] ? blob : null;
  }
  if (!text.includes('BEGIN SSH2 PUBLIC KEY')) return null;
  const key = parseWithSsh2(text, null);
  return key instanceof Error ? null : key.getPublicSSH();
}
