import type { GatewayMode, GatewayProfile } from '../../../shared/gateway-profile.ts';
import { isConfigured } from '../../../shared/gateway-profile.ts';
import { parseSshTarget } from '../../../shared/ssh-target.ts';

/** What the state machine must know of a profile: names for its failures, and whether a network is needed at all. */
export interface ConnectionTarget {
  readonly mode: GatewayMode;
  /** False while the profile does not say enough to try a connection. */
  readonly configured: boolean;
  /** Host as people call it: the SSH host, the URL's host, or `127.0.0.1`. */
  readonly host: string;
  /** Port of the SSH server (22 where the target names none) or of the URL. */
  readonly port: number;
  readonly gatewayPort: number;
  /** Where the gateway is reached without a tunnel; empty in SSH mode. */
  readonly url: string;
  /** False where the target is this computer: then "offline" means nothing. */
  readonly needsNetwork: boolean;
}

export function connectionTarget(profile: GatewayProfile): ConnectionTarget {
  const configured = isConfigured(profile);
  switch (profile.mode) {
    case 'local': {
      const port = profile.local.port;
      const url = `ws://127.0.0.1:${port}`;
      return {
        mode: 'local',
        configured,
        host: '127.0.0.1',
        port,
        gatewayPort: port,
        url,
        needsNetwork: false,
      };
    }
    case 'ssh': {
      const { host, port } = sshHostOf(profile.ssh.target);
      return {
        mode: 'ssh',
        configured,
        host,
        port,
        gatewayPort: profile.ssh.gatewayPort,
        url: '',
        needsNetwork: !isLoopbackHost(host),
      };
    }
    case 'direct': {
      const { host, port } = urlHostOf(profile.direct.url);
      return {
        mode: 'direct',
        configured,
        host,
        port,
        gatewayPort: port,
        url: profile.direct.url,
        needsNetwork: !isLoopbackHost(host),
      };
    }
  }
}

/** True when both profiles lead to the same gateway by the same way: a new name alone needs no new connection. */
export function isSameTarget(a: GatewayProfile, b: GatewayProfile): boolean {
  if (!isSameGateway(a, b)) return false;
  if (a.mode !== 'ssh') return true;
  return (
    a.ssh.localPort === b.ssh.localPort &&
    a.ssh.identityFile === b.ssh.identityFile &&
    a.ssh.transport === b.ssh.transport
  );
}

/** True when both profiles name the same gateway, whatever is used on this side to reach it. */
export function isSameGateway(a: GatewayProfile, b: GatewayProfile): boolean {
  return gatewayIdentity(a) === gatewayIdentity(b);
}

/** Names the gateway that a profile leads to; the same over restarts of the app. No secret. */
export function gatewayIdentity({ mode, local, direct, ssh }: GatewayProfile): string {
  switch (mode) {
    case 'local':
      return `local ${local.port}`;
    case 'direct':
      return `direct ${direct.url}`;
    case 'ssh':
      return `ssh ${ssh.target} ${ssh.gatewayPort}`;
  }
}

/** Loopback by name or number: `localhost` and its subdomains (RFC 6761), 127.0.0.0/8, `::1`. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    /^127(?:\.\d{1,3}){3}$/.test(name)
  );
}

/** Only for words and for the loopback question: validation is the settings' job, so a bad target is its own host. */
function sshHostOf(target: string): { host: string; port: number } {
  const parsed = parseSshTarget(target);
  return parsed.ok ? { host: parsed.value.host, port: parsed.value.port ?? 22 } : { host: target, port: 22 };
}

function urlHostOf(url: string): { host: string; port: number } {
  // The core has no URL class: its lib is ECMAScript only.
  const match = /^(wss?):\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d{1,5}))?/i.exec(url.trim());
  if (!match) return { host: url, port: 0 };
  const host = (match[2] ?? '').replace(/^\[|\]$/g, '');
  return { host, port: Number(match[3] ?? (match[1]?.toLowerCase() === 'wss' ? 443 : 80)) };
}
