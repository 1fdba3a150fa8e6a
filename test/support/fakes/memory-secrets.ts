import type { SecretStore } from '../../../src/main/core/ports.ts';

/** A keychain in memory that can refuse. */
export class MemorySecrets implements SecretStore {
  persistence: SecretStore['persistence'] = 'keychain';
  readonly backend = 'test';
  readonly values: Map<string, string>;
  failReads = false;
  failWrites = false;
  writes = 0;

  constructor(values: Readonly<Record<string, string>> = {}) {
    this.values = new Map(Object.entries(values));
  }

  get(name: string): Promise<string | null> {
    if (this.failReads) return Promise.reject(new Error('locked'));
    return Promise.resolve(this.values.get(name) ?? null);
  }
  set(name: string, value: string): Promise<void> {
    if (this.failWrites) return Promise.reject(new Error('locked'));
    this.writes += 1;
    this.values.set(name, value);
    return Promise.resolve();
  }
  delete(name: string): Promise<void> {
    if (this.failWrites) return Promise.reject(new Error('locked'));
    this.values.delete(name);
    return Promise.resolve();
  }
  has(name: string): boolean {
    return this.values.has(name);
  }
}
