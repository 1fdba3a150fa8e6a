import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TunnelReport } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { plainHop } from '../../../src/main/core/tunnel/plain-hop.ts';
import { DEFAULT_ALGORITHMS } from '../../../src/main/node/ssh/ssh-algorithms.ts';
import { SSH_TIMING } from '../../../src/main/node/ssh/ssh-timing.ts';
import { descendantsOf, sendSignal, startChild } from '../../support/lab/child.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { watchForLeaks } from '../../support/lab/no-leaks.ts';
import { freePort } from '../../support/lab/ports.ts';
import type { Sshd } from '../../support/lab/sshd.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { Client, startEcho, tunnelTo, type EchoServer, type TunnelFixture } from './tunnel-fixture.ts';

const PATH = '/usr/local/bin:/usr/bin:/bin';
/** netcat, as most people write it; perl does the same where there is none. */
const NETCAT = ['/usr/bin/nc', '/bin/nc'].some((path) => existsSync(path)) ? 'nc' : null;
if (NETCAT === null)
  console.warn('No nc here (apt install netcat-openbsd): ProxyCommand is tested with perl.');
const quick = { ...SSH_TIMING, connectLimitMs: 1_500 };

let lab: Lab;
let echo: EchoServer;
let sshd: Sshd;

beforeEach(async () => {
  lab = await createLab({ label: 'proxy-command' });
  [echo, sshd] = await Promise.all([startEcho(lab), lab.startSshd()]);
});
afterEach(() => lab.close());

const PERL_PIPES = `
use IO::Socket::INET; use IO::Select;
my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1]) or die;
my $w = IO::Select->new($s, \\*STDIN);
while (1) { for my $h ($w->can_read) {
  sysread($h, my $b, 65536) or exit 0;
  syswrite($h == $s ? \\*STDOUT : $s, $b);
} }`;

function netcat(port: number): string {
  return NETCAT === null ? `perl -e '${PERL_PIPES}' 127.0.0.1 ${port}` : `nc 127.0.0.1 ${port}`;
}

/** The direct way is closed: only the command leads to the server. */
async function tunnelBy(command: string, timing = SSH_TIMING, shell = '/bin/sh'): Promise<TunnelFixture> {
  const tunnel = await tunnelTo(lab, sshd, echo.port, { timing });
  tunnel.set({ proxyCommand: { command, path: PATH, shell } });
  const port = await freePort();
  tunnel.setTarget({ port });
  tunnel.write('known_hosts', sshd.knownHostsLine('127.0.0.1', port));
  return tunnel;
}

/** Processes of ours that carry this word on their command line, without the lab's guards, which outlive their command. */
function running(word: string): string[] {
  return descendantsOf(process.pid)
    .map(({ command }) => command)
    .filter((command) => command.includes(word) && !command.includes('guard.pl'));
}

async function gone(word: string): Promise<void> {
  await waitFor(() => running(word).length === 0, {
    what: `the end of ${word}`,
    detail: () => running(word).join('\n'),
  });
}

type Log = Extract<TunnelReport, { type: 'log' }>;
function logs(tunnel: TunnelFixture): Log[] {
  return tunnel.reports.filter(
    (report): report is Log => report.type === 'log' && report.event === 'ssh.proxy-command',
  );
}

describe('ProxyCommand', () => {
  it('carries the connection, where there is no other way, and ends with it', async () => {
    const leaks = watchForLeaks();
    const tunnel = await tunnelBy(netcat(sshd.port));
    const up = await tunnel.openUp();
    expect(up.facts.via).toEqual(['ProxyCommand']);
    const client = await Client.connect(lab, up.localPort);
    await client.echo('through a pipe');
    client.received = Buffer.alloc(0);
    const text = Buffer.alloc(4 * 1024 * 1024, 'p');
    client.socket.end(text);
    await waitFor(() => client.isEnded, { what: 'the end of 4 MiB' });
    expect(client.received.equals(text)).toBe(true);
    tunnel.post({ type: 'close', attempt: tunnel.attempt });
    await sshd.waitForSessions(0);
    await gone(String(sshd.port));
    // The control: without the command nobody answers there.
    tunnel.set({ proxyCommand: null });
    await tunnel.openFailed('ssh-refused');
    await tunnel.close();
    client.socket.destroy();
    await leaks.assertNone();
  });

  it('is run by the shell that is named, with exec, as OpenSSH does', async () => {
    const home = lab.folder('shell');
    const shell = join(home, 'noting-shell');
    writeFileSync(shell, `#!/bin/sh\nprintf '%s|' "$@" > ${home}/called\nexec /bin/sh "$@"\n`, {
      mode: 0o755,
    });
    const tunnel = await tunnelBy(netcat(sshd.port), SSH_TIMING, shell);
    await tunnel.openUp();
    expect(readFileSync(join(home, 'called'), 'utf8')).toBe(`-c|exec ${netcat(sshd.port)}|`);
  });

  it('finds its program on the PATH that it is given', async () => {
    const bin = join(lab.folder('bin'), 'tools');
    mkdirSync(bin);
    writeFileSync(join(bin, 'gangway-lead-on'), `#!/bin/sh\nexec ${netcat(sshd.port)}\n`, { mode: 0o755 });
    const tunnel = await tunnelBy('gangway-lead-on');
    await tunnel.openFailed('proxy-command-not-found');
    tunnel.set({ proxyCommand: { command: 'gangway-lead-on', path: `${bin}:${PATH}`, shell: '/bin/sh' } });
    await tunnel.openUp();
  });

  it('that fails is shown with its exit status and its last words, without what a terminal would act on', async () => {
    const command = `sh -c 'echo first >&2; printf "\\033[31mno way\\007 there\\n" >&2; exit 3'`;
    const tunnel = await tunnelBy(command);
    const facts = await tunnel.openFailed('proxy-command-failed');
    expect(facts).toEqual({ host: '127.0.0.1', command, exitCode: 3, detail: 'first no way there' });
    // It may come in one piece or in two.
    const logged = logs(tunnel).map(({ fields }) => fields['stderr']);
    expect(logged.join('\n')).toBe('first\nno way there');
  });

  it.each([
    ['missing', 'gangway-no-such-program %h', /not found/],
    ['not a program', '/etc/passwd', /[Pp]ermission denied/],
  ])('that is %s is told from one that fails', async (_name, command, words) => {
    const facts = await (await tunnelBy(command)).openFailed('proxy-command-not-found');
    expect(facts).toMatchObject({ host: '127.0.0.1', command });
    expect(facts.detail).toMatch(words);
  });

  it('whose shell is missing is told alike', async () => {
    const tunnel = await tunnelBy('true', SSH_TIMING, '/no/such/shell');
    expect((await tunnel.openFailed('proxy-command-not-found')).detail).toMatch(/no\/such\/shell/);
  });

  it('that hangs is ended with the limit of a connection, also when it ignores every kind request', async () => {
    const tunnel = await tunnelBy(`sh -c 'trap "" TERM HUP INT PIPE; sleep 86391; sleep 86391'`, quick);
    const facts = await tunnel.openFailed('ssh-handshake-timeout');
    expect(facts.limitMs).toBe(quick.connectLimitMs);
    await gone('86391');
  });

  it('that hangs and says why is shown with its words', async () => {
    const tunnel = await tunnelBy(`sh -c 'echo "waiting for your browser" >&2; exec sleep 86392'`, quick);
    const facts = await tunnel.openFailed('proxy-command-failed');
    expect(facts).toMatchObject({ exitCode: null, detail: 'waiting for your browser' });
    await gone('86392');
  });

  it('that writes without end on standard error does not fill the log', async () => {
    const tunnel = await tunnelBy(`perl -e 'print STDERR "x" x 79, "\\n" for 1 .. 200_000; exit 1'`);
    const facts = await tunnel.openFailed('proxy-command-failed');
    expect(facts.detail.length).toBeLessThanOrEqual(400);
    const logged = logs(tunnel).reduce((sum, { fields }) => sum + String(fields['stderr']).length, 0);
    expect(logged).toBeGreaterThan(0);
    expect(logged).toBeLessThanOrEqual(16 * 1024);
  });

  it('that dies in mid-session loses the link at once, with its words', async () => {
    const script = `${netcat(sshd.port)} & wait; echo "the way is gone" >&2; exit 9`;
    const file = join(lab.folder('script'), 'proxy.sh');
    writeFileSync(file, `exec 4<&0\n${script.replace(' &', ' <&4 &')}\n`);
    const tunnel = await tunnelBy(`sh ${file}`);
    const up = await tunnel.openUp();
    const client = await Client.connect(lab, up.localPort);
    await client.echo('before');
    await sshd.killSessions();
    expect(await tunnel.down()).toMatchObject({ code: 'link-lost', facts: { detail: 'the way is gone' } });
    await client.closed();
    await gone(file);
    await tunnel.openUp();
  });

  it('takes what it started along', async () => {
    const tunnel = await tunnelBy(`sh -c 'sleep 86393 & exec ${netcat(sshd.port)}'`);
    await tunnel.openUp();
    expect(running('86393')).not.toEqual([]);
    tunnel.post({ type: 'close', attempt: tunnel.attempt });
    await gone('86393');
  });

  it.each([
    ['that waits', 'sleep 86394'],
    ['that ignores every kind request', `sh -c 'trap "" TERM HUP INT; sleep 86394; sleep 86394'`],
  ])('%s ends with its process, also when that is killed', async (_name, command) => {
    const owner = lab.own(
      await startChild({
        command: process.execPath,
        args: [fileURLToPath(new URL('./proxy-command-owner.ts', import.meta.url)), command],
        name: 'owner of a ProxyCommand',
      }),
    );
    await owner.waitForLine(/started/);
    await waitFor(() => running('sleep 86394').length > 0, { what: 'the command to run' });
    sendSignal(owner.pid, 'SIGKILL');
    await owner.waitForExit();
    // Before the guard of the lab would see to it: that one waits for us.
    await gone('86394');
  });

  it('leads to the first hop only: the next one is reached through that', async () => {
    const target = await lab.startSshd();
    const tunnel = await tunnelBy(netcat(sshd.port));
    const jump = { ...tunnel.config.target, name: 'jump' };
    const targetKey = tunnel.write('id_target', target.clientKey.privateKey);
    tunnel.set({
      jumps: [jump],
      target: {
        ...plainHop({
          name: 'target',
          host: '127.0.0.1',
          port: target.port,
          user: target.user,
          knownHostsFiles: jump.knownHostsFiles,
          algorithms: DEFAULT_ALGORITHMS,
        }),
        identityFiles: [targetKey],
        identityFileIsExplicit: true,
      },
    });
    const known = sshd.knownHostsLine('127.0.0.1', jump.port) + target.knownHostsLine();
    tunnel.write('known_hosts', known);
    const up = await tunnel.openUp();
    expect(up.facts.via).toEqual(['ProxyCommand', 'jump']);
    const client = await Client.connect(lab, up.localPort);
    await client.echo('over both');
    expect(sshd.counts().accepted).toBe(1);
    expect(target.counts().accepted).toBe(1);
    tunnel.post({ type: 'close', attempt: tunnel.attempt });
    await Promise.all([target.waitForSessions(0), sshd.waitForSessions(0), gone(netcat(sshd.port))]);
  });
});
