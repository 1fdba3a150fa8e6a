import type { GatewayMode } from '../../shared/gateway-profile.ts';

/** Names under which secrets are kept in the SecretStore: one place, so that writer and reader agree. */
export const secretNames = {
  /** By mode, so that what was given for one way in is never shown to whoever answers at another. */
  token: (gatewayId: string, mode: GatewayMode): string => `gateway-token:${gatewayId}:${mode}`,
  password: (gatewayId: string, mode: GatewayMode): string => `gateway-password:${gatewayId}:${mode}`,
  /** Passphrases and passwords of a gateway's SSH connection, all in one entry (src/main/app/prompt-memory.ts). */
  sshSecrets: (gatewayId: string): string => `ssh-secrets:${gatewayId}`,
  /** The Ed25519 key pair by which every gateway knows this installation. */
  deviceIdentity: 'device-identity',
  /** A key pair that was not understood, kept when a new one took its place. */
  replacedDeviceIdentity: 'device-identity-replaced',
  /** A gateway's own token for this device and one role, issued with hello-ok. */
  deviceToken: (gatewayId: string, role: string): string => `device-token:${gatewayId}:${role}`,
} as const;
