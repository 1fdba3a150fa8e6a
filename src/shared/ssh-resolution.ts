import type { SshTransport } from './gateway-profile.ts';

/** What the user's SSH configuration makes of a target: shown as "Resolved as" beside the field. Holds no secret. */
export interface SshResolution {
  /** HostName: where the connection leads. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** HostKeyAlias: the name in known_hosts, where it is another one. */
  readonly hostKeyAlias: string | null;
  /** Key files in the order of offering. */
  readonly identityFiles: readonly { readonly path: string; readonly exists: boolean }[];
  /** Socket or pipe of the agent; null without one. */
  readonly agent: string | null;
  /** Jump hosts, in the order of connecting. */
  readonly jumps: readonly SshPlace[];
  /** ProxyCommand with its tokens expanded. */
  readonly proxyCommand: string | null;
  /** What will carry the connection, and why not the built-in SSH where that is so. */
  readonly transport: SshTransport;
  readonly reasons: readonly TransportReason[];
  /** Directives of this host that have no effect here, as ssh_config(5) spells them. */
  readonly notHonoured: readonly { readonly directive: string; readonly value: string }[];
  /** Who read the configuration: `ssh -G`, or the library that stands in where OpenSSH is not installed. */
  readonly source: 'openssh' | 'library';
}

export interface SshPlace {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** Why the built-in SSH does not do; the words are in i18n under `transportReasons`. */
export interface TransportReason {
  readonly code:
    /** The person chose OpenSSH. */
    | 'chosen'
    /** A FIDO key (`sk-…`). */
    | 'security-key'
    | 'certificate'
    /** The same in the agent; `detail` is the key's comment. */
    | 'agent-security-key'
    | 'agent-certificate'
    /** `@cert-authority` in known_hosts for this host. */
    | 'host-certificate'
    | 'gssapi'
    | 'host-based'
    | 'control-master'
    | 'pkcs11'
    /** Only algorithms that ssh2 does not know. */
    | 'algorithms'
    /** Another directive that only OpenSSH can honour. */
    | 'directive';
  /** What it is about: a file, a directive with its value, names of algorithms. */
  readonly detail: string;
}

/** A host of the user's SSH configuration, to be offered while a target is typed. */
export interface HostSuggestion {
  /** As named after `Host`, without patterns. */
  readonly alias: string;
  /** `user@host:port` as far as its block says; '' where it says nothing. */
  readonly detail: string;
}
