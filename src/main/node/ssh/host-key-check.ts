import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { UserPrompt } from '../../../shared/connection-state.ts';
import { assertNever, ok, type Result } from '../../../shared/result.ts';
import type { TunnelConfig } from '../../core/tunnel/tunnel-protocol.ts';
import { appendKnownHost } from './known-hosts-file.ts';
import {
  fingerprintOf,
  formatEntry,
  judgeHostKey,
  keyTypeOfBlob,
  type KnownHostsEntry,
} from './known-hosts.ts';

/** Why a host key was not accepted. */
export type HostKeyDenial =
  | { readonly type: 'failed'; readonly failure: ConnectionFailure }
  | { readonly type: 'needs-user'; readonly prompt: Extract<UserPrompt, { type: 'host-key' }> };

/**
 * The host key of one connection. ssh2 asks synchronously, at the first key exchange and at every later one, and only takes
 * yes or no; the reason for a no is kept for whoever reports the end of the link. Works on entries that were read before.
 */
export class HostKeyCheck {
  readonly #target: TunnelConfig['target'];
  readonly #entries: readonly KnownHostsEntry[];
  readonly #file: string;
  readonly #trustedFingerprint: string | null;
  readonly #nextPromptId: () => string;
  #accepted: Buffer | null = null;
  #unwritten: Buffer | null = null;
  #denial: HostKeyDenial | null = null;

  constructor(
    config: Pick<TunnelConfig, 'target' | 'knownHostsFiles'>,
    entries: readonly KnownHostsEntry[],
    trustedFingerprint: string | null,
    nextPromptId: () => string,
  ) {
    this.#target = config.target;
    this.#entries = entries;
    this.#file = config.knownHostsFiles.user[0] ?? '';
    this.#trustedFingerprint = trustedFingerprint;
    this.#nextPromptId = nextPromptId;
  }

  get denial(): HostKeyDenial | null {
    return this.#denial;
  }

  /** `SHA256:…` of the accepted key. */
  get fingerprint(): string | null {
    return this.#accepted === null ? null : fingerprintOf(this.#accepted);
  }

  isTrusted(key: Buffer): boolean {
    if (this.#accepted !== null && this.#accepted.equals(key)) return true;
    this.#denial = this.#accepted === null ? this.#judge(key) : this.#replaced(key, this.#accepted);
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
    return appendKnownHost(this.#file, formatEntry(this.#target.host, this.#target.port, key));
  }

  #judge(key: Buffer): HostKeyDenial | null {
    const { host, port } = this.#target;
    const keyType = keyTypeOfBlob(key) ?? '';
    const fingerprint = fingerprintOf(key);
    const verdict = judgeHostKey(this.#entries, host, port, key);
    switch (verdict.type) {
      case 'trusted':
        return null;
      case 'revoked': {
        const { file, line } = verdict.entry;
        return { type: 'failed', failure: failure('host-key-revoked', { host, fingerprint, file, line }) };
      }
      case 'changed': {
        const facts = { host, port, keyType, offeredFingerprint: fingerprint, known: verdict.known };
        return { type: 'failed', failure: failure('host-key-changed', facts) };
      }
      case 'unknown': {
        if (this.#trustedFingerprint === fingerprint) {
          this.#unwritten = Buffer.from(key);
          return null;
        }
        const { otherKnownTypes } = verdict;
        const id = this.#nextPromptId();
        const knownHostsFile = this.#file;
        return {
          type: 'needs-user',
          prompt: { type: 'host-key', id, host, port, keyType, fingerprint, knownHostsFile, otherKnownTypes },
        };
      }
      default:
        return assertNever(verdict);
    }
  }

  /** Another key in a later key exchange of the same connection. */
  #replaced(offered: Buffer, accepted: Buffer): HostKeyDenial {
    const { host, port } = this.#target;
    return {
      type: 'failed',
      failure: failure('host-key-changed', {
        host,
        port,
        keyType: keyTypeOfBlob(offered) ?? '',
        offeredFingerprint: fingerprintOf(offered),
        known: [
          {
            keyType: keyTypeOfBlob(accepted) ?? '',
            fingerprint: fingerprintOf(accepted),
            file: this.#file,
            line: this.#entries.find((entry) => entry.blob.equals(accepted))?.line ?? 0,
          },
        ],
      }),
    };
  }
}
