import type { SshHop } from './ssh-hop.ts';

/**
 * A hop that no configuration says anything of: OpenSSH's defaults, empty lists of files, and the algorithms that it is
 * given. Others are made from it by spreading.
 */
export function plainHop(
  place: Pick<SshHop, 'name' | 'host' | 'port' | 'user' | 'knownHostsFiles' | 'algorithms'>,
): SshHop {
  return {
    hostKeyAlias: null,
    identityFiles: [],
    identityFileIsExplicit: false,
    identitiesOnly: false,
    agentSocket: null,
    strictHostKeyChecking: 'ask',
    hashKnownHosts: false,
    updateHostKeys: 'yes',
    methods: ['publickey', 'keyboard-interactive', 'password'],
    numberOfPasswordPrompts: 3,
    connectTimeoutMs: null,
    serverAliveIntervalMs: null,
    serverAliveCountMax: 3,
    addressFamily: 'any',
    bindAddress: null,
    tcpKeepAlive: true,
    ...place,
  };
}
