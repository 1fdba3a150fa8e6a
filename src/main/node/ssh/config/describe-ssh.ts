import { existsSync } from 'node:fs';
import type { ConnectionFailure } from '../../../../shared/connection-failure.ts';
import type { SshSettings } from '../../../../shared/gateway-profile.ts';
import { ok, type Result } from '../../../../shared/result.ts';
import type { SshResolution } from '../../../../shared/ssh-resolution.ts';
import { resolveSshFully } from './resolve-ssh.ts';
import type { SshEnvironment } from './ssh-environment.ts';

/** What a target resolves to, for people. */
export async function describeSsh(
  settings: SshSettings,
  environment: SshEnvironment,
): Promise<Result<SshResolution, ConnectionFailure>> {
  const resolved = await resolveSshFully(settings, environment);
  if (!resolved.ok) return resolved;
  const { config, reasons, notHonoured, source, namesKeys } = resolved.value;
  const { target, jumps, proxyCommand, transport } = config;
  return ok({
    host: target.host,
    port: target.port,
    user: target.user,
    hostKeyAlias: target.hostKeyAlias,
    // A named key that is missing is worth a look; OpenSSH's default ones are mostly missing.
    identityFiles: target.identityFiles
      .map((path) => ({ path, exists: existsSync(path) }))
      .filter(({ exists }) => exists || namesKeys),
    agent: target.agentSocket,
    jumps: jumps.map(({ name, host, port, user }) => ({ name, host, port, user })),
    proxyCommand: proxyCommand?.command ?? null,
    transport,
    reasons,
    notHonoured,
    source,
  });
}
