import type { ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { LadderLayer } from '../../../shared/health.ts';
import { assertNever } from '../../../shared/result.ts';

/** The layer that a failure speaks of; null for failures of our own that say nothing about the way. */
export function failureLayer({ code }: ConnectionFailure): LadderLayer | null {
  switch (code) {
    case 'host-not-found':
    case 'dns-timeout':
    case 'ssh-unreachable':
      return 'network';
    case 'ssh-refused':
    case 'ssh-timeout':
    case 'not-ssh':
    case 'ssh-rejecting':
    case 'ssh-handshake-timeout':
    case 'ssh-handshake-failed':
    case 'link-lost':
    case 'link-dead':
    case 'link-corrupted':
    case 'host-key-changed':
    case 'host-key-revoked':
    case 'host-key-declined':
    case 'known-hosts-unreadable':
    case 'known-hosts-unwritable':
    case 'auth-rejected':
    case 'auth-too-many':
    case 'no-credentials':
    case 'key-unreadable':
    case 'passphrase-declined':
    case 'passphrase-wrong':
    case 'sign-in-declined':
    case 'host-key-unknown':
    case 'target-invalid':
    case 'ssh-config-unsupported':
    case 'ssh-config-invalid':
    case 'ssh-config-needs-openssh':
    case 'openssh-missing':
    case 'openssh-unavailable':
    case 'openssh-failed':
    case 'ssh-no-common-algorithm':
    case 'jump-unreachable':
    case 'jump-forbidden':
    case 'proxy-command-failed':
    case 'proxy-command-not-found':
    case 'tunnel-process-crashed':
      return 'ssh';
    case 'forwarding-disabled':
    case 'forward-timeout':
    case 'port-taken':
    case 'port-forbidden':
      return 'forward';
    // The SSH server tried the port for us: the forward works, the gateway is not there.
    case 'gateway-not-listening':
    case 'gateway-unreachable':
    case 'gateway-url-invalid':
    case 'gateway-url-insecure':
    case 'tls-rejected':
    case 'not-a-gateway':
    case 'gateway-silent':
    case 'gateway-starting':
    case 'gateway-restarting':
    case 'gateway-closed':
    case 'token-missing':
    case 'token-mismatch':
    case 'password-missing':
    case 'password-mismatch':
    case 'device-token-rejected':
    case 'device-identity-rejected':
    case 'pairing-required':
    case 'scope-missing':
    case 'protocol-mismatch':
    case 'rate-limited':
    case 'frame-too-large':
    case 'slow-consumer':
    case 'gateway-rejected':
      return 'gateway';
    case 'secrets-unavailable':
    case 'storage-failed':
    case 'message-not-kept':
    case 'bug':
      return null;
    default:
      return assertNever(code);
  }
}
