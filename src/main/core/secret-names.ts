/** Names under which secrets are kept in the SecretStore: one place, so that writer and reader agree. */
export const secretNames = {
  token: (gatewayId: string): string => `gateway-token:${gatewayId}`,
  password: (gatewayId: string): string => `gateway-password:${gatewayId}`,
  /** The Ed25519 key pair by which every gateway knows this installation. */
  deviceIdentity: 'device-identity',
  /** A gateway's own token for this device and one role, issued with hello-ok. */
  deviceToken: (gatewayId: string, role: string): string => `device-token:${gatewayId}:${role}`,
} as const;
