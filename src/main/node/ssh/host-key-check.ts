import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { assertNever, ok, type Result } from '../../../shared/result.ts';
import type { SshHop } from '../../core/tunnel/ssh-hop.ts';
import type { HostKeyQuestion, TrustedKey } from '../tunnel/tunnel-session.ts';
import { appendKnownHost } from './known-hosts-file.ts';
import {
  formatEntry,
  isRecordableName,
  judgeHostKey,
  knownHostsName,
  type HostKeyVerdict,
  type KnownHostsEntry,
} from './known-hosts.ts';
import { fingerprintOf, keyTypeOfBlob } from './public-key-blob.ts';

/** Why a host key was not accepted. */
export type HostKeyDenial =
  | { readonly type: 'failed'; readonly failure: ConnectionFailure }
  | { readonly type: 'untrusted'; readonly question: HostKeyQuestion };

/**
 * The host key of one connection. ssh2 asks synchronously, at the first key exchange and at every later one, and only takes
 * yes or no; the reason for a no is kept for whoever reports the end of the link. Works on entries that were read before.
 */
export class HostKeyCheck {
  readonly #hop: SshHop;
  readonly #entries: readonly KnownHostsEntry[];
  readonly #file: string;
  readonly #trusted: readonly TrustedKey[];
  #accepted: Buffer | null = null;
  #unwritten: Buffer | null = null;
  #mayLearn = false;
  #denial: HostKeyDenial | null = null;

  constructor(hop: SshHop, entries: readonly KnownHostsEntry[], trusted: readonly TrustedKey[]) {
    this.#hop = hop;
    this.#entries = entries;
    this.#file = hop.knownHostsFiles.user[0] ?? '';
    this.#trusted = trusted;
  }

  /** Name and port that known_hosts goes by; an alias stands alone, without the port (ssh_config(5), HostKeyAlias). */
  get place(): { readonly host: string; readonly port: number } {
    const { hostKeyAlias, host, port } = this.#hop;
    return hostKeyAlias === null ? { host, port } : { host: hostKeyAlias, port: 22 };
  }

  get denial(): HostKeyDenial | null {
    return this.#denial;
  }

  /** `SHA256:…` of the accepted key. */
  get fingerprint(): string | null {
    return this.#accepted === null ? null : fingerprintOf(this.#accepted);
  }

  /**
   * The accepted key, where it may vouch for further keys of its server (ssh_config(5), UpdateHostKeys): one that was in a
   * file of the user's under the host's full name, or that the person has just accepted; null otherwise.
   */
  get voucher(): Buffer | null {
    return this.#mayLearn ? this.#accepted : null;
  }

  isTrusted(key: Buffer): boolean {
    if (this.#accepted !== null && this.#accepted.equals(key)) return true;
    this.#denial = this.#accepted === null ? this.#judge(key) : this.#replaced();
    if (this.#denial !== null) return false;
    this.#accepted = Buffer.from(key);
    return true;
  }

  /**
   * Writes a newly trusted key down. Only after the key exchange: before its end anybody could have shown that key. And before
   * any credential is offered, so that a key that cannot be remembered is not used.
   */
  async remember(): Promise<Result<void, ConnectionFailure>> {
    const key = this.#unwritten;
    if (key === null) return ok(undefined);
    this.#unwritten = null;
    const { host, port } = this.place;
    return appendKnownHost(this.#file, formatEntry(host, port, key, this.#hop.hashKnownHosts));
  }

  #judge(key: Buffer): HostKeyDenial | null {
    const { host, port } = this.place;
    const verdict = judgeHostKey(this.#entries, host, port, key);
    switch (verdict.type) {
      case 'trusted':
        this.#mayLearn =
          !verdict.withoutPort && !this.#hop.knownHostsFiles.global.includes(verdict.entry.file);
        return null;
      case 'revoked': {
        const { file, line } = verdict.entry;
        const fingerprint = fingerprintOf(key);
        return { type: 'failed', failure: failure('host-key-revoked', { host, fingerprint, file, line }) };
      }
      case 'changed':
        return {
          type: 'failed',
          failure: failure('host-key-changed', {
            host,
            port,
            keyType: keyTypeOfBlob(key) ?? '',
            offeredFingerprint: fingerprintOf(key),
            known: verdict.known,
          }),
        };
      case 'unknown':
        return this.#judgeUnknown(key, verdict);
      default:
        return assertNever(verdict);
    }
  }

  #judgeUnknown(
    key: Buffer,
    { otherKnownTypes }: Extract<HostKeyVerdict, { type: 'unknown' }>,
  ): HostKeyDenial | null {
    const { host, port } = this.place;
    const { strictHostKeyChecking } = this.#hop;
    const keyType = keyTypeOfBlob(key) ?? '';
    const fingerprint = fingerprintOf(key);
    // A name that means something else in the file cannot be remembered: OpenSSH does not try either.
    if (strictHostKeyChecking === 'yes' || !isRecordableName(knownHostsName(host, port))) {
      const facts = { host, port, keyType, fingerprint, file: this.#file };
      return { type: 'failed', failure: failure('host-key-unknown', facts) };
    }
    if (this.#isTrustedNow(host, port, fingerprint)) {
      this.#unwritten = Buffer.from(key);
      this.#mayLearn = true;
      return null;
    }
    // "New" means a host that is new. A further key of a known one may be an impostor's, and OpenSSH refuses it.
    if (strictHostKeyChecking === 'accept-new' && otherKnownTypes.length === 0) {
      this.#unwritten = Buffer.from(key);
      return null;
    }
    const knownHostsFile = this.#file;
    return {
      type: 'untrusted',
      question: {
        type: 'host-key',
        jump: null,
        host,
        port,
        keyType,
        fingerprint,
        knownHostsFile,
        otherKnownTypes,
      },
    };
  }

  #isTrustedNow(host: string, port: number, fingerprint: string): boolean {
    return this.#trusted.some(
      (key) => key.host === host && key.port === port && key.fingerprint === fingerprint,
    );
  }

  /**
   * Another key in a later key exchange of the same connection. The one on file is right until a new connection tells
   * otherwise, so nothing is offered for removal.
   */
  #replaced(): HostKeyDenial {
    const { host } = this.#hop;
    const detail = 'the server showed another host key than before';
    return { type: 'failed', failure: failure('link-lost', { host, detail }) };
  }
}
