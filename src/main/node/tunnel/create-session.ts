import type { TunnelConfig } from '../../core/tunnel/tunnel-protocol.ts';
import { OpensshSession } from '../ssh/openssh/openssh-session.ts';
import { SshChain } from '../ssh/ssh-chain.ts';
import type { SshTiming } from '../ssh/ssh-timing.ts';
import type { TunnelSession, TunnelSessionDeps, TunnelSessionEvents } from './tunnel-session.ts';

/** Starts one attempt at the connection that the configuration describes, by the transport that it names. */
export function createTunnelSession(
  config: TunnelConfig,
  events: TunnelSessionEvents,
  deps: TunnelSessionDeps & { readonly timing?: SshTiming },
): TunnelSession {
  if (config.transport === 'openssh') return new OpensshSession(config, events, deps);
  return new SshChain(config, events, deps);
}
