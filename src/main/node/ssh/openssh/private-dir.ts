import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Disposable } from '../../../core/lifecycle.ts';

/** ssh binds `PATH.` with 16 more characters first; sun_path holds 104 bytes on macOS, 108 on Linux (unix(7)). */
const MAX_SOCKET_PATH = 103 - 17;

/** A folder of mode 0700 with a random name, short enough for a socket. Disposing removes it. */
export class PrivateDir implements Disposable {
  readonly path: string;

  constructor() {
    const made = mkdtempSync(join(shortTemp(), 'gangway-'));
    this.path = made;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 2 });
  }
}

function shortTemp(): string {
  const usual = realpathSync(tmpdir());
  return Buffer.byteLength(join(usual, 'gangway-123456', 'c')) > MAX_SOCKET_PATH ? '/tmp' : usual;
}
