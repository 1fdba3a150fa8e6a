import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  appendKnownHost,
  loadKnownHosts,
  removeKnownHosts,
  rewriteKnownHosts,
} from '../../../src/main/node/ssh/known-hosts-file.ts';
import { withKnownKeys } from '../../../src/main/node/ssh/openssh/known-keys.ts';
import { judgeHostKey } from '../../../src/main/node/ssh/known-hosts.ts';
import { failure, type KnownHostKey } from '../../../src/shared/connection-failure.ts';
import { runChild } from '../../support/lab/child.ts';
import { createKeyPair, type KeyPair } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';

const MODULE = new URL('../../../src/main/node/ssh/known-hosts-file.ts', import.meta.url).href;
const isRoot = process.getuid?.() === 0;

let lab: Lab;
let dir: string;
let file: string;

beforeEach(async () => {
  lab = await createLab({ label: 'known-hosts-file' });
  dir = lab.folder('ssh');
  file = join(dir, 'known_hosts');
});
afterEach(() => lab.close());

function text(path = file): string {
  return readFileSync(path, 'latin1');
}

/** Everything in the folder but the file, its backup and what a test made: temporary files that were forgotten. */
function leftovers(...known: string[]): string[] {
  return readdirSync(dir).filter((name) => !['known_hosts', 'known_hosts.old', ...known].includes(name));
}

describe('adding a line to known_hosts', () => {
  it.each([
    ['an empty file', '', ''],
    ['a file with a newline at its end', 'a b c\n', ''],
    ['a file without a newline at its end', '# mine\na b c', '\n'],
    ['a file with CRLF', 'a b c\r\n\r\n', ''],
    ['a file that ends in a carriage return', 'a b c\r', '\n'],
    ['a file that is not text', '\u00ff\u00fe\0\u0080\n', ''],
  ])('keeps every byte of %s', async (_name, before, between) => {
    writeFileSync(file, before, 'latin1');
    chmodSync(file, 0o640);
    expect((await appendKnownHost(file, 'new line')).ok).toBe(true);
    expect(text()).toBe(`${before}${between}new line\n`);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(leftovers()).toEqual([]);
  });

  it('makes the folder and the file for their owner alone', async () => {
    const deep = join(dir, 'made', 'deeper', 'known_hosts');
    expect((await appendKnownHost(deep, 'x')).ok).toBe(true);
    expect(statSync(join(dir, 'made', 'deeper')).mode & 0o777).toBe(0o700);
    expect(statSync(deep).mode & 0o777).toBe(0o600);
  });

  it('follows a symbolic link and leaves it one', async () => {
    const real = join(dir, 'real');
    writeFileSync(real, 'a\n');
    symlinkSync('real', file);
    expect((await appendKnownHost(file, 'x')).ok).toBe(true);
    expect(text(real)).toBe('a\nx\n');
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
  });

  it('remembers nothing in /dev/null, and says that all is well', async () => {
    expect((await appendKnownHost('/dev/null', 'x')).ok).toBe(true);
    expect(await loadKnownHosts(['/dev/null'])).toEqual({ ok: true, value: [] });
  });

  it('says that the disk is full', async () => {
    expect(await appendKnownHost('/dev/full', 'x')).toMatchObject({
      ok: false,
      error: { code: 'known-hosts-unwritable', facts: { path: '/dev/full', detail: 'ENOSPC' } },
    });
  });

  it('says that a folder stands in the way', async () => {
    mkdirSync(file);
    expect(await appendKnownHost(file, 'x')).toMatchObject({
      ok: false,
      error: { facts: { detail: 'EISDIR' } },
    });
  });

  it('leaves no half line behind where a file may not grow any further', () => {
    writeFileSync(file, 'a b c\n');
    // 512 bytes at most: the first write stops half-way, as on a disk that fills up.
    const script = `
      process.on('SIGXFSZ', () => {});
      const { appendKnownHost } = await import(${JSON.stringify(MODULE)});
      console.log(JSON.stringify(await appendKnownHost(process.argv[1], 'x'.repeat(2000))));`;
    const child = spawnSync(
      'sh',
      ['-c', 'ulimit -f 1; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script, file],
      { encoding: 'utf8' },
    );
    expect(child.stdout, child.stderr).toContain('known-hosts-unwritable');
    expect(text()).toBe('a b c\n');
  });

  it('says that it may not write, and changes nothing', (context) => {
    if (!isRoot) {
      context.skip('Only root can start a process of another user.');
      return;
    }
    writeFileSync(file, 'a\n', { mode: 0o444 });
    const script = `
      const { appendKnownHost, rewriteKnownHosts } = await import(${JSON.stringify(MODULE)});
      process.setgid(65534);
      process.setuid(65534);
      console.log(JSON.stringify(await appendKnownHost(process.argv[1], 'x')));
      console.log(JSON.stringify(await rewriteKnownHosts(process.argv[1], () => 'y')));`;
    // Others may look for the file, and no more.
    for (let parent = dir; parent !== '/' && parent !== '/tmp'; parent = join(parent, '..'))
      chmodSync(parent, 0o755);
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script, file], {
      encoding: 'utf8',
    });
    const denied = {
      ok: false,
      error: { code: 'known-hosts-unwritable', facts: { path: file, detail: 'EACCES' } },
    };
    expect(
      child.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([denied, denied]);
    expect(text()).toBe('a\n');
    expect(leftovers()).toEqual([]);
  });

  it('loses no line of two processes that write at once', async () => {
    const count = 200;
    const script = `
      const { appendKnownHost } = await import(${JSON.stringify(MODULE)});
      for (let i = 0; i < ${count}; i += 1) {
        const added = await appendKnownHost(process.argv[1], process.argv[2] + '-' + i + ' ' + 'k'.repeat(400));
        if (!added.ok) process.exit(1);
      }`;
    const ends = await Promise.all(
      ['a', 'b'].map((name) =>
        runChild({ command: process.execPath, args: ['--input-type=module', '-e', script, file, name] }),
      ),
    );
    expect(ends.map((end) => end.code)).toEqual([0, 0]);
    const lines = text()
      .split('\n')
      .filter((line) => line !== '');
    const expected = ['a', 'b'].flatMap((name) =>
      Array.from({ length: count }, (_, index) => `${name}-${index} ${'k'.repeat(400)}`),
    );
    expect(lines.toSorted()).toEqual(expected.toSorted());
  }, 60_000);
});

describe('reading known_hosts', () => {
  it('takes a missing file for an empty one, and refuses what is no file', async () => {
    expect(await loadKnownHosts([file])).toEqual({ ok: true, value: [] });
    expect(await loadKnownHosts([dir])).toMatchObject({
      ok: false,
      error: { code: 'known-hosts-unreadable' },
    });
    execFileSync('mkfifo', [file]);
    expect(await loadKnownHosts([file])).toMatchObject({
      ok: false,
      error: { code: 'known-hosts-unreadable' },
    });
  });
});

describe('removing the keys of a changed host', () => {
  let old: KeyPair;
  let other: KeyPair;
  beforeEach(() => {
    old = createKeyPair();
    other = createKeyPair({ type: 'ecdsa' });
  });

  function named(line: number, key = old, path = file): KnownHostKey {
    const [keyType = ''] = key.publicKey.split(' ');
    return { keyType, fingerprint: key.fingerprint, file: path, line };
  }

  const line = (host: string, key: KeyPair): string => `${host} ${key.publicKey}`;

  it('takes exactly the named lines out, keeps every other byte, and the text before in .old', async () => {
    const before = [
      '# mine \u00e9\r\n',
      `${line('h', old)}\r\n`,
      '\tbroken line\0\n',
      `${line('h', other)}\n`,
      `${line('g', old)}\n`,
      `${line('*.h,h', old)}\n`,
      'no newline at the end',
    ];
    writeFileSync(file, before.join(''), 'latin1');
    chmodSync(file, 0o644);
    expect((await removeKnownHosts([named(2), named(6)])).ok).toBe(true);
    expect(text()).toBe(before.filter((_line, index) => index !== 1 && index !== 5).join(''));
    expect(text(`${file}.old`)).toBe(before.join(''));
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(leftovers()).toEqual([]);
  });

  it('leaves what ssh-keygen -R leaves', async () => {
    const before = `${line('g', old)}\n${line('h', old)}\n# x\n${line('h', other)}\n`;
    writeFileSync(file, before);
    const copy = join(dir, 'copy');
    writeFileSync(copy, before);
    execFileSync('ssh-keygen', ['-R', 'h', '-f', copy], { stdio: 'ignore' });
    expect((await removeKnownHosts([named(2), named(4, other)])).ok).toBe(true);
    expect(text()).toBe(text(copy));
    expect(text(`${file}.old`)).toBe(text(`${copy}.old`));
  });

  it('removes the last line, with or without its newline, and no other newline', async () => {
    writeFileSync(file, `a\n${line('h', old)}`);
    await removeKnownHosts([named(2)]);
    expect(text()).toBe('a\n');
    writeFileSync(file, `a\n${line('h', old)}\n`);
    await removeKnownHosts([named(2)]);
    expect(text()).toBe('a\n');
  });

  it('leaves a line that holds another key by now, and a revocation', async () => {
    const before = `${line('h', other)}\n@revoked ${line('h', old)}\n`;
    writeFileSync(file, before);
    expect((await removeKnownHosts([named(1), named(2), named(99)])).ok).toBe(true);
    expect(text()).toBe(before);
    expect(existsSync(`${file}.old`)).toBe(false);
  });

  it('works in several files, through symbolic links that stay links', async () => {
    const real = join(dir, 'real');
    const second = join(dir, 'second');
    writeFileSync(real, `${line('h', old)}\n`);
    writeFileSync(second, `# x\n${line('h', old)}\n`);
    symlinkSync('real', file);
    expect((await removeKnownHosts([named(1), named(2, old, second)])).ok).toBe(true);
    expect(text(real)).toBe('');
    expect(text(second)).toBe('# x\n');
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(text(`${real}.old`)).not.toBe('');
    expect(leftovers('real', 'real.old', 'second', 'second.old')).toEqual([]);
  });

  it('keeps the owner of the file', async (context) => {
    if (!isRoot) {
      context.skip('Only root can give a file away.');
      return;
    }
    writeFileSync(file, `${line('h', old)}\n`);
    chownSync(file, 65_534, 65_534);
    await removeKnownHosts([named(1)]);
    expect(statSync(file)).toMatchObject({ uid: 65_534, gid: 65_534 });
  });

  it('makes the host an unknown one again', async () => {
    writeFileSync(file, `${line('h', old)}\n`);
    const fresh = Buffer.from(createKeyPair().publicKey.split(' ')[1] ?? '', 'base64');
    const judge = async (): Promise<string> => {
      const entries = await loadKnownHosts([file]);
      return entries.ok ? judgeHostKey(entries.value, 'h', 22, fresh).type : entries.error.code;
    };
    expect(await judge()).toBe('changed');
    await removeKnownHosts([named(1)]);
    expect(await judge()).toBe('unknown');
  });
});

describe('rewriting known_hosts', () => {
  it('starts anew when another program writes meanwhile, and loses nothing of it', async () => {
    writeFileSync(file, 'a\nb\n');
    let runs = 0;
    const written = await rewriteKnownHosts(file, (before) => {
      runs += 1;
      if (runs === 1) writeFileSync(file, `${before}c\n`);
      return before.replace('a\n', '');
    });
    expect(written).toEqual({ ok: true, value: true });
    expect(runs).toBe(2);
    expect(text()).toBe('b\nc\n');
    expect(leftovers()).toEqual([]);
  });

  it('gives up on a file that never rests, and leaves it to the other', async () => {
    writeFileSync(file, 'a\n');
    const written = await rewriteKnownHosts(file, (before) => {
      writeFileSync(file, `${before}b\n`);
      return '';
    });
    expect(written).toMatchObject({ ok: false, error: { code: 'known-hosts-unwritable' } });
    expect(text()).toMatch(/^a\n(b\n)+$/);
    expect(leftovers()).toEqual([]);
  });

  it('leaves alone what is missing, what is a device, and what does not change', async () => {
    expect(await rewriteKnownHosts(file, () => 'x')).toEqual({ ok: true, value: false });
    expect(await rewriteKnownHosts('/dev/null', () => 'x')).toEqual({ ok: true, value: false });
    writeFileSync(file, 'a');
    expect(await rewriteKnownHosts(file, (before) => before)).toEqual({ ok: true, value: false });
    expect(leftovers()).toEqual([]);
    expect(existsSync(`${file}.old`)).toBe(false);
  });
});

describe('the lines that ssh names for a changed key', () => {
  it('are only those of that host, in its own files, with another key than the one shown', async () => {
    const [old, other, shown] = [createKeyPair(), createKeyPair(), createKeyPair()];
    const entry = (host: string, key: KeyPair): string =>
      `${host} ${key.publicKey.split(' ').slice(0, 2).join(' ')}\n`;
    writeFileSync(file, entry('gw', old) + entry('other', other) + entry('gw', shown));
    const elsewhere = join(dir, 'elsewhere');
    writeFileSync(elsewhere, entry('gw', old));
    const named = (path: string, line: number): KnownHostKey => {
      return { keyType: 'ED25519', fingerprint: '', file: path, line };
    };
    const said = failure('host-key-changed', {
      host: 'gw',
      port: 22,
      keyType: 'ssh-ed25519',
      offeredFingerprint: shown.fingerprint,
      known: [named(file, 1), named(file, 2), named(file, 3), named(file, 9), named(elsewhere, 1)],
    });
    const told = await withKnownKeys(said, [file]);
    expect(told.code === 'host-key-changed' ? told.facts.known : null).toEqual([
      { keyType: 'ssh-ed25519', fingerprint: old.fingerprint, file, line: 1 },
    ]);
  });
});
