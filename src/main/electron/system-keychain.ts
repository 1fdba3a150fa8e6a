import { safeStorage } from 'electron';
import type { Keychain } from '../node/secrets/keychain-secret-store.ts';

/** Backends of Electron on Linux that protect nothing: a hard-coded password, or none chosen. */
const WORTHLESS_BACKENDS = new Set(['basic_text', 'unknown']);

/**
 * Where a keyring of Linux is locked or does not answer, Chromium encrypts with a key that stands in its source, says that
 * encryption is available, and marks the ciphertext with this. On macOS and Windows the same mark means the keychain.
 * (Chromium, components/os_crypt/async/browser/posix_key_provider.h)
 */
const HARD_CODED_KEY_MARK = 'v10';

/** The keychain behind Electron's safeStorage. Must be made when the app is ready. */
export function systemKeychain(): Keychain {
  const isLinux = process.platform === 'linux';
  const backend = isLinux ? safeStorage.getSelectedStorageBackend() : process.platform;
  return {
    backend,
    async look() {
      if (isLinux && WORTHLESS_BACKENDS.has(backend)) return 'worthless';
      // "No" until the first answer has started the keychain; encrypting before that crashes Electron 42.
      if (!(await safeStorage.isAsyncEncryptionAvailable())) return 'opening';
      if (!isLinux) return 'ready';
      const mark = (await safeStorage.encryptStringAsync('mark')).toString('latin1', 0, 3);
      return mark === HARD_CODED_KEY_MARK ? 'refused' : 'ready';
    },
    encrypt: (text) => safeStorage.encryptStringAsync(text),
    decrypt: (ciphertext) => safeStorage.decryptStringAsync(ciphertext),
  };
}
