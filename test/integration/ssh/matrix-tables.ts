import { createCertificate, createKeyPair } from '../../support/lab/keys.ts';
import type { Lab } from '../../support/lab/lab.ts';
import type { SshTransportChoice } from '../../../src/shared/gateway-profile.ts';
import type { SignIn, Transport } from './matrix-cell.ts';
import { formatUnavailable, KEY_FORMATS, KEY_KINDS, type MatrixCredentials } from './matrix-credentials.ts';
import type { MatrixServers, ServerName } from './matrix-servers.ts';

export interface MatrixParts {
  readonly lab: Lab;
  readonly credentials: MatrixCredentials;
  readonly servers: MatrixServers;
}

export interface Cell {
  readonly row: string;
  readonly column: string;
  readonly transport: SshTransportChoice;
  readonly server: ServerName;
  /** What stands in the table without being measured, for it cannot be; null else. */
  readonly absent?: string;
  /** A tool that is not here; null where all is there. */
  readonly missing?: string | null;
  readonly signIn: (parts: MatrixParts) => SignIn | Promise<SignIn>;
}

export interface MatrixTable {
  readonly title: string;
  readonly cells: readonly Cell[];
}

const TRANSPORTS: readonly { readonly name: string; readonly transport: Transport }[] = [
  { name: 'built-in SSH', transport: 'ssh2' },
  { name: 'system OpenSSH', transport: 'openssh' },
];

const KEY_SERVERS = [
  'OpenSSH',
  'OpenSSH, new algorithms',
  'OpenSSH, old algorithms',
  'Dropbear',
  'TinySSH',
] as const satisfies readonly ServerName[];

/** Key types by server, the key from its file or from the agent. */
function keysByServer(name: string, transport: Transport): MatrixTable {
  const cells = KEY_KINDS.flatMap((kind) =>
    KEY_SERVERS.flatMap((server): Cell[] => [
      {
        row: `${kind.name}, file`,
        column: server,
        transport,
        server,
        signIn: ({ credentials }) => ({
          identityFiles: [credentials.file(kind.name)],
          identitiesOnly: true,
        }),
      },
      {
        row: `${kind.name}, agent`,
        column: server,
        transport,
        server,
        signIn: async ({ credentials }) => ({ agent: await credentials.agent(kind.name) }),
      },
    ]),
  );
  return { title: `Keys and servers, by ${name}`, cells };
}

/** File formats by key type, plain and encrypted. */
function formatsByKey(name: string, transport: Transport): MatrixTable {
  const cells = KEY_FORMATS.flatMap(({ name: formatName, format }) =>
    [false, true].flatMap((isEncrypted) =>
      KEY_KINDS.map((kind): Cell => {
        const unavailable = formatUnavailable(kind.name, format);
        return {
          row: isEncrypted ? `${formatName}, encrypted` : formatName,
          column: kind.name,
          transport,
          server: 'OpenSSH',
          ...(unavailable === 'there is no such format' ? { absent: unavailable } : { missing: unavailable }),
          signIn: ({ credentials }) => ({
            identityFiles: [credentials.file(kind.name, format, isEncrypted)],
            identitiesOnly: true,
          }),
        };
      }),
    ),
  );
  return { title: `Key files, by ${name}`, cells };
}

type Row = Pick<Cell, 'row' | 'server' | 'signIn'>;

const KEY_FILE: Cell['signIn'] = ({ credentials }) => ({
  identityFiles: [credentials.file('Ed25519')],
  identitiesOnly: true,
});
const PASSWORD_ONLY: Cell['signIn'] = () => ({});

function withServers(signIn: Cell['signIn'], servers: readonly ServerName[]): Row[] {
  return servers.map((server) => ({ row: server, server, signIn }));
}

/** Twelve keys in the agent, of which the server takes the last. */
async function crowdedAgent({ lab, credentials }: MatrixParts): Promise<string> {
  const others = Array.from({ length: 11 }, () => createKeyPair());
  const agent = await lab.startSshAgent({ keys: [...others, credentials.key('Ed25519')] });
  return agent.socket;
}

const SIGN_IN_ROWS: readonly Row[] = [
  ...withServers(PASSWORD_ONLY, [
    'OpenSSH, password',
    'OpenSSH with PAM, one question',
    'OpenSSH with PAM, two rounds',
    'Dropbear, password',
  ]),
  ...withServers(KEY_FILE, ['OpenSSH, key and password', 'OpenSSH with PAM, key and question']),
  { row: 'TinySSH, without a key', server: 'TinySSH', signIn: PASSWORD_ONLY },
  { row: 'OpenSSH, without a key', server: 'OpenSSH', signIn: PASSWORD_ONLY },
  {
    row: 'OpenSSH, a key that it does not know',
    server: 'OpenSSH',
    signIn: ({ credentials }) => ({
      identityFiles: [credentials.write(createKeyPair())],
      identitiesOnly: true,
    }),
  },
  {
    row: 'OpenSSH, user certificate beside its key',
    server: 'OpenSSH, user certificates only',
    signIn: async (parts) => ({ identityFiles: [await certified(parts)], identitiesOnly: true }),
  },
  {
    row: 'OpenSSH, user certificate in the agent',
    server: 'OpenSSH, user certificates only',
    signIn: async (parts) => {
      const key = createKeyPair();
      const agent = await parts.lab.startSshAgent({
        keys: [{ ...key, certificate: await certificateOf(parts, key) }],
      });
      return { agent: agent.socket };
    },
  },
  {
    row: 'OpenSSH, its key, a certificate for elsewhere in the agent',
    server: 'OpenSSH',
    signIn: async (parts) => {
      const key = createKeyPair();
      const certificate = await certificateOf(parts, key);
      const agent = await parts.lab.startSshAgent({
        keys: [{ ...key, certificate }, parts.credentials.key('Ed25519')],
      });
      return { agent: agent.socket };
    },
  },
  { row: 'OpenSSH, host certificate', server: 'OpenSSH, host certificate', signIn: KEY_FILE },
  {
    row: 'OpenSSH, 12 keys in the agent, none named',
    server: 'OpenSSH',
    signIn: async (parts) => ({ agent: await crowdedAgent(parts) }),
  },
  {
    row: 'OpenSSH, 12 keys in the agent, the last of which worked last time',
    server: 'OpenSSH',
    signIn: async (parts) => ({
      agent: await crowdedAgent(parts),
      lastCredential: parts.credentials.key('Ed25519').fingerprint,
    }),
  },
  {
    row: 'OpenSSH, 12 keys in the agent, IdentitiesOnly and the `.pub`',
    server: 'OpenSSH',
    signIn: async (parts) => ({
      agent: await crowdedAgent(parts),
      identitiesOnly: true,
      identityFiles: [parts.credentials.selector(parts.credentials.key('Ed25519'))],
    }),
  },
  {
    row: 'OpenSSH, MaxAuthTries 2, 12 keys in the agent, IdentitiesOnly and the `.pub`',
    server: 'OpenSSH, MaxAuthTries 2',
    signIn: async (parts) => ({
      agent: await crowdedAgent(parts),
      identitiesOnly: true,
      identityFiles: [parts.credentials.selector(parts.credentials.key('Ed25519'))],
    }),
  },
  ...withServers(KEY_FILE, [
    'OpenSSH, MaxAuthTries 2',
    'OpenSSH, ECDSA host key only',
    'OpenSSH, RSA host key only',
    'OpenSSH, old algorithms',
    'OpenSSH, old algorithms, nothing in ssh_config',
    'OpenSSH, new algorithms',
    'OpenSSH, new algorithms, named in ssh_config',
    'OpenSSH, hmac-sha1 only',
    'OpenSSH, MaxSessions 0',
    'OpenSSH, AllowTcpForwarding local',
    'OpenSSH, AllowTcpForwarding no',
    'OpenSSH, DisableForwarding yes',
    'OpenSSH, PermitOpen elsewhere',
  ]),
  {
    row: 'OpenSSH, rsa-sha2-512 only',
    server: 'OpenSSH, rsa-sha2-512 only',
    signIn: ({ credentials }) => ({
      identityFiles: [credentials.file('RSA 2048')],
      identitiesOnly: true,
    }),
  },
];

async function certified(parts: MatrixParts): Promise<string> {
  const key = createKeyPair();
  return parts.credentials.write(key, await certificateOf(parts, key));
}

async function certificateOf({ servers }: MatrixParts, key: { readonly publicKey: string }): Promise<string> {
  const { user } = await servers.get('OpenSSH, user certificates only');
  return createCertificate({
    publicKey: key.publicKey,
    authority: servers.authorities.users,
    principals: [user],
  });
}

const SIGN_IN: MatrixTable = {
  title: 'Ways to sign in, and what servers allow',
  cells: SIGN_IN_ROWS.flatMap((row) =>
    [...TRANSPORTS, { name: '"Automatic"', transport: 'automatic' as const }].map(
      ({ name, transport }): Cell => ({ ...row, column: name, transport }),
    ),
  ),
};

export const MATRIX: readonly MatrixTable[] = [
  ...TRANSPORTS.map(({ name, transport }) => keysByServer(name, transport)),
  ...TRANSPORTS.map(({ name, transport }) => formatsByKey(name, transport)),
  SIGN_IN,
];
