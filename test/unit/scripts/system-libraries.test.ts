import { describe, expect, it } from 'vitest';
import { explainAptFailure, namesHere } from '../../../scripts/lib/apt.mjs';
import { missingLibraries, notInLinkerCache, packagesFor } from '../../../scripts/lib/system-libraries.mjs';

const LDD = `
	linux-vdso.so.1 (0x00007ffd3a5f2000)
	libffmpeg.so => /opt/electron/libffmpeg.so (0x00007f2d70dc0000)
	libgtk-3.so.0 => not found
	libgbm.so.1 => not found
	libnss3.so => /lib/x86_64-linux-gnu/libnss3.so (0x00007f2d6f000000)
	libgbm.so.1 => not found
	/lib64/ld-linux-x86-64.so.2 (0x00007f2d71ac0000)
`;

describe('system libraries', () => {
  it('takes from ldd what is not found, each once', () => {
    expect(missingLibraries(LDD)).toEqual(['libgtk-3.so.0', 'libgbm.so.1']);
    expect(missingLibraries('\tnot a dynamic executable\n')).toEqual([]);
  });

  it('names one package for libraries that share it, and says which library it does not know', () => {
    expect(packagesFor(['libnss3.so', 'libsmime3.so', 'libgtk-3.so.0', 'libfuture.so.9'])).toEqual({
      packages: ['libnss3', 'libgtk-3-0'],
      unknown: ['libfuture.so.9'],
    });
  });

  it('looks for libraries that are opened by name in the cache of the dynamic linker', () => {
    const cache =
      '2 libs found in cache\n\tlibsecret-1.so.0 (libc6,x86-64) => /lib/x86_64-linux-gnu/libsecret-1.so.0\n';
    expect(notInLinkerCache(['libsecret-1.so.0', 'libnotify.so.4'], cache)).toEqual(['libnotify.so.4']);
  });

  it('reports nothing where the linker has no readable cache', () => {
    expect(notInLinkerCache(['libsecret-1.so.0'], undefined)).toEqual([]);
  });

  it('takes the t64 name where only that one can be installed', () => {
    const policy = (name: string) =>
      name === 'libgtk-3-0t64' || name === 'libnss3'
        ? `${name}:\n  Installed: (none)\n  Candidate: 1.0\n`
        : `${name}:\n  Installed: (none)\n  Candidate: (none)\n`;
    expect(namesHere(['libgtk-3-0', 'libnss3', 'libnowhere'], policy)).toEqual([
      'libgtk-3-0t64',
      'libnss3',
      'libnowhere',
    ]);
  });

  it.each([
    ['E: You don’t matter\nE: Write error - write (28: No space left on device)', 'the disk is full'],
    ['E: Could not get lock /var/lib/dpkg/lock-frontend.', 'another package manager'],
    ['E: Unable to locate package xvfb', 'no package xvfb'],
    [
      'Err:1 http://deb.example bookworm\n  Temporary failure resolving',
      'the package mirror cannot be reached',
    ],
    ['E: Sub-process /usr/bin/dpkg returned an error code (1)', 'dpkg returned an error code'],
  ])('turns what apt-get says into one sentence with a remedy: %s', (output, part) => {
    const error = explainAptFailure(output, 'install');
    expect(error.message).toContain(part);
    expect(error.message).not.toContain('\n');
    expect(error.remedy).toMatch(/run the same command again\.$/);
  });
});
