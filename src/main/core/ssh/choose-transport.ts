import type { SshTransport, SshTransportChoice } from '../../../shared/gateway-profile.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import type { TransportReason } from '../../../shared/ssh-resolution.ts';

/** What of one hop, and of the files that it names, the built-in SSH may not be able to do. Values are as configured. */
export interface TransportFacts {
  /** Identity files with a FIDO key. */
  readonly securityKeys: readonly string[];
  /** CertificateFile, and `…-cert.pub` beside identity files. */
  readonly certificates: readonly string[];
  /** Comments of the FIDO keys and certificates that the agent holds and that ssh would offer besides those of the files. */
  readonly agentSecurityKeys: readonly string[];
  readonly agentCertificates: readonly string[];
  /** `file:line` of `@cert-authority` entries for this host. */
  readonly hostAuthorities: readonly string[];
  /** Directives with values, such as `GSSAPIAuthentication yes`, that the user chose. */
  readonly gssapi: readonly string[];
  readonly hostBased: readonly string[];
  readonly controlMaster: readonly string[];
  readonly pkcs11: readonly string[];
  /** Algorithm directives that leave the built-in SSH nothing, and ciphers of key files that it cannot open. */
  readonly algorithms: readonly string[];
  /** Others that change whether or where OpenSSH connects. */
  readonly directives: readonly string[];
}

/** Why the built-in SSH does not do, in the order of weight; empty where it does. */
export function transportReasons(facts: TransportFacts): readonly TransportReason[] {
  const reasons = (code: TransportReason['code'], details: readonly string[]): TransportReason[] =>
    [...new Set(details)].map((detail) => ({ code, detail: detail.slice(0, 300) }));
  return [
    ...reasons('security-key', facts.securityKeys),
    ...reasons('certificate', facts.certificates),
    ...reasons('agent-security-key', facts.agentSecurityKeys),
    ...reasons('agent-certificate', facts.agentCertificates),
    ...reasons('host-certificate', facts.hostAuthorities),
    ...reasons('gssapi', facts.gssapi),
    ...reasons('host-based', facts.hostBased),
    ...reasons('pkcs11', facts.pkcs11),
    ...reasons('algorithms', facts.algorithms),
    ...reasons('directive', facts.directives),
    ...reasons('control-master', facts.controlMaster),
  ];
}

export interface ChosenTransport {
  readonly transport: SshTransport;
  readonly reasons: readonly TransportReason[];
}

/** `unavailable`: installed or not, it cannot carry a connection on this system. */
export type OpensshPresence = 'there' | 'missing' | 'unavailable';

/** Those for which nobody has to install OpenSSH: a shared connection saves a login, the agent may hold another key as well. */
const MERELY_BETTER = new Set<TransportReason['code']>([
  'control-master',
  'agent-security-key',
  'agent-certificate',
]);

/**
 * Chooses what carries the connection. With `ssh2` the reasons say what the built-in SSH leaves undone. The error is the reasons
 * for an OpenSSH that is not there.
 */
export function chooseTransport(
  choice: SshTransportChoice,
  reasons: readonly TransportReason[],
  openssh: OpensshPresence,
): Result<ChosenTransport, readonly TransportReason[]> {
  switch (choice) {
    case 'ssh2':
      return ok({ transport: 'ssh2', reasons });
    case 'openssh': {
      const all: TransportReason[] = [{ code: 'chosen', detail: '' }, ...reasons];
      return openssh === 'there' ? ok({ transport: 'openssh', reasons: all }) : err(all);
    }
    case 'automatic': {
      const needed = reasons.filter(({ code }) => isNeeded(code, openssh));
      if (openssh === 'there' && reasons.length > 0) return ok({ transport: 'openssh', reasons });
      return needed.length === 0 ? ok({ transport: 'ssh2', reasons }) : err(needed);
    }
  }
}

/**
 * Where OpenSSH can be installed that is the better advice. Where it cannot, the built-in SSH tries what it can, but for
 * directives without which it would connect elsewhere, or where the user forbids it (RevokedHostKeys).
 */
function isNeeded(code: TransportReason['code'], openssh: OpensshPresence): boolean {
  return openssh === 'unavailable' ? code === 'directive' : !MERELY_BETTER.has(code);
}
