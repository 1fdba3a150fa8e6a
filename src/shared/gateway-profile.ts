/** Where the OpenClaw Gateway of a profile runs; the words of the settings are in i18n under `mode`. */
export type GatewayMode = 'local' | 'ssh' | 'direct';

/** The Gateway's default WebSocket port, bound to its host's loopback (OpenClaw docs, gateway/remote). */
export const DEFAULT_GATEWAY_PORT = 18789;

/**
 * A saved gateway. It holds the fields of every mode, so that switching the mode forgets nothing.
 * It never holds a secret: tokens and passwords are in the keychain under the profile's id.
 */
export interface GatewayProfile {
  /** Stable random id; keys of secrets, caches, windows and IPC carry it. */
  readonly id: string;
  /** What the person calls it; empty means: derive it from the target (see `gatewayLabel`). */
  readonly name: string;
  readonly mode: GatewayMode;
  readonly ssh: SshSettings;
  readonly direct: { readonly url: string };
  readonly local: { readonly port: number };
  /** What the person last asked for: kept across restarts, so that a paused gateway stays paused. */
  readonly wanted: 'connected' | 'off';
}

/** What carries the SSH connection: the built-in ssh2, or the system's own `ssh`. */
export type SshTransport = 'ssh2' | 'openssh';
/** `automatic`: ssh2 where it does everything that the user's ssh configuration asks for, else OpenSSH. */
export type SshTransportChoice = 'automatic' | SshTransport;

export interface SshSettings {
  /** As typed: `user@host`, `host`, `user@host:port`, `ssh://…`, an IPv6 address in brackets, or an alias. */
  readonly target: string;
  /** Port of the Gateway on the remote host's loopback. */
  readonly gatewayPort: number;
  /** Port of the local listener on 127.0.0.1. */
  readonly localPort: number;
  /** Path of a private key, `~` allowed; empty means the agent and the default keys of `~/.ssh`. */
  readonly identityFile: string;
  readonly transport: SshTransportChoice;
  /** `SHA256:…` of the public key that the server accepted last, offered first; '' before the first time. */
  readonly lastCredential: string;
}

export function emptyProfile(id: string): GatewayProfile {
  return {
    id,
    name: '',
    mode: 'ssh',
    ssh: {
      target: '',
      gatewayPort: DEFAULT_GATEWAY_PORT,
      localPort: DEFAULT_GATEWAY_PORT,
      identityFile: '',
      transport: 'automatic',
      lastCredential: '',
    },
    direct: { url: '' },
    local: { port: DEFAULT_GATEWAY_PORT },
    wanted: 'off',
  };
}

/** Whether the profile says enough to try a connection in its mode. */
export function isConfigured(profile: GatewayProfile): boolean {
  switch (profile.mode) {
    case 'local':
      return true;
    case 'ssh':
      return profile.ssh.target !== '';
    case 'direct':
      return profile.direct.url !== '';
  }
}
