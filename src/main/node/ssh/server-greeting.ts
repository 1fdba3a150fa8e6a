import { isClearlyNotSsh } from './ssh-errors.ts';

/** Identification lines and the first key exchange message. */
const MAX_RECORDED_BYTES = 16 * 1024;

/** The first bytes of a server: what it is, before anything is encrypted (RFC 4253, section 4.2). */
export class ServerGreeting {
  #received = Buffer.alloc(0);

  /** What was received, bounded. */
  get received(): Buffer {
    return this.#received;
  }

  /** Whether the identification line is there, or something that no SSH server says. */
  get kind(): 'identified' | 'not-ssh' | 'unknown' {
    if (/(?:^|\n)SSH-[^\n]*\n/.test(this.#received.toString('latin1'))) return 'identified';
    return isClearlyNotSsh(this.#received) ? 'not-ssh' : 'unknown';
  }

  /** `OpenSSH_9.2p1 Debian-2` of `SSH-2.0-OpenSSH_9.2p1 Debian-2`. */
  get server(): string | null {
    const match = /(?:^|\n)SSH-[^-\n]+-([^\r\n]{1,200})/.exec(this.#received.toString('latin1'));
    return match?.[1] ?? null;
  }

  record(data: Buffer): void {
    if (this.#received.length >= MAX_RECORDED_BYTES) return;
    this.#received = Buffer.concat([this.#received, data]).subarray(0, MAX_RECORDED_BYTES);
  }
}
