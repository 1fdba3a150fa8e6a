/**
 * Every directive of ssh_config(5), up to OpenSSH 10, and what becomes of it here. Documentation is generated from it, the
 * list of "Without effect" in the settings and the choice of the transport are read off it.
 */
export interface SshDirective {
  /** As ssh_config(5) spells it. */
  readonly name: string;
  readonly support:
    /** By the built-in SSH and by OpenSSH. */
    | 'honoured'
    /** By OpenSSH only. */
    | 'openssh'
    /** By nobody: it says nothing about a connection that only forwards one port. */
    | 'meaningless';
  /**
   * Of `openssh`: true where it changes whether or where a connection comes about, so that "Automatic" hands over to OpenSSH.
   * Those with a transport reason of their own (keys, certificates, GSSAPI …) say false.
   */
  readonly decides: boolean;
  /** Why, or how; in English, for the documentation. */
  readonly note: string;
}

function honoured(name: string, note = ''): SshDirective {
  return { name, support: 'honoured', decides: false, note };
}
function openssh(name: string, note: string): SshDirective {
  return { name, support: 'openssh', decides: false, note };
}
function decisive(name: string, note: string): SshDirective {
  return { name, support: 'openssh', decides: true, note };
}
function meaningless(name: string, note: string): SshDirective {
  return { name, support: 'meaningless', decides: false, note };
}

const NO_SHELL = 'No shell or command is run on the host.';
const NO_OTHER_FORWARD = 'The one forward is the gateway’s; others stay closed.';
const NO_X11 = 'X11 is not forwarded.';
const NO_TUNNEL_DEVICE = 'No tun device is opened.';
const OWN_LOG = 'Gangway keeps its own log.';

export const SSH_DIRECTIVES: readonly SshDirective[] = [
  honoured('Host'),
  honoured('Match', 'Without OpenSSH: host, originalhost, user, localuser and all.'),
  honoured('Include'),
  honoured('IgnoreUnknown', 'By OpenSSH while it reads the configuration.'),
  meaningless('AddKeysToAgent', 'Keys that Gangway opens stay in its memory; no agent is changed.'),
  honoured('AddressFamily'),
  meaningless('BatchMode', 'A background attempt never asks; one that you start may.'),
  honoured('BindAddress'),
  decisive('BindInterface', 'The built-in SSH binds to addresses only.'),
  honoured('CanonicalDomains', 'By OpenSSH while it reads the configuration.'),
  honoured('CanonicalizeFallbackLocal', 'By OpenSSH while it reads the configuration.'),
  honoured('CanonicalizeHostname', 'By OpenSSH while it reads the configuration.'),
  honoured('CanonicalizeMaxDots', 'By OpenSSH while it reads the configuration.'),
  honoured('CanonicalizePermittedCNAMEs', 'By OpenSSH while it reads the configuration.'),
  openssh('CASignatureAlgorithms', 'The built-in SSH does not check certificates.'),
  openssh('CertificateFile', 'The built-in SSH does not send certificates.'),
  meaningless('ChannelTimeout', 'The forward is kept; its end is the gateway’s to decide.'),
  openssh('CheckHostIP', 'The built-in SSH looks up the name only, as OpenSSH does by default.'),
  honoured('Ciphers', 'As far as the built-in SSH knows the names.'),
  meaningless('ClearAllForwardings', NO_OTHER_FORWARD),
  openssh('Compression', 'The built-in SSH sends uncompressed; the gateway’s frames are small.'),
  meaningless('ConnectionAttempts', 'Gangway tries again by itself, at growing intervals.'),
  honoured('ConnectTimeout'),
  openssh('ControlMaster', 'Connections are shared by OpenSSH only.'),
  openssh('ControlPath', 'Connections are shared by OpenSSH only.'),
  openssh('ControlPersist', 'Connections are shared by OpenSSH only.'),
  meaningless('DynamicForward', NO_OTHER_FORWARD),
  meaningless('EnableEscapeCommandline', NO_SHELL),
  openssh('EnableSSHKeysign', 'Host-based authentication is OpenSSH’s only.'),
  meaningless('EscapeChar', NO_SHELL),
  meaningless('ExitOnForwardFailure', NO_OTHER_FORWARD),
  meaningless('FingerprintHash', 'Fingerprints are shown as SHA256.'),
  meaningless('ForkAfterAuthentication', 'Nothing is left running behind the app.'),
  meaningless('ForwardAgent', 'The agent is not lent to the host.'),
  meaningless('ForwardX11', NO_X11),
  meaningless('ForwardX11Timeout', NO_X11),
  meaningless('ForwardX11Trusted', NO_X11),
  meaningless('GatewayPorts', 'The listener is on 127.0.0.1 only.'),
  honoured('GlobalKnownHostsFile'),
  openssh('GSSAPIAuthentication', 'Kerberos is OpenSSH’s only.'),
  openssh('GSSAPIClientIdentity', 'Kerberos is OpenSSH’s only.'),
  openssh('GSSAPIDelegateCredentials', 'Kerberos is OpenSSH’s only.'),
  openssh('GSSAPIKexAlgorithms', 'Kerberos is OpenSSH’s only.'),
  openssh('GSSAPIKeyExchange', 'Kerberos is OpenSSH’s only.'),
  openssh('GSSAPIRenewalForcesRekey', 'Kerberos is OpenSSH’s only.'),
  openssh('GSSAPIServerIdentity', 'Kerberos is OpenSSH’s only.'),
  openssh('GSSAPITrustDNS', 'Kerberos is OpenSSH’s only.'),
  honoured('HashKnownHosts'),
  openssh('HostbasedAcceptedAlgorithms', 'Host-based authentication is OpenSSH’s only.'),
  openssh('HostbasedAuthentication', 'Host-based authentication is OpenSSH’s only.'),
  honoured('HostKeyAlgorithms', 'As far as the built-in SSH knows the names.'),
  honoured('HostKeyAlias'),
  honoured('HostName'),
  honoured('IdentitiesOnly'),
  honoured('IdentityAgent'),
  honoured('IdentityFile', 'Files of public keys select a key of the agent.'),
  openssh('IPQoS', 'The built-in SSH leaves the type of service to the system.'),
  honoured('KbdInteractiveAuthentication'),
  openssh('KbdInteractiveDevices', 'The built-in SSH lets the server choose.'),
  honoured('KexAlgorithms', 'As far as the built-in SSH knows the names.'),
  decisive('KnownHostsCommand', 'The built-in SSH reads known_hosts files only.'),
  meaningless('LocalCommand', 'No command is run on this computer.'),
  meaningless('LocalForward', NO_OTHER_FORWARD),
  meaningless('LogLevel', OWN_LOG),
  meaningless('LogVerbose', OWN_LOG),
  honoured('MACs', 'As far as the built-in SSH knows the names.'),
  decisive('NoHostAuthenticationForLocalhost', 'The built-in SSH always checks the host’s key.'),
  honoured('NumberOfPasswordPrompts'),
  openssh('ObscureKeystrokeTiming', 'The built-in SSH adds no cover traffic; nothing is typed here.'),
  honoured('PasswordAuthentication'),
  meaningless('PermitLocalCommand', 'No command is run on this computer.'),
  meaningless('PermitRemoteOpen', NO_OTHER_FORWARD),
  openssh('PKCS11Provider', 'Keys in smart cards are OpenSSH’s only, unless the agent holds them.'),
  honoured('Port'),
  honoured('PreferredAuthentications'),
  honoured('ProxyCommand'),
  honoured('ProxyJump'),
  decisive('ProxyUseFdpass', 'The built-in SSH takes no socket from a ProxyCommand.'),
  openssh(
    'PubkeyAcceptedAlgorithms',
    'The built-in SSH signs RSA with SHA-2 only, and by all of its other kinds.',
  ),
  honoured('PubkeyAuthentication'),
  openssh('RefuseConnection', 'By OpenSSH, which then does not connect.'),
  openssh('RekeyLimit', 'The built-in SSH follows the server.'),
  meaningless('RemoteCommand', NO_SHELL),
  meaningless('RemoteForward', NO_OTHER_FORWARD),
  meaningless('RequestTTY', NO_SHELL),
  openssh('RequiredRSASize', 'The built-in SSH takes RSA keys from 1024 bits.'),
  decisive('RevokedHostKeys', 'The built-in SSH reads @revoked in known_hosts only.'),
  openssh('SecurityKeyProvider', 'Security keys are OpenSSH’s only.'),
  meaningless('SendEnv', NO_SHELL),
  honoured('ServerAliveCountMax'),
  honoured('ServerAliveInterval'),
  meaningless('SessionType', NO_SHELL),
  meaningless('SetEnv', NO_SHELL),
  meaningless('StdinNull', NO_SHELL),
  meaningless('StreamLocalBindMask', NO_OTHER_FORWARD),
  meaningless('StreamLocalBindUnlink', NO_OTHER_FORWARD),
  honoured('StrictHostKeyChecking', 'A changed key is refused whatever it says; “no” accepts new ones.'),
  meaningless('SyslogFacility', OWN_LOG),
  honoured('Tag', 'By OpenSSH while it reads the configuration.'),
  honoured('TCPKeepAlive'),
  meaningless('Tunnel', NO_TUNNEL_DEVICE),
  meaningless('TunnelDevice', NO_TUNNEL_DEVICE),
  honoured('UpdateHostKeys'),
  meaningless('UseKeychain', 'Gangway keeps passphrases in the keychain itself, when it is asked to.'),
  honoured('User'),
  honoured('UserKnownHostsFile'),
  decisive('VerifyHostKeyDNS', 'The built-in SSH asks no DNS for host keys.'),
  openssh('VersionAddendum', 'The built-in SSH has a version line of its own.'),
  meaningless('VisualHostKey', 'Fingerprints are shown as text.'),
  openssh('WarnWeakCrypto', 'The built-in SSH does not warn.'),
  meaningless('XAuthLocation', NO_X11),
];

const BY_KEYWORD: ReadonlyMap<string, SshDirective> = new Map(
  SSH_DIRECTIVES.map((directive) => [directive.name.toLowerCase(), directive]),
);

/** By keyword in any case; undefined for one that this table does not know. */
export function sshDirective(keyword: string): SshDirective | undefined {
  return BY_KEYWORD.get(keyword.toLowerCase());
}
