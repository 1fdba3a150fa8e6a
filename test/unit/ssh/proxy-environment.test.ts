import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mergePaths, readProxyEnvironment } from '../../../src/main/node/ssh/proxy-environment.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gangway-shell-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A login shell that runs this first, as a profile would, and then what it is asked to. */
function shellWith(profile: string): string {
  const path = join(dir, 'shell');
  writeFileSync(path, `#!/bin/sh\n${profile}\nshift\neval "$1"\n`, { mode: 0o755 });
  return path;
}

function read(shell: string | undefined, limitMs = 20_000) {
  return readProxyEnvironment({
    env: { PATH: '/usr/bin:/bin', ...(shell === undefined ? {} : { SHELL: shell }) },
    platform: 'linux',
    passwdShell: null,
    limitMs,
  });
}

describe.skipIf(process.platform === 'win32')('the environment of a ProxyCommand', () => {
  it('has the PATH of the login shell, and what only the app has after it', async () => {
    const shell = shellWith('PATH=/opt/brew/bin:/usr/bin');
    expect(await read(shell)).toEqual({ shell, path: '/opt/brew/bin:/usr/bin:/bin' });
  });

  it('is not misled by what a profile prints', async () => {
    const shell = shellWith('echo "PATH=/wrong"; echo welcome >&2; PATH=/right:$PATH');
    expect((await read(shell)).path).toBe('/right:/usr/bin:/bin');
  });

  it('asks a login shell, not any shell', async () => {
    const shell = shellWith('[ "$1" = -lc ] || exit 1; PATH=/login');
    expect((await read(shell)).path).toBe('/login:/usr/bin:/bin');
  });

  it.each([
    ['fails', 'exit 1'],
    ['says nothing', 'exit 0'],
    ['is killed', 'kill -9 $$'],
    ['talks without end', 'exec yes'],
  ])('stays as it was when the shell %s', async (_name, profile) => {
    const shell = shellWith(profile);
    expect(await read(shell)).toEqual({ shell, path: '/usr/bin:/bin' });
  });

  it('does not wait for a profile that hangs, and ends all of it', async () => {
    const file = join(dir, 'pids');
    const shell = shellWith(`sleep 86395 & echo $! > ${file}; wait`);
    expect((await read(shell, 1_000)).path).toBe('/usr/bin:/bin');
    const pid = Number(readFileSync(file, 'utf8'));
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it('does not wait for what a profile leaves running with its output', async () => {
    const shell = shellWith('sleep 86396 & PATH=/quick');
    const startedAtMs = performance.now();
    expect((await read(shell)).path).toBe('/quick:/usr/bin:/bin');
    expect(performance.now() - startedAtMs).toBeLessThan(15_000);
  });

  it('has a shell and a PATH without SHELL, and with one that is missing', async () => {
    expect((await read(undefined)).shell).toBe('/bin/sh');
    expect(await read('/no/such/shell')).toEqual({ shell: '/no/such/shell', path: '/usr/bin:/bin' });
    const env = { PATH: '/bin' };
    const passwd = await readProxyEnvironment({ env, platform: 'linux', passwdShell: '/bin/sh' });
    expect(passwd.shell).toBe('/bin/sh');
  });

  it('works with the shells of this machine', async () => {
    for (const shell of ['/bin/sh', '/bin/bash']) {
      expect((await read(shell)).path?.split(':')).toEqual(expect.arrayContaining(['/usr/bin', '/bin']));
    }
  });

  it('is the command interpreter on Windows, with PATH as it is', async () => {
    const env = { ComSpec: 'C:\\Windows\\system32\\cmd.exe', PATH: 'C:\\x' };
    expect(await readProxyEnvironment({ env, platform: 'win32', passwdShell: null })).toEqual({
      shell: 'C:\\Windows\\system32\\cmd.exe',
      path: null,
    });
  });
});

describe('merging PATHs', () => {
  it('keeps the order, drops what is empty or twice, and gives nothing for nothing', () => {
    expect(mergePaths('/a:/b', '/b::/c:/a')).toBe('/a:/b:/c');
    expect(mergePaths(null, '/a')).toBe('/a');
    expect(mergePaths(null, null)).toBeNull();
    expect(mergePaths('/a'.repeat(20_000), '/b')).toBeNull();
  });
});

/** A killed child whose parent is gone may stay as a zombie where nobody reaps; that runs no more. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
