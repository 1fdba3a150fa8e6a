import { accountsUnavailable, createAccounts } from '../../support/lab/accounts.ts';
import { createKeyPair, type KeyPair } from '../../support/lab/keys.ts';
import type { Lab } from '../../support/lab/lab.ts';
import { findProgram } from '../../support/lab/programs.ts';
import type { SshdOptions } from '../../support/lab/sshd.ts';

export interface MatrixServer {
  readonly port: number;
  readonly user: string;
  /** Content of known_hosts. */
  readonly knownHosts: string;
}

interface ServerKind {
  /** Why it cannot be started here; null when it can. */
  readonly missing?: () => string | null;
  readonly start: (lab: Lab, keys: readonly KeyPair[], authorities: Authorities) => Promise<MatrixServer>;
  /** What the person's ssh_config says for this host besides. */
  readonly clientConfig?: readonly string[];
}

export interface Authorities {
  readonly users: KeyPair;
  readonly hosts: KeyPair;
}

export const PASSWORD = 'batten down 3';

/** Up to what the oldest servers still in use speak; OpenSSH has them switched off by default. */
const OLD = {
  kex: 'diffie-hellman-group14-sha1',
  hostKey: 'ssh-rsa',
  cipher: 'aes128-cbc',
  mac: 'hmac-sha1',
};
const OLD_SERVER: SshdOptions = {
  hostKeyTypes: ['rsa'],
  config: [
    `KexAlgorithms ${OLD.kex}`,
    `HostKeyAlgorithms ${OLD.hostKey}`,
    `Ciphers ${OLD.cipher}`,
    `MACs ${OLD.mac}`,
    'PubkeyAcceptedAlgorithms +ssh-rsa',
  ],
};

/** The newest that Debian 12 has. */
const NEW_ALGORITHMS = [
  'KexAlgorithms sntrup761x25519-sha512@openssh.com',
  'Ciphers chacha20-poly1305@openssh.com',
  'HostKeyAlgorithms ssh-ed25519',
];
const NEW_SERVER: SshdOptions = { config: NEW_ALGORITHMS };

export const SERVERS = {
  OpenSSH: { start: sshd({ hostKeyTypes: ['ed25519', 'ecdsa', 'rsa'] }) },
  'OpenSSH, new algorithms': { start: sshd(NEW_SERVER) },
  'OpenSSH, new algorithms, named in ssh_config': { start: sshd(NEW_SERVER), clientConfig: NEW_ALGORITHMS },
  'OpenSSH, old algorithms': {
    start: sshd(OLD_SERVER),
    clientConfig: [
      `KexAlgorithms +${OLD.kex}`,
      `HostKeyAlgorithms +${OLD.hostKey}`,
      `Ciphers +${OLD.cipher}`,
      `MACs +${OLD.mac}`,
      'PubkeyAcceptedAlgorithms +ssh-rsa',
    ],
  },
  'OpenSSH, old algorithms, nothing in ssh_config': { start: sshd(OLD_SERVER) },
  // Not in our own lists, but in those of OpenSSH's client. A cipher of the GCM kind would need none.
  'OpenSSH, hmac-sha1 only': { start: sshd({ config: ['MACs hmac-sha1', 'Ciphers aes256-ctr'] }) },
  'OpenSSH, ECDSA host key only': { start: sshd({ hostKeyTypes: ['ecdsa'] }) },
  'OpenSSH, RSA host key only': { start: sshd({ hostKeyTypes: ['rsa'] }) },
  'OpenSSH, rsa-sha2-512 only': { start: sshd({ config: ['PubkeyAcceptedAlgorithms rsa-sha2-512'] }) },
  'OpenSSH, MaxAuthTries 2': { start: sshd({ config: ['MaxAuthTries 2'] }) },
  'OpenSSH, MaxSessions 0': { start: sshd({ config: ['MaxSessions 0'] }) },
  'OpenSSH, AllowTcpForwarding no': { start: sshd({ config: ['AllowTcpForwarding no'] }) },
  'OpenSSH, AllowTcpForwarding local': { start: sshd({ config: ['AllowTcpForwarding local'] }) },
  'OpenSSH, DisableForwarding yes': { start: sshd({ config: ['DisableForwarding yes'] }) },
  'OpenSSH, PermitOpen elsewhere': { start: sshd({ config: ['PermitOpen 127.0.0.1:9'] }) },
  'OpenSSH, user certificates only': {
    start: async (lab, _keys, { users }) =>
      described(await lab.startSshd({ clientKeys: [], userAuthority: users })),
  },
  'OpenSSH, host certificate': {
    start: async (lab, clientKeys, { hosts }) => ({
      ...described(await lab.startSshd({ clientKeys, hostAuthority: hosts })),
      knownHosts: `@cert-authority * ${hosts.publicKey}\n`,
    }),
  },
  'OpenSSH, password': withPam([
    'PasswordAuthentication yes',
    'KbdInteractiveAuthentication no',
    'PubkeyAuthentication no',
  ]),
  'OpenSSH with PAM, one question': withPam([
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication yes',
    'PubkeyAuthentication no',
  ]),
  'OpenSSH with PAM, two rounds': withPam([
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication yes',
    'PubkeyAuthentication no',
    'AuthenticationMethods keyboard-interactive:pam,keyboard-interactive:pam',
  ]),
  'OpenSSH, key and password': withPam([
    'PasswordAuthentication yes',
    'AuthenticationMethods publickey,password',
  ]),
  'OpenSSH with PAM, key and question': withPam([
    'KbdInteractiveAuthentication yes',
    'AuthenticationMethods publickey,keyboard-interactive',
  ]),
  Dropbear: small('dropbear', (lab, accounts) => lab.startDropbear({ accounts, args: ['-s'] })),
  'Dropbear, password': small('dropbear', (lab, accounts) => lab.startDropbear({ accounts })),
  TinySSH: small('tinysshd', (lab, accounts) => lab.startTinySsh({ accounts })),
} as const satisfies Readonly<Record<string, ServerKind>>;

export type ServerName = keyof typeof SERVERS;

export function serverKind(name: ServerName): ServerKind {
  return SERVERS[name];
}

function sshd(options: SshdOptions): ServerKind['start'] {
  return async (lab, clientKeys) => described(await lab.startSshd({ ...options, clientKeys }));
}

function withPam(config: readonly string[]): ServerKind {
  return {
    missing: accountsUnavailable,
    start: async (lab, clientKeys) => {
      const accounts = newAccounts(lab, clientKeys);
      return described(await lab.startSshd({ accounts, clientKeys, config }));
    },
  };
}

function small(
  program: string,
  start: (lab: Lab, accounts: ReturnType<typeof newAccounts>) => Promise<Described>,
): ServerKind {
  return {
    missing: () => (findProgram(program) === null ? `${program} is not installed` : accountsUnavailable()),
    start: async (lab, keys) => described(await start(lab, newAccounts(lab, keys))),
  };
}

function newAccounts(lab: Lab, keys: readonly KeyPair[]): ReturnType<typeof createAccounts> {
  const accounts = createAccounts(lab.folder('accounts'), [{ name: 'skipper', password: PASSWORD }]);
  for (const user of accounts.users) user.authorize(keys);
  return accounts;
}

interface Described {
  readonly port: number;
  readonly user: string;
  knownHostsLine(): string;
}

function described(server: Described): MatrixServer {
  return { port: server.port, user: server.user, knownHosts: server.knownHostsLine() };
}

/** The servers of the matrix, each started when the first cell wants it and shared by all. */
export class MatrixServers {
  readonly authorities: Authorities = {
    users: createKeyPair({ comment: 'users' }),
    hosts: createKeyPair({ comment: 'hosts' }),
  };
  readonly #lab: Lab;
  readonly #keys: readonly KeyPair[];
  readonly #started = new Map<ServerName, Promise<MatrixServer>>();

  constructor(lab: Lab, keys: readonly KeyPair[]) {
    this.#lab = lab;
    this.#keys = keys;
  }

  get(name: ServerName): Promise<MatrixServer> {
    const started =
      this.#started.get(name) ?? serverKind(name).start(this.#lab, this.#keys, this.authorities);
    this.#started.set(name, started);
    return started;
  }
}
