import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Accounts } from './accounts.ts';
import { descendantsOf, sendSignal, startChild, type Child, type ProcessInfo } from './child.ts';
import { createCertificate, createKeyPair, knownHostsLine, type KeyPair, type KeyType } from './keys.ts';
import type { NetworkHost } from './network.ts';
import { freePort, waitForFree } from './ports.ts';
import { waitFor } from './wait.ts';

export interface SshdOptions {
  readonly port?: number;
  /** Default one ed25519 key. */
  readonly hostKeyTypes?: readonly KeyType[];
  /** Who may log in; default the user that runs the lab. Another one only works as root. */
  readonly user?: string;
  /** Accepted public keys; default one fresh ed25519 pair, found as `clientKey`. */
  readonly clientKeys?: readonly KeyPair[];
  /** Users that exist only for this server; `user` is then the first of them. Passwords go through PAM. */
  readonly accounts?: Accounts;
  /** TrustedUserCAKeys: who may certify users. */
  readonly userAuthority?: KeyPair;
  /** Certifies every host key for `127.0.0.1` and `localhost` (HostCertificate). */
  readonly hostAuthority?: KeyPair;
  /** Runs and listens in a network namespace (network.ts) instead of on loopback; not together with `accounts`. */
  readonly network?: Pick<NetworkHost, 'address' | 'within'>;
  /** Extra lines of sshd_config(5). They come first, so they win over the lab's own. */
  readonly config?: readonly string[];
}

export interface SshdSession {
  /** The process that the listener forked for this connection. */
  readonly pid: number;
  /** It and all below it. */
  readonly pids: readonly number[];
  /** As sshd names it, for example `sshd: root@notty`, `sshd: [accepted]`. */
  readonly title: string;
}

export interface Sshd {
  readonly port: number;
  readonly host: '127.0.0.1';
  readonly user: string;
  readonly clientKey: KeyPair;
  readonly hostKeys: readonly KeyPair[];
  readonly dir: string;
  /** Lines of known_hosts for all host keys, each ending in a newline. */
  knownHostsLine(host?: string, port?: number): string;
  /** sshd's own log (LogLevel VERBOSE) since the first start. */
  log(): string;
  waitForLog(pattern: RegExp, timeoutMs?: number): Promise<void>;
  /** From the log: TCP connections, accepted logins, failed tries. */
  counts(): SshdCounts;
  sessions(): SshdSession[];
  waitForSessions(count: number, timeoutMs?: number): Promise<void>;
  /** SIGKILL to every session, the listener stays; resolves with how many there were when they are gone. */
  killSessions(): Promise<number>;
  pause(): void;
  resume(): void;
  /** Ends the listener alone: sessions live on, new connections are refused. */
  stopListener(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** New host keys, served from now on (SIGHUP); live sessions stay. */
  rotateHostKey(types?: readonly KeyType[]): Promise<readonly KeyPair[]>;
  /** These host keys, served from now on (SIGHUP), also several of a type; live sessions stay. */
  setHostKeys(keys: readonly KeyPair[]): Promise<void>;
  setAuthorizedKeys(keys: readonly KeyPair[]): void;
  close(): Promise<void>;
}

export interface SshdCounts {
  readonly connections: number;
  readonly accepted: number;
  readonly failed: number;
}

/** Debian's sshd on a loopback port of its own, with its own keys, configuration and log. */
export async function startSshd(dir: string, options: SshdOptions = {}): Promise<Sshd> {
  const binary = findSshd();
  if (binary === null)
    throw new Error('No sshd on this machine: install openssh-server (apt install openssh-server).');
  const asRoot = process.getuid?.() === 0;
  const self = userInfo().username;
  const user = options.user ?? options.accounts?.users[0]?.name ?? self;
  if (!asRoot && user !== self) throw new Error(`Only root's sshd can log in another user (${user}).`);
  // sshd run by root refuses to start without its privilege separation directory (sshd(8), FILES).
  if (asRoot) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });

  const port = options.port ?? (await freePort());
  const clientKeys = options.clientKeys ?? [createKeyPair()];
  const clientKey = clientKeys[0] ?? createKeyPair();
  const logFile = join(dir, 'sshd.log');
  const authorizedKeys = join(dir, 'authorized_keys');
  const configFile = join(dir, 'sshd_config');
  const userAuthorityFile = join(dir, 'user_ca.pub');
  writeFileSync(logFile, '');
  if (options.userAuthority !== undefined) {
    writeFileSync(userAuthorityFile, `${options.userAuthority.publicKey}\n`);
  }

  let hostKeys = makeHostKeys(options.hostKeyTypes ?? ['ed25519']);
  writeHostKeys();
  function makeHostKeys(types: readonly KeyType[]): KeyPair[] {
    return types.map((type) => createKeyPair({ type, comment: `host-${type}` }));
  }
  /** `host_ed25519`, and `host_ed25519_1` for the next one of that type. */
  function hostKeyFiles(): string[] {
    return hostKeys.map((key, index) => {
      const before = hostKeys.slice(0, index).filter((other) => other.type === key.type).length;
      return join(dir, `host_${key.type}${before === 0 ? '' : `_${before}`}`);
    });
  }
  function writeHostKeys(): void {
    for (const [index, file] of hostKeyFiles().entries()) {
      const key = hostKeys[index];
      if (key === undefined) continue;
      writeFileSync(file, key.privateKey, { mode: 0o600 });
      chmodSync(file, 0o600);
      if (options.hostAuthority !== undefined) {
        const { publicKey } = key;
        const principals = ['127.0.0.1', 'localhost'];
        const authority = options.hostAuthority;
        const certificate = createCertificate({ publicKey, authority, principals, host: true });
        writeFileSync(`${file}-cert.pub`, `${certificate}\n`);
      }
    }
  }
  function setAuthorizedKeys(keys: readonly KeyPair[]): void {
    writeFileSync(authorizedKeys, keys.map((key) => `${key.publicKey}\n`).join(''), { mode: 0o644 });
  }
  function writeConfig(): void {
    const lines = [
      ...(options.config ?? []),
      `Port ${port}`,
      `ListenAddress ${options.network?.address ?? '127.0.0.1'}`,
      ...hostKeyFiles().map((file) => `HostKey ${file}`),
      ...(options.hostAuthority === undefined
        ? []
        : hostKeyFiles().map((file) => `HostCertificate ${file}-cert.pub`)),
      ...(options.userAuthority === undefined ? [] : [`TrustedUserCAKeys ${userAuthorityFile}`]),
      `AuthorizedKeysFile ${authorizedKeys}`,
      `PidFile ${join(dir, 'sshd.pid')}`,
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      // The keys lie in a temporary folder, whose parents are not only the user's.
      'StrictModes no',
      // PAM lets in an account without a password, which sshd itself takes for locked; it needs root.
      `UsePAM ${asRoot && user !== self ? 'yes' : 'no'}`,
      // Of this keyword the last line wins, not the first.
      ...(options.config?.some((line) => /^MaxStartups /i.test(line)) === true ? [] : ['MaxStartups 100']),
      'LogLevel VERBOSE',
    ];
    writeFileSync(configFile, `${lines.join('\n')}\n`);
  }
  setAuthorizedKeys(clientKeys);

  let child: Child | null = null;
  const log = (): string => readFileSync(logFile, 'utf8');
  const logEnd = (): string => log().slice(-3_000);
  const listenings = (): number => log().match(/^Server listening/gm)?.length ?? 0;

  async function start(): Promise<void> {
    if (child !== null && child.exited() === null) return;
    await stop();
    writeConfig();
    const earlier = listenings();
    const args = ['-D', '-f', configFile, '-E', logFile];
    child = await startChild({
      ...(options.accounts?.enter(binary ?? 'sshd', args) ??
        withinNetwork(options.network?.within ?? [], [binary ?? 'sshd', ...args])),
      env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' },
      name: 'sshd',
    });
    const running = child;
    await waitFor(() => listenings() > earlier || running.exited() !== null, {
      what: 'sshd to listen',
      detail: logEnd,
    });
    if (running.exited() !== null) {
      await running.close();
      throw new Error(`sshd ended at once:\n${running.output()}${logEnd()}`);
    }
  }

  async function setHostKeys(keys: readonly KeyPair[]): Promise<void> {
    hostKeys = [...keys];
    writeHostKeys();
    writeConfig();
    const running = child;
    if (running === null || running.exited() !== null) return;
    const earlier = listenings();
    running.signal('SIGHUP');
    await waitFor(() => listenings() > earlier, { what: 'sshd to serve its new host key', detail: logEnd });
  }

  async function stop(): Promise<void> {
    const ending = child;
    child = null;
    await ending?.close();
  }

  function living(): ProcessInfo[] {
    return child === null ? [] : child.descendants();
  }

  function sessions(): SshdSession[] {
    const running = child;
    if (running === null) return [];
    const heads = running
      .descendants()
      .filter(
        (info) =>
          info.pid !== running.pid && (info.parentPid === running.pid || info.parentPid === running.guardPid),
      );
    return heads.map((head) => ({
      pid: head.pid,
      pids: [head.pid, ...descendantsOf(head.pid).map((info) => info.pid)],
      title: head.command,
    }));
  }

  await start();
  return {
    port,
    host: '127.0.0.1',
    user,
    clientKey,
    get hostKeys() {
      return hostKeys;
    },
    dir,
    knownHostsLine: (host = '127.0.0.1', atPort = port) =>
      hostKeys.map((key) => `${knownHostsLine(key.publicKey, host, atPort)}\n`).join(''),
    log,
    async waitForLog(pattern, timeoutMs) {
      await waitFor(() => pattern.test(log()), {
        what: `sshd to log ${String(pattern)}`,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        detail: logEnd,
      });
    },
    counts() {
      const text = log();
      const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
      return {
        connections: count(/^Connection from /gm),
        accepted: count(/^Accepted (?!key )/gm),
        failed: count(/^Failed /gm),
      };
    },
    sessions,
    async waitForSessions(count, timeoutMs) {
      await waitFor(() => sessions().length === count, {
        what: `${count} sshd session(s)`,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        detail: () => JSON.stringify(sessions()),
      });
    },
    async killSessions() {
      const killed = sessions();
      const pids = killed.flatMap((session) => session.pids);
      for (const pid of pids) sendSignal(pid, 'SIGKILL');
      await waitFor(() => !living().some((info) => pids.includes(info.pid)), {
        what: 'sshd sessions to be gone',
      });
      return killed.length;
    },
    pause() {
      for (const info of living()) sendSignal(info.pid, 'SIGSTOP');
    },
    resume() {
      for (const info of living()) sendSignal(info.pid, 'SIGCONT');
    },
    async stopListener() {
      child?.signal('SIGKILL');
      await waitForFree(port);
    },
    stop,
    start,
    async rotateHostKey(types) {
      await setHostKeys(makeHostKeys(types ?? hostKeys.map((key) => key.type)));
      return hostKeys;
    },
    setHostKeys,
    setAuthorizedKeys,
    close: stop,
  };
}

function withinNetwork(
  within: readonly string[],
  line: readonly string[],
): { command: string; args: string[] } {
  const [command = 'sshd', ...args] = [...within, ...line];
  return { command, args };
}

/** sbin is often not in an ordinary user's PATH; sshd must be started by its absolute path (it executes itself again). */
export function findSshd(): string | null {
  return ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/sbin/sshd'].find((path) => existsSync(path)) ?? null;
}
