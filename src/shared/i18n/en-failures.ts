/**
 * Words of failures in English: what failed, why, the next step, in this order. Which variant and which parameters a
 * code takes is in src/shared/failure-remedies.ts. Titles stand alone in menus and notifications.
 */
export const enFailures = {
  'host-not-found': {
    title: 'Host {{host}} not found',
    body: 'The name {{host}} does not resolve to an address. Check its spelling in the SSH target, and whether this network needs a VPN to know it.',
  },
  'dns-timeout': {
    title: 'No answer from DNS for {{host}}',
    body: 'The name servers of this network did not resolve {{host}} within {{seconds}} s. Check the network or the VPN of this computer.',
  },
  'ssh-refused': {
    title: '{{host}} refused the connection on port {{port}}',
    body: 'The host is there, but nothing accepts SSH on port {{port}}. Check that sshd runs on {{host}} and that the port is right.',
  },
  'ssh-unreachable': {
    title: '{{host}} cannot be reached',
    body: 'There is no way to {{host}}, port {{port}}: {{detail}}. Check the network, the VPN, or a firewall between.',
  },
  'ssh-timeout': {
    title: '{{host}} does not answer',
    body: 'No answer on port {{port}} within {{seconds}} s. The host may be off, or a firewall drops the connection.',
  },
  'not-ssh': {
    title: '{{host}}, port {{port}}, is not an SSH server',
    body: 'It answered with “{{received}}” instead of an SSH identification. Check host and port of the SSH target.',
    bodyUnnamed:
      'What answers there does not identify itself as an SSH server. Check host and port of the SSH target.',
  },
  'ssh-rejecting': {
    title: '{{host}} is turning connections away',
    body: 'The SSH server on port {{port}} closed the connection before it identified itself. It may be at its limit (MaxStartups), or block this address for a while (fail2ban).',
  },
  'ssh-handshake-timeout': {
    title: '{{host}} took too long to set up SSH',
    body: 'The SSH server on port {{port}} answered, but the setup was not complete within {{seconds}} s. The host may be overloaded.',
  },
  'ssh-handshake-failed': {
    title: 'No secure connection with {{host}} could be agreed',
    body: 'The SSH handshake on port {{port}} failed: {{detail}}. The server may offer only algorithms that are no longer considered safe. Update the SSH server, then try again.',
  },
  'link-lost': {
    title: 'The connection to {{host}} was lost',
    body: 'The SSH connection ended: {{detail}}. Gangway reconnects by itself.',
    bodySilent: 'The SSH connection ended without a reason. Gangway reconnects by itself.',
  },
  'link-dead': {
    title: '{{host}} stopped answering',
    body: 'Nothing was heard from {{host}} for {{seconds}} s, so the connection counts as dead. Gangway reconnects by itself.',
  },
  'link-corrupted': {
    title: 'The connection to {{host}} was damaged on the way',
    body: 'Data arrived altered and was thrown away; none of it was used. Gangway reconnects by itself. If this happens again, look for faulty network equipment between.',
  },
  'host-key-changed': {
    title: 'The host key of {{host}} has CHANGED',
    body: '{{host}} shows the {{keyType}} key {{offered}}, but on file is {{known}} ({{place}}). Someone may be intercepting the connection, or the server was set up anew. Nothing was sent to it. Ask whoever runs the server. Only if the change is expected: remove the old key, then verify the new one.',
    /** ssh names the line, but not what is on it. */
    bodyUnnamed:
      '{{host}} shows the {{keyType}} key {{offered}}, which is not the one on file ({{place}}). Someone may be intercepting the connection, or the server was set up anew. Nothing was sent to it. Ask whoever runs the server. Only if the change is expected: remove the old key, then verify the new one.',
    /** Where both keys stand beside it. */
    bodyShort:
      'Someone may be intercepting the connection, or the server was set up anew. Nothing was sent to it. Ask whoever runs {{host}}, and compare the fingerprints. Only if the change is expected: remove the old key, then verify the new one.',
  },
  'host-key-revoked': {
    title: 'The host key of {{host}} is revoked',
    body: '{{file}}, line {{line}}, marks {{fingerprint}} as @revoked: this key must not be trusted any more. Nothing was sent to the server. Ask whoever runs it for a new host key, then try again.',
    bodyUnplaced:
      'Your known_hosts or RevokedHostKeys says that the key which the server shows must not be trusted any more. Nothing was sent to the server. Ask whoever runs it for a new host key, then try again.',
  },
  'host-key-declined': {
    title: 'The host key of {{host}} was not trusted',
    body: 'You did not accept {{fingerprint}}, so nothing was sent to {{host}}. Run the command below on the server to see its real fingerprints, then check the key again.',
    bodyUnnamed:
      'You did not accept the key, so nothing was sent to {{host}}. Run the command below on the server to see its real fingerprints, then check the key again.',
  },
  'known-hosts-unreadable': {
    title: 'The known host keys cannot be read',
    body: '{{path}}: {{detail}}. Without this file Gangway cannot tell your server from a stranger, so it does not connect. Repair the file or its permissions, then try again.',
  },
  'known-hosts-unwritable': {
    title: 'The trusted host key cannot be stored',
    body: '{{path}}: {{detail}}. Make the file writable for your user, then try again.',
  },
  'auth-rejected': {
    title: '{{host}} refused the login for {{user}}',
    body: 'Tried: {{tried}}. The server offers: {{offered}}. Add the public key to ~/.ssh/authorized_keys of {{user}} on {{host}}, or choose another identity file or user.',
    bodyNothingTried:
      'There was nothing that Gangway could sign in with: none of your keys could be offered. The server takes: {{offered}}. Choose an identity file for {{user}}, or another user.',
    bodyMissing:
      'There is no file {{missing}}, which your SSH configuration names as the key for {{host}}. The server takes: {{offered}}. Correct IdentityFile there, put the key in its place, or choose an identity file here.',
    bodyPassword:
      '{{host}} did not accept the password for {{user}}. Check the user name and sign in again. Tried: {{tried}}. The server takes: {{offered}}.',
    /** What was typed into the server's own questions: a password or a code. */
    bodyAnswers:
      '{{host}} did not accept what was typed for {{user}}. Check the user name and the password or code, and sign in again. Tried: {{tried}}. The server takes: {{offered}}.',
  },
  'auth-too-many': {
    title: '{{host}} ended the login for {{user}}: too many keys',
    body: 'Tried: {{tried}}. The server allows only so many tries (MaxAuthTries). Choose the one identity file that is meant for {{host}}, or set IdentitiesOnly yes for it in your SSH configuration, so that no other key is offered.',
  },
  'no-credentials': {
    title: 'There is no key to sign in to {{host}} with',
    body: 'Neither the SSH agent nor the default keys had one for {{user}}. Looked at: {{looked}}. Choose an identity file, or load a key into the agent.',
    bodyMissing:
      'There is no file {{missing}}, which your SSH configuration names as the key for {{host}}. Correct IdentityFile there, put the key in its place, or choose an identity file here. Looked at: {{looked}}.',
  },
  'key-unreadable': {
    title: 'The key {{path}} cannot be used',
    missing: 'There is no file {{path}}. Choose another identity file.',
    permission:
      'Your user may not read {{path}}. Correct its permissions with the command below, or choose another identity file.',
    format: '{{path}} is not a private key in OpenSSH, PEM or PuTTY format. Choose another identity file.',
    ppk: '{{path}} is a PuTTY key file that is damaged or of an unknown kind. Save it again with PuTTYgen, or convert it with the command below and choose the new file.',
    'not-a-file': '{{path}} is a folder or a special file. Choose the private key itself.',
    unsupported:
      '{{path}} holds a kind of key that the built-in SSH cannot sign with, such as one of a security key (sk). Choose “OpenSSH” under “Connect with”, load it into the SSH agent, or choose another identity file.',
  },
  'passphrase-declined': {
    title: 'The key {{path}} stays locked',
    body: 'It is encrypted, and no passphrase was given. Enter the passphrase, or choose another identity file.',
  },
  'passphrase-wrong': {
    title: 'The passphrase did not open {{path}}',
    body: 'No passphrase that was given opened the key {{path}}, and nothing else let you in to {{host}}. Enter its passphrase again, or choose another identity file.',
  },
  'host-key-unknown': {
    title: 'The host key of {{host}} is not on file',
    body: 'It shows the {{keyType}} key {{fingerprint}}. Your SSH configuration says StrictHostKeyChecking yes, so Gangway does not ask. Add the key to {{file}} after you have checked it, then try again.',
    bodyUnnamed:
      'Your SSH configuration says StrictHostKeyChecking yes, so Gangway does not ask about the key. Add it to your known_hosts after you have checked it, then try again.',
  },
  'sign-in-declined': {
    title: 'Signing in to {{host}} was cancelled',
    body: 'The question of {{host}} was not answered, so you are not signed in. Sign in again when you are ready.',
  },
  'forwarding-disabled': {
    title: '{{host}} forbids the forward to port {{gatewayPort}}',
    body: 'The login worked, but the SSH server refused to forward to 127.0.0.1:{{gatewayPort}} ({{detail}}). Add the lines below at the end of /etc/ssh/sshd_config on {{host}}, reload sshd, then try again. Look also for no-port-forwarding or restrict beside the key in authorized_keys.',
  },
  'gateway-not-listening': {
    title: 'No Gateway listens on {{host}}, port {{gatewayPort}}',
    body: 'The SSH connection stands, but on {{host}} nothing listens on 127.0.0.1:{{gatewayPort}}. Start the Gateway there, or correct the port.',
    bodyLocal:
      'Nothing listens on 127.0.0.1:{{gatewayPort}} of this computer. Start the Gateway, or correct the port.',
  },
  'forward-timeout': {
    title: 'The forward to port {{gatewayPort}} on {{host}} did not open',
    body: 'The SSH server did not answer within {{seconds}} s whether it forwards to 127.0.0.1:{{gatewayPort}}. It may be overloaded.',
  },
  'port-taken': {
    title: 'Port {{port}} on this computer is taken',
    body: 'Another program listens on 127.0.0.1:{{port}}. End it, or let Gangway use another local port.',
    bodyHolder:
      '{{command}} (process {{pid}}) listens on 127.0.0.1:{{port}}. End it, or let Gangway use another local port.',
    next: 'Port {{nextFreePort}} is free.',
  },
  'port-forbidden': {
    title: 'This system does not let Gangway use port {{port}}',
    body: 'Low ports are reserved for system services on most systems. Choose a local port of 1024 or above.',
    next: 'Port {{nextFreePort}} is free.',
  },
  'target-invalid': {
    title: '“{{target}}” is not an SSH target',
    body: 'Write it as for ssh: user@host, or user@host:port where the port is not 22.',
  },
  'ssh-config-unsupported': {
    title: 'Your SSH configuration asks for {{directive}}',
    body: 'For {{target}} it says “{{directive}} {{value}}”. The built-in SSH cannot do that, and without it the connection would not be what you asked for, so it does not connect. Choose “OpenSSH” under “Connect with”, or a target that needs no {{directive}}.',
  },
  'ssh-config-invalid': {
    title: 'Your SSH configuration cannot be read',
    body: 'For {{target}} ssh says: {{detail}}. Correct the configuration (usually ~/.ssh/config), then try again.',
  },
  'ssh-config-needs-openssh': {
    title: 'Your SSH configuration needs OpenSSH',
    body: 'For {{target}} it uses {{directives}}. Only OpenSSH itself can tell for certain what that means, and guessing could lead to a wrong host. Install OpenSSH on this computer, then try again.',
  },
  'openssh-missing': {
    title: 'OpenSSH is not installed',
    body: 'This connection needs the system’s ssh, and there is none on this computer. {{reasons}} Install OpenSSH, then try again.',
    bodyChosen:
      'The settings ask for the system’s ssh, and there is none on this computer. Install OpenSSH, or choose another way to connect.',
  },
  'openssh-unavailable': {
    title: 'OpenSSH cannot connect for Gangway on {{system}}',
    body: 'This connection needs what only OpenSSH does, and its {{system}} version cannot be used from an app. {{reasons}} Change the SSH configuration, or choose “Built-in SSH” to connect without it.',
    bodyChosen:
      'The settings ask for OpenSSH, and its {{system}} version cannot be used from an app. Choose “Automatic” or “Built-in SSH” under “Connect with”.',
  },
  'openssh-failed': {
    title: 'ssh ended without a connection to {{host}}',
    body: 'The system’s ssh said: {{detail}}.',
    bodySilent: 'The system’s ssh ended without saying why. The log may tell more.',
  },
  'ssh-no-common-algorithm': {
    title: '{{host}} and Gangway share no {{kind}} algorithm',
    body: 'The server offers: {{offered}}. Of these none may be used. Choose “Automatic” or “OpenSSH” under “Connect with” in the settings, allow one in your SSH configuration, or update the server.',
    bodyUnknown:
      'Of those that the server offers none may be used. Choose “Automatic” or “OpenSSH” under “Connect with” in the settings, allow one in your SSH configuration, or update the server.',
  },
  'jump-unreachable': {
    title: '{{jump}} cannot reach {{host}}',
    body: 'The jump host is there, but it found no way to {{host}}, port {{port}}: {{detail}}.',
  },
  'jump-forbidden': {
    title: '{{jump}} refuses to forward to {{host}}',
    body: 'The jump host does not allow the way to {{host}}, port {{port}}: {{detail}}. Ask its administrator (AllowTcpForwarding, PermitOpen), or take another way.',
  },
  'proxy-command-failed': {
    title: 'The ProxyCommand for {{host}} failed',
    body: '“{{command}}” ended before the connection stood (exit status {{exitCode}}): {{detail}}.',
    bodySilent: '“{{command}}” ended before the connection stood (exit status {{exitCode}}), without a word.',
    bodySignal: '“{{command}}” was ended before the connection stood: {{detail}}.',
  },
  'proxy-command-not-found': {
    title: 'The ProxyCommand for {{host}} cannot be run',
    body: '“{{command}}”: {{detail}}. Install the program, or correct ProxyCommand in your SSH configuration.',
  },
  'gateway-unreachable': {
    title: 'No Gateway answers at {{url}}',
    body: 'The connection failed: {{detail}}. Check the address, and that the Gateway runs.',
    bodyLocal: 'The connection failed: {{detail}}. Start the Gateway on this computer, or correct the port.',
  },
  'gateway-url-invalid': {
    title: '“{{url}}” is not the address of a Gateway',
    body: 'Write it as wss://host or wss://host:port; ws:// only for this computer, a private network or a tailnet.',
  },
  'gateway-url-insecure': {
    title: '{{url}} is not encrypted',
    body: 'Over ws:// your token and every message would cross the network in the clear, so Gangway does not connect. Use wss://, or Remote over SSH.',
  },
  'tls-rejected': {
    title: 'The certificate of {{url}} was not accepted',
    body: 'The server could not prove that it is what it says: {{detail}}. Nothing was sent to it. Check the address, or have the certificate repaired, then try again.',
  },
  'not-a-gateway': {
    title: 'What answers at {{url}} is not an OpenClaw Gateway',
    body: 'It did not speak the Gateway protocol: {{detail}}. Check the port.',
  },
  'gateway-silent': {
    title: 'The Gateway of {{gateway}} does not answer',
    body: 'It gave no answer within {{seconds}} s, although the way to it is open. It may be busy or stuck. If it stays silent, restart the Gateway.',
  },
  'gateway-starting': {
    title: 'The Gateway of {{gateway}} is starting',
    body: 'It answers, but is not ready yet. Gangway tries again by itself.',
    bodyIn: 'It answers, but is not ready yet. It asked to be tried again in {{seconds}} s; Gangway does.',
  },
  'gateway-restarting': {
    title: 'The Gateway of {{gateway}} is restarting',
    body: 'It said so before it closed the session. Gangway connects as soon as it is back.',
    bodyIn:
      'It said so before it closed the session, and expects to be back in {{seconds}} s. Gangway connects as soon as it is.',
  },
  'gateway-closed': {
    title: 'The Gateway of {{gateway}} closed the session',
    body: 'It gave no reason (close code {{code}}). Gangway reconnects by itself.',
    bodyReason: 'Its reason: {{reason}} (close code {{code}}). Gangway reconnects by itself.',
  },
  'token-missing': {
    title: 'The Gateway of {{gateway}} asks for its token',
    body: 'No token is stored here. Run the command below in a terminal on the host of the Gateway and enter what it prints.',
  },
  'token-mismatch': {
    title: 'The Gateway of {{gateway}} does not accept the token',
    body: 'The stored token is wrong, or was changed on the Gateway. Run the command below in a terminal on the host of the Gateway and enter what it prints.',
  },
  'password-missing': {
    title: 'The Gateway of {{gateway}} asks for its password',
    body: 'No password is stored here. Enter the password of the Gateway (gateway.auth.password in its configuration).',
  },
  'password-mismatch': {
    title: 'The Gateway of {{gateway}} does not accept the password',
    body: 'The stored password is wrong, or was changed on the Gateway. Enter the one that is valid now (gateway.auth.password in its configuration).',
  },
  'device-token-rejected': {
    title: 'The Gateway of {{gateway}} no longer accepts this device',
    body: 'The access that it once gave to this device was changed or withdrawn: {{reason}}. Forget the device token to sign in anew; the Gateway may then ask for an approval.',
  },
  'device-identity-rejected': {
    title: 'The Gateway of {{gateway}} rejects the identity of this device',
    body: 'The signature of this device was not accepted: {{reason}}. Check that the clocks of both computers are right, then try again.',
  },
  'pairing-required': {
    title: 'The Gateway of {{gateway}} must approve this device',
    body: 'Run the command below on the host of the Gateway. Reason: {{reason}}. This device is {{deviceId}}.',
    bodyList:
      'Run the command below on the host of the Gateway and approve the request of this device with “openclaw devices approve”. Reason: {{reason}}. This device is {{deviceId}}.',
  },
  'scope-missing': {
    title: 'The Gateway of {{gateway}} does not grant this device enough rights',
    body: 'Missing: {{scopes}}. Compare requested and approved rights with the command below on the host of the Gateway, approve the request, then try again.',
  },
  'protocol-mismatch': {
    title: 'Gangway and the Gateway of {{gateway}} do not speak the same protocol',
    body: 'Gangway speaks version {{ours}}; the Gateway does not: {{detail}}. Update whichever is older, then try again.',
    bodyGatewayOlder:
      'Gangway speaks version {{ours}}, the Gateway version {{theirs}}. Update the Gateway with the command below on its host, then try again.',
    bodyGangwayOlder:
      'Gangway speaks version {{ours}}, the Gateway version {{theirs}}. Update Gangway, then try again.',
  },
  'rate-limited': {
    title: 'The Gateway of {{gateway}} has seen too many failed sign-ins',
    body: 'It locks sign-ins for a while. Gangway tries again when the time is over; meanwhile check the token or password.',
    bodyIn:
      'It locks sign-ins for {{seconds}} s. Gangway tries again when the time is over; meanwhile check the token or password.',
  },
  'frame-too-large': {
    title: 'A message was too large for the connection to {{gateway}}',
    body: '{{detail}}. Gangway reconnects by itself.',
  },
  'slow-consumer': {
    title: 'This computer could not keep up with {{gateway}}',
    body: 'The Gateway ended the session, because its messages were not taken fast enough. Gangway reconnects and loads what is missing.',
  },
  'gateway-rejected': {
    title: 'The Gateway of {{gateway}} rejected the connection',
    body: 'It says: {{detail}} ({{detailCode}}). The log of the Gateway may tell more.',
  },
  'tunnel-process-crashed': {
    title: 'The tunnel process stopped working',
    body: 'It did not answer, or the system ended it. Gangway starts it again by itself. If this happens again, the log tells more.',
    bodyCode:
      'It ended with exit code {{exitCode}}. Gangway starts it again by itself. If this happens again, the log tells more.',
  },
  'secrets-unavailable': {
    title: 'The keychain cannot be used',
    body: 'Gangway needs the secrets for {{gateway}} from the keychain of this computer: {{detail}}. Unlock the keychain, then try again.',
  },
  'storage-failed': {
    title: 'Changes cannot be saved',
    body: '{{path}}: {{detail}}. Check free space and permissions, then try again.',
  },
  'message-not-kept': {
    title: 'The message was not sent',
    body: 'Gangway could not write it to this computer’s disk ({{detail}}), so it was not handed on: after a crash it would be lost. Your text is still in the box. Check free space and permissions, then send it again.',
    bodyFull:
      'Too many messages wait for this Gateway already. Your text is still in the box. Discard what is no longer wanted, or send it again once some have gone out.',
    bodyNewer:
      'The file of messages on this computer was written by a newer Gangway, so this one only reads it. Your text is still in the box. Update Gangway, then send it again.',
  },
  bug: {
    title: 'Gangway hit a bug',
    body: 'Something happened that Gangway did not expect: {{detail}}. The log holds the details. Trying again may help.',
  },
  /** Stands in for a list that is empty. */
  none: 'nothing',
  noDetail: 'no reason was given',
} as const;

/** Why the SSH agent was of no use; stands before the rest. */
export const enFailureAgent = {
  missing: 'The SSH agent does not run: nothing answers at its socket.',
  silent: 'The SSH agent gave no answer that could be used.',
  refused: 'The SSH agent refused to let its keys be used.',
  empty: 'The SSH agent holds no key: it may be locked.',
} as const;

/** Ends the explanation of what is tried again by itself, where it is. */
export const enFailureGoesOn = {
  trying: 'Gangway keeps trying.',
  looking: 'Gangway keeps looking.',
  slowly: 'Gangway tries again, slowly.',
  approval: 'Gangway connects by itself once this device is approved.',
} as const;

export const enFailureActions = {
  retry: 'Try again',
  retryNow: 'Try now',
  removeHostKeys: 'Remove the old key…',
  reviewHostKey: 'Check the key again',
  enterPassphrase: 'Enter the passphrase',
  signIn: 'Sign in',
  usePort: 'Use port {{port}}',
  forgetDeviceToken: 'Forget the device token',
  copyCommand: 'Copy the command',
  copyLines: 'Copy the lines',
  showLog: 'Show the log',
  openHelp: 'Read more',
  settings: {
    any: 'Open Settings',
    sshTarget: 'Change the SSH target',
    identityFile: 'Choose an identity file',
    sshTransport: 'Choose how to connect',
    gatewayPort: 'Change the Gateway port',
    localPort: 'Change the local port',
    localGatewayPort: 'Change the Gateway port',
    directUrl: 'Change the address',
    token: 'Enter the token',
    password: 'Enter the password',
  },
} as const;
