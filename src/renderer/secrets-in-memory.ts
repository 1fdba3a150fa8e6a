import { useShown } from './gangway-context.ts';

/** This system has no keychain that the app can use: secrets last until the app quits. */
export function useSecretsAreInMemory(): boolean {
  return useShown().snapshot.secretPersistence === 'memory';
}
