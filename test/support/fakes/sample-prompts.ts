import type { UserPrompt } from '../../../src/shared/connection-state.ts';

/** Questions as main asks them; the unknown host key is on another port than 22. */
export const sampleHostKeyPrompt = {
  type: 'host-key',
  jump: null,
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

export const sampleInteractivePrompt = {
  type: 'keyboard-interactive',
  jump: null,
  id: 'p3',
  user: 'ops',
  host: 'homelab',
  name: '',
  instructions: 'Two things are needed.',
  prompts: [
    { text: 'Password: ', echo: false },
    { text: 'Code: ', echo: true },
  ],
  wasWrong: false,
} as const satisfies UserPrompt;

export const samplePasswordPrompt = {
  type: 'password',
  jump: null,
  id: 'p5',
  user: 'ops',
  host: 'homelab',
  wasWrong: false,
} as const satisfies UserPrompt;

export const sampleNoticePrompt = {
  type: 'notice',
  id: 'p4',
  host: 'homelab',
  text: 'Confirm user presence for key ED25519-SK SHA256:abc',
} as const satisfies UserPrompt;

export const sampleConfirmPrompt = {
  type: 'confirm',
  id: 'p6',
  host: 'homelab',
  text: 'Allow use of key ~/.ssh/id_ed25519?\nKey fingerprint SHA256:hZ2a6oYJk3nqg4Y7m0E4oJ2iHkQvB9f1sXw5tRzUuLc.',
} as const satisfies UserPrompt;
