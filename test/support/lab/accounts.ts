import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyPair } from './keys.ts';
import { findProgram } from './programs.ts';

/**
 * System users that exist only for the servers that are started among them: a mount namespace of their own
 * (mount_namespaces(7)) in which copies of /etc/passwd, /etc/shadow, /etc/group and a PAM configuration lie over the
 * machine's files. The machine's own files are never changed, and nothing is left when the last server has ended.
 */
export interface Accounts {
  readonly users: readonly Account[];
  /** The command line that runs another one among these users. */
  enter(command: string, args: readonly string[]): { command: string; args: string[] };
}

export interface Account {
  readonly name: string;
  readonly password: string;
  /** Its home folder as seen from outside; among the accounts it is `/mnt/NAME`. */
  readonly home: string;
  readonly uid: number;
  /** Writes `~/.ssh/authorized_keys`, as every server reads it. */
  authorize(keys: readonly Pick<KeyPair, 'publicKey'>[]): void;
}

/** pam.conf(5), for the service `sshd`: the password, without pam_unix's pause of two seconds after a wrong one. */
const PAM_SSHD = [
  'auth required pam_unix.so nodelay',
  'account required pam_unix.so',
  'session required pam_permit.so',
];

/** Above what Debian gives to people and below what systemd gives to dynamic users. */
const FIRST_UID = 58_400;

/** Where the homes lie among the accounts: TinySSH takes no home below a folder that others may write to, as /tmp. */
const HOMES = '/mnt';

/** Why there can be no accounts here, in words; null when there can. */
export function accountsUnavailable(): string | null {
  if (process.platform !== 'linux') return 'users of their own need mount namespaces, which only Linux has';
  if (process.getuid?.() !== 0)
    return 'users of their own need root: an ordinary user has no mount namespaces';
  if (findProgram('unshare') === null) return 'users of their own need unshare (util-linux)';
  try {
    execFileSync('unshare', ['--mount', 'mount', '--bind', '/etc/passwd', '/etc/passwd'], {
      stdio: 'ignore',
    });
    return null;
  } catch {
    return 'users of their own need mount namespaces, which this container forbids';
  }
}

/** Makes users in `dir`, each with a password and a home folder of mode 0700. */
export function createAccounts(
  dir: string,
  users: readonly { readonly name: string; readonly password: string }[],
): Accounts {
  const etc = join(dir, 'etc');
  const pamDir = join(etc, 'pam.d');
  mkdirSync(pamDir, { recursive: true });
  const accounts = users.map(({ name, password }, index): Account => {
    const uid = FIRST_UID + index;
    const home = join(dir, 'home', name);
    const own = (path: string, mode: number): void => {
      chmodSync(path, mode);
      chownSync(path, uid, uid);
    };
    mkdirSync(join(home, '.ssh'), { recursive: true });
    own(home, 0o700);
    own(join(home, '.ssh'), 0o700);
    return {
      name,
      password,
      home,
      uid,
      authorize(keys) {
        const file = join(home, '.ssh', 'authorized_keys');
        writeFileSync(file, keys.map((key) => `${key.publicKey}\n`).join(''));
        own(file, 0o600);
      },
    };
  });
  const write = (name: string, lines: readonly string[], mode: number): void => {
    const file = join(etc, name);
    writeFileSync(file, `${lines.join('\n')}\n`, { mode });
    chmodSync(file, mode);
  };
  const system = (file: string): string => readFileSync(file, 'utf8').trimEnd();
  write(
    'passwd',
    [
      system('/etc/passwd'),
      ...accounts.map(({ name, uid }) => `${name}:x:${uid}:${uid}::${HOMES}/${name}:/bin/sh`),
    ],
    0o644,
  );
  write('group', [system('/etc/group'), ...accounts.map(({ name, uid }) => `${name}:x:${uid}:`)], 0o644);
  write(
    'shadow',
    accounts.map(({ name, password }) => `${name}:${cryptPassword(password)}:19000:0:99999:7:::`),
    0o600,
  );
  write('pam.d/sshd', PAM_SSHD, 0o644);
  write('pam.d/other', ['auth required pam_deny.so', 'account required pam_deny.so'], 0o644);

  const script = [
    ...['passwd', 'group', 'shadow', 'pam.d'].map((name) => `mount --bind "$0/etc/${name}" /etc/${name}`),
    `mount --bind "$0/home" ${HOMES}`,
    'exec "$@"',
  ].join(' && ');
  return {
    users: accounts,
    enter: (command, args) => ({
      command: 'unshare',
      args: ['--mount', '--propagation', 'private', 'sh', '-c', script, dir, command, ...args],
    }),
  };
}

/** crypt(3) with SHA-512; the password goes by standard input. */
function cryptPassword(password: string): string {
  const script = 'my $p = <STDIN>; chomp $p; print crypt($p, q($6$gangwaylab$))';
  return execFileSync('perl', ['-e', script], { input: `${password}\n`, encoding: 'utf8' });
}
