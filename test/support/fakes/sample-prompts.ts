import type { UserPrompt } from '../../../src/shared/connection-state.ts';

/** Questions as main asks them: an unknown host key on another port than 22, and an encrypted key. */
export const sampleHostKeyPrompt = {
  type: 'host-key',
  id: 'p1',
  host: 'homelab',
  port: 2222,
  keyType: 'ssh-ed25519',
  fingerprint: 'SHA256:hZ2a6oYJk3nqg4Y7m0E4oJ2iHkQvB9f1sXw5tRzUuLc',
  knownHostsFile: '~/.ssh/known_hosts',
  otherKnownTypes: [],
} as const satisfies UserPrompt;

export const samplePassphrasePrompt = {
  type: 'passphrase',
  id: 'p2',
  keyPath: '~/.ssh/id_ed25519',
  wasWrong: false,
} as const satisfies UserPrompt;
