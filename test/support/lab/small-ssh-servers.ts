import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Account, Accounts } from './accounts.ts';
import { startChild, type Child } from './child.ts';
import { knownHostsLine } from './keys.ts';
import { freePort, waitForListening } from './ports.ts';
import { needProgram } from './programs.ts';

export interface SmallSshServer {
  readonly port: number;
  readonly host: '127.0.0.1';
  readonly user: string;
  /** Lines of known_hosts for all host keys, each ending in a newline. */
  knownHostsLine(host?: string, port?: number): string;
  log(): string;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface SmallSshServerOptions {
  readonly port?: number;
  /** They read `~/.ssh/authorized_keys` of a system user, so they need one of their own. */
  readonly accounts: Accounts;
  /** Arguments before the lab's own. */
  readonly args?: readonly string[];
}

/** Dropbear with an Ed25519, an ECDSA and an RSA host key. Its user is the first of the accounts. */
export async function startDropbear(dir: string, options: SmallSshServerOptions): Promise<SmallSshServer> {
  const dropbear = needProgram('dropbear', 'dropbear-bin');
  const dropbearkey = needProgram('dropbearkey', 'dropbear-bin');
  const port = options.port ?? (await freePort());
  const hostKeys = ['ed25519', 'ecdsa', 'rsa'].map((type) => {
    const file = join(dir, `host_${type}`);
    const size = type === 'rsa' ? ['-s', '2048'] : [];
    const said = execFileSync(dropbearkey, ['-t', type, '-f', file, ...size], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const publicKey = said.split('\n').find((line) => /^(?:ssh|ecdsa)-\S+ \S+/.test(line));
    if (publicKey === undefined) throw new Error(`dropbearkey printed no public key:\n${said}`);
    return { file, publicKey };
  });
  return serve(
    'dropbear',
    port,
    options,
    hostKeys.map((key) => key.publicKey),
    {
      command: dropbear,
      args: [
        ...(options.args ?? []),
        ...['-F', '-E', '-m', '-p', `127.0.0.1:${port}`, '-P', join(dir, 'dropbear.pid')],
        ...hostKeys.flatMap((key) => ['-r', key.file]),
      ],
    },
  );
}

const INETD = fileURLToPath(new URL('./inetd.pl', import.meta.url));

/** TinySSH behind a super server, for it has no listener. Its user is the first of the accounts. */
export async function startTinySsh(dir: string, options: SmallSshServerOptions): Promise<SmallSshServer> {
  const tinysshd = needProgram('tinysshd', 'tinysshd');
  const port = options.port ?? (await freePort());
  const keyDir = join(dir, 'keys');
  execFileSync(needProgram('tinysshd-makekey', 'tinysshd'), ['-q', keyDir]);
  const publicKey = execFileSync(needProgram('tinysshd-printkey', 'tinysshd'), [keyDir], {
    encoding: 'utf8',
  }).trim();
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  return serve('tinysshd', port, options, [publicKey], {
    command: 'perl',
    args: [INETD, String(port), tinysshd, '-v', ...(options.args ?? []), keyDir],
  });
}

async function serve(
  name: string,
  port: number,
  options: SmallSshServerOptions,
  publicKeys: readonly string[],
  run: { readonly command: string; readonly args: readonly string[] },
): Promise<SmallSshServer> {
  const user = firstOf(options.accounts);
  let child: Child | null = null;
  let earlier = '';

  async function start(): Promise<void> {
    if (child !== null && child.exited() === null) return;
    await stop();
    child = await startChild({
      ...options.accounts.enter(run.command, run.args),
      env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' },
      name,
    });
    await waitForListening(port);
  }

  async function stop(): Promise<void> {
    const ending = child;
    child = null;
    if (ending !== null) earlier += ending.output();
    await ending?.close();
  }

  await start();
  return {
    port,
    host: '127.0.0.1',
    user: user.name,
    knownHostsLine: (host = '127.0.0.1', atPort = port) =>
      publicKeys.map((key) => `${knownHostsLine(key, host, atPort)}\n`).join(''),
    log: () => earlier + (child?.output() ?? ''),
    start,
    stop,
    close: stop,
  };
}

function firstOf(accounts: Accounts): Account {
  const [first] = accounts.users;
  if (first === undefined) throw new Error('The accounts have no user.');
  return first;
}
