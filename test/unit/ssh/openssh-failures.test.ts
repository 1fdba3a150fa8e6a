import { describe, expect, it } from 'vitest';
import { failure, type ConnectionFailure } from '../../../src/shared/connection-failure.ts';
import type { OpensshEnd } from '../../../src/main/node/ssh/openssh/openssh-end.ts';
import { classifyOpensshEnd } from '../../../src/main/node/ssh/openssh/openssh-failures.ts';
import { afterLine, NO_PROGRESS, wordsOf } from '../../../src/main/node/ssh/openssh/openssh-progress.ts';
import { parseOpensshSettings } from '../../../src/main/node/ssh/openssh/openssh-settings.ts';

const OFFERED = 'SHA256:cNS5ViZrS2uHFvsiY9o1Kb+vUBqtyKmai5R4UONkDds';
const KNOWN_HOSTS = '/home/ada/.ssh/known_hosts';

const CONNECTING = ['debug1: Connecting to 127.0.0.1 [127.0.0.1] port 2222.'];
const CONNECTED = [...CONNECTING, 'debug1: Connection established.'];
const GREETED = [
  ...CONNECTED,
  'debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1 Debian-2',
];
const KEX = [...GREETED, `debug1: Server host key: ssh-ed25519 ${OFFERED}`];
const AUTH = [...KEX, 'debug1: SSH2_MSG_NEWKEYS received', 'debug1: SSH2_MSG_SERVICE_ACCEPT received'];
const UP = [...AUTH, 'Authenticated to 127.0.0.1 ([127.0.0.1]:2222) using "publickey".'];
const OFFER = 'debug1: Offering public key: /home/ada/.ssh/id_a ED25519 SHA256:abc explicit';
const PROXY = ["debug1: Executing proxy command: exec ssh -v -W '[10.0.0.9]:2222' jump"];
const JUMPED = [...PROXY, ...AUTH, 'Authenticated to jump ([127.0.0.1]:22) using "publickey".'];
const CLOSED = [
  'kex_exchange_identification: Connection closed by remote host',
  'Connection closed by UNKNOWN port 65535',
];

/** As the session feeds it: what `ssh -v` wrote, line by line. */
function endOf(
  stderr: readonly string[],
  more: Partial<OpensshEnd> & { readonly config?: string } = {},
): OpensshEnd {
  const { config, ...rest } = more;
  return {
    target: 'gw',
    settings: parseOpensshSettings(
      `${config ?? ''}user ada\nhostname 127.0.0.1\nport 2222\nuserknownhostsfile ${KNOWN_HOSTS}\n`,
    ),
    hopNames: ['jump', '[127.0.0.1]:2222'].slice(config === undefined ? 1 : 0),
    progress: stderr.reduce(afterLine, NO_PROGRESS),
    lines: stderr.flatMap((line) => wordsOf(line) ?? []),
    exitCode: 255,
    connectLimitMs: 10_000,
    explicitKey: null,
    asked: [],
    missingKeys: [],
    ...rest,
  };
}

const place = { host: '127.0.0.1', port: 2222 };
const JUMP = { config: 'proxyjump jump\n' };

/** Words as OpenSSH 9.2 wrote them to real servers. */
const CASES: readonly (readonly [string, OpensshEnd, ConnectionFailure])[] = [
  [
    'a refused connection',
    endOf([...CONNECTING, 'ssh: connect to host 127.0.0.1 port 2222: Connection refused']),
    failure('ssh-refused', place),
  ],
  [
    'a connection that times out',
    endOf([...CONNECTING, 'ssh: connect to host 127.0.0.1 port 2222: Connection timed out']),
    failure('ssh-timeout', { ...place, limitMs: 10_000 }),
  ],
  [
    'no route',
    endOf([...CONNECTING, 'ssh: connect to host 127.0.0.1 port 2222: No route to host']),
    failure('ssh-unreachable', { ...place, detail: 'No route to host' }),
  ],
  [
    'a name that nobody knows',
    endOf(['ssh: Could not resolve hostname nope.invalid: Name or service not known']),
    failure('host-not-found', { host: 'nope.invalid' }),
  ],
  [
    'a name server that does not answer',
    endOf(['ssh: Could not resolve hostname gw: Temporary failure in name resolution']),
    failure('dns-timeout', { host: 'gw', limitMs: 5_000 }),
  ],
  [
    'no greeting',
    endOf([
      ...CONNECTED,
      'Connection timed out during banner exchange',
      'Connection to 127.0.0.1 port 2222 timed out',
    ]),
    failure('ssh-handshake-timeout', { ...place, limitMs: 10_000 }),
  ],
  [
    'a web server',
    endOf([
      ...CONNECTED,
      'debug1: kex_exchange_identification: banner line 0: HTTP/1.1 400 Bad',
      'debug1: kex_exchange_identification: banner line 1: ',
      'kex_exchange_identification: Connection closed by remote host',
      'Connection closed by 127.0.0.1 port 2222',
    ]),
    failure('not-ssh', { ...place, received: 'HTTP/1.1 400 Bad' }),
  ],
  [
    'an SSH server of the last century',
    endOf([
      ...CONNECTED,
      'Protocol major versions differ: 2 vs. 1',
      'banner exchange: Connection to 127.0.0.1 port 2222: could not read protocol version',
    ]),
    failure('not-ssh', { ...place, received: 'Protocol major versions differ: 2 vs. 1' }),
  ],
  [
    'a full server that says so',
    endOf([
      ...CONNECTED,
      'debug1: kex_exchange_identification: banner line 0: Exceeded MaxStartups',
      'kex_exchange_identification: Connection closed by remote host',
    ]),
    failure('ssh-rejecting', place),
  ],
  [
    'a server that hangs up at once',
    endOf([
      ...CONNECTED,
      'kex_exchange_identification: read: Connection reset by peer',
      'Connection reset by 127.0.0.1 port 2222',
    ]),
    failure('ssh-rejecting', place),
  ],
  [
    'a changed key',
    endOf([
      ...KEX,
      '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @',
      'The fingerprint for the ED25519 key sent by the remote host is',
      `${OFFERED}.`,
      `Add correct host key in ${KNOWN_HOSTS} to get rid of this message.`,
      `Offending ED25519 key in ${KNOWN_HOSTS}:7`,
      'Host key for [127.0.0.1]:2222 has changed and you have requested strict checking.',
      'Host key verification failed.',
    ]),
    failure('host-key-changed', {
      ...place,
      keyType: 'ssh-ed25519',
      offeredFingerprint: OFFERED,
      known: [{ keyType: 'ED25519', fingerprint: '', file: KNOWN_HOSTS, line: 7 }],
    }),
  ],
  [
    'a revoked key',
    endOf([
      ...KEX,
      'The ED25519 host key for [127.0.0.1]:2222 is marked as revoked.',
      'ED25519 host key for [127.0.0.1]:2222 was revoked and you have requested strict checking.',
      'Host key verification failed.',
    ]),
    failure('host-key-revoked', { host: '127.0.0.1', fingerprint: OFFERED, file: '', line: 0 }),
  ],
  [
    'an unknown key that is not to be asked for',
    endOf([
      ...KEX,
      'No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.',
      'Host key verification failed.',
    ]),
    failure('host-key-unknown', {
      ...place,
      keyType: 'ssh-ed25519',
      fingerprint: OFFERED,
      file: KNOWN_HOSTS,
    }),
  ],
  [
    'a declined key',
    endOf([...KEX, 'Host key verification failed.']),
    failure('host-key-declined', { host: '127.0.0.1', fingerprint: OFFERED }),
  ],
  [
    'a refused login',
    endOf([...AUTH, OFFER, 'ada@127.0.0.1: Permission denied (publickey,password,keyboard-interactive).']),
    failure('auth-rejected', {
      user: 'ada',
      host: '127.0.0.1',
      offered: ['publickey', 'password', 'keyboard-interactive'],
      tried: ['/home/ada/.ssh/id_a'],
    }),
  ],
  [
    'too many keys',
    endOf([
      ...AUTH,
      OFFER,
      'Received disconnect from 127.0.0.1 port 2222:2: Too many authentication failures',
      'Disconnected from 127.0.0.1 port 2222',
    ]),
    failure('auth-too-many', { user: 'ada', host: '127.0.0.1', tried: ['/home/ada/.ssh/id_a'] }),
  ],
  ...(
    [
      ['Warning: Identity file /k not accessible: No such file or directory.', 'missing'],
      ['Load key "/k": bad permissions', 'permission'],
      ['Load key "/k": error in libcrypto', 'format'],
      ['Load key "/k": invalid format', 'format'],
      ['Load key "/k": Is a directory', 'not-a-file'],
      ['Load key "/k": unknown or unsupported key type', 'unsupported'],
    ] as const
  ).map(
    ([line, reason]) =>
      [
        `a key that is no good: ${line}`,
        endOf([...AUTH, line, 'ada@127.0.0.1: Permission denied (publickey).']),
        failure('key-unreadable', { path: '/k', reason }),
      ] as const,
  ),
  [
    'a key that is no good, where another one was shown',
    endOf([
      ...AUTH,
      OFFER,
      'Load key "/k": bad permissions',
      'ada@127.0.0.1: Permission denied (publickey).',
    ]),
    failure('auth-rejected', {
      user: 'ada',
      host: '127.0.0.1',
      offered: ['publickey'],
      tried: ['/home/ada/.ssh/id_a'],
    }),
  ],
  ...(
    [
      ['key exchange method', 'key exchange'],
      ['host key type', 'host key'],
      ['cipher', 'cipher'],
      ['MAC', 'mac'],
    ] as const
  ).map(
    ([word, kind]) =>
      [
        `no common ${word}`,
        endOf([
          ...GREETED,
          `Unable to negotiate with 127.0.0.1 port 2222: no matching ${word} found. Their offer: a-1@x.com,b-2`,
        ]),
        failure('ssh-no-common-algorithm', { host: '127.0.0.1', kind, offered: ['a-1@x.com', 'b-2'] }),
      ] as const,
  ),
  [
    'a configuration that ssh does not take',
    endOf([
      '/home/ada/.ssh/config: line 1: Bad configuration option: nonsense',
      '/home/ada/.ssh/config: terminating, 1 bad configuration options',
    ]),
    failure('ssh-config-invalid', {
      target: 'gw',
      detail: '/home/ada/.ssh/config: line 1: Bad configuration option: nonsense',
    }),
  ],
  [
    'a jump that cannot reach the target',
    endOf(
      [
        ...JUMPED,
        'channel 0: open failed: connect failed: Connection refused',
        'stdio forwarding failed',
        ...CLOSED,
      ],
      JUMP,
    ),
    failure('jump-unreachable', { jump: 'jump', ...place, detail: 'Connection refused' }),
  ],
  [
    'a jump that may not reach the target',
    endOf(
      [
        ...JUMPED,
        'channel 0: open failed: administratively prohibited: open failed',
        'stdio forwarding failed',
        ...CLOSED,
      ],
      JUMP,
    ),
    failure('jump-forbidden', { jump: 'jump', ...place, detail: 'open failed' }),
  ],
  [
    'the first of two jumps that cannot reach the second',
    endOf([...JUMPED, 'channel 0: open failed: connect failed: No route to host', ...CLOSED], {
      config: 'proxyjump one,ada@two:2200\n',
    }),
    failure('jump-unreachable', { jump: 'one', host: 'two', port: 2200, detail: 'No route to host' }),
  ],
  [
    'a jump that refuses the connection',
    endOf([...PROXY, 'ssh: connect to host 10.0.0.1 port 22: Connection refused', ...CLOSED], JUMP),
    failure('ssh-refused', { host: '10.0.0.1', port: 22 }),
  ],
  [
    'a ProxyCommand that fails',
    endOf(['debug1: Executing proxy command: exec tool', 'tool: not today', ...CLOSED], {
      config: 'proxycommand tool\n',
    }),
    failure('proxy-command-failed', {
      host: '127.0.0.1',
      command: 'tool',
      exitCode: null,
      detail: 'tool: not today',
    }),
  ],
  [
    'a ProxyCommand that is not there',
    endOf(
      ['debug1: Executing proxy command: exec tool', '/bin/bash: line 1: exec: tool: not found', ...CLOSED],
      {
        config: 'proxycommand tool\n',
      },
    ),
    failure('proxy-command-not-found', {
      host: '127.0.0.1',
      command: 'tool',
      detail: '/bin/bash: line 1: exec: tool: not found',
    }),
  ],
  [
    'a server that went away',
    endOf([...UP, 'Connection to 127.0.0.1 closed by remote host.']),
    failure('link-lost', { host: '127.0.0.1', detail: 'Connection to 127.0.0.1 closed by remote host.' }),
  ],
  [
    'a server that does not answer any more',
    endOf([...UP, 'Timeout, server 127.0.0.1 not responding.']),
    failure('link-dead', { host: '127.0.0.1', silentMs: 9_000 }),
  ],
  [
    'a flipped bit',
    endOf([
      ...UP,
      'ssh_dispatch_run_fatal: Connection to 127.0.0.1 port 2222: message authentication code incorrect',
    ]),
    failure('link-corrupted', { host: '127.0.0.1' }),
  ],
  [
    'what nobody foresaw, bounded and without control characters',
    endOf(['fatal: \u001b[31mthe moon\u0007', 'x'.repeat(1_000)], { exitCode: 1 }),
    failure('openssh-failed', {
      host: '127.0.0.1',
      exitCode: 1,
      detail: `fatal: the moon\n${'x'.repeat(1_000)}`.slice(0, 400),
    }),
  ],
];

describe('the end of ssh', () => {
  it.each(CASES)('names %s', (_name, end, expected) => {
    expect(classifyOpensshEnd(end)).toEqual(expected);
  });

  it('takes a passphrase that was wrong for no broken key', () => {
    const end = endOf([
      ...AUTH,
      'Load key "/k": incorrect passphrase supplied to decrypt private key',
      'ada@127.0.0.1: Permission denied (publickey).',
    ]);
    expect(classifyOpensshEnd(end).code).toBe('auth-rejected');
  });

  it('tells a passphrase that was wrong from a key that was opened and refused', () => {
    const accepted = [...AUTH, 'debug1: Authentications that can continue: publickey', OFFER];
    const at = accepted.reduce(afterLine, NO_PROGRESS);
    const asked = [{ type: 'passphrase', keyPath: '/home/ada/.ssh/id_a', at }] as const;
    const refused = 'ada@127.0.0.1: Permission denied (publickey).';
    const codeOf = (...lines: readonly string[]): string =>
      classifyOpensshEnd(endOf([...accepted, ...lines, refused], { asked })).code;
    expect(codeOf()).toBe('passphrase-wrong');
    expect(codeOf('debug1: Authentications that can continue: publickey')).toBe('auth-rejected');
    const other = 'debug1: Offering public key: /k ED25519 SHA256:x explicit';
    expect(codeOf(other, 'debug1: Authentications that can continue: publickey')).toBe('passphrase-wrong');
  });

  it('says why the agent gave no key, and which named key is not there', () => {
    const facts = (line: string) =>
      classifyOpensshEnd(
        endOf([...AUTH, line, 'ada@127.0.0.1: Permission denied (publickey).'], { missingKeys: ['/k'] }),
      ).facts;
    const list = 'debug1: get_agent_identities: ssh_fetch_identitylist: ';
    const socket = 'debug1: get_agent_identities: ssh_get_authentication_socket: ';
    expect(facts(`${list}agent contains no identities`)).toMatchObject({ agent: 'empty', missing: ['/k'] });
    expect(facts(`${list}agent refused operation`)).toMatchObject({ agent: 'refused' });
    expect(facts(`${list}communication with agent failed`)).toMatchObject({ agent: 'silent' });
    expect(facts(`${socket}No such file or directory`)).toMatchObject({ agent: 'missing' });
  });

  const FORGED = [
    '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @',
    `Offending ED25519 key in ${KNOWN_HOSTS}:7`,
    'Host key for [127.0.0.1]:2222 has changed and you have requested strict checking.',
    'The ED25519 host key for jump is marked as revoked.',
    'No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.',
  ];
  const REFUSED = 'ada@127.0.0.1: Permission denied (publickey).';

  it('believes no server that speaks of host keys after it has proved its own', () => {
    const greeting = ['debug1: Connecting to 10.0.0.1 port 22.', ...KEX.slice(1), ...FORGED];
    expect(classifyOpensshEnd(endOf([...AUTH, ...FORGED, REFUSED])).code).toBe('auth-rejected');
    expect(classifyOpensshEnd(endOf([...AUTH, ...greeting, REFUSED])).code).toBe('auth-rejected');
    const ofHop = (name: string): string =>
      `Host key for ${name} has changed and you have requested strict checking.`;
    const ofJump = endOf([...JUMPED, ofHop('jump'), REFUSED], JUMP);
    expect(classifyOpensshEnd(ofJump).code).toBe('auth-rejected');
    const ofTarget = endOf([...JUMPED, ...KEX, ofHop('[127.0.0.1]:2222')], JUMP);
    expect(classifyOpensshEnd(ofTarget).code).toBe('host-key-changed');
  });
});
