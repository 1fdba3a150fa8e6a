import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseKeyFile } from '../../../src/main/node/ssh/private-key-file.ts';
import { openPpk, readPpk } from '../../../src/main/node/ssh/ppk.ts';

/** Made by PuTTYgen 0.78 with the passphrase `pw`; opens nothing anywhere. */
const ENCRYPTED = `PuTTY-User-Key-File-3: ssh-ed25519
Encryption: aes256-cbc
Comment: a comment
Public-Lines: 2
AAAAC3NzaC1lZDI1NTE5AAAAIDHvrIlo7k+FhF6oGTDyua22f2SWxaTm3Cw3spjp
cZ8/
Key-Derivation: Argon2id
Argon2-Memory: 8192
Argon2-Passes: 21
Argon2-Parallelism: 1
Argon2-Salt: 215e1395a80307ea702c2ec528669a42
Private-Lines: 1
J1LLFMTsiGcFUT/YIm+JiFyNJxG4L+V0tPGsCVFvivclkGjMR384rK7OIDJHNgsH
Private-MAC: efaf1e7b3d601f12274d344d87786d9b3648e68c8fb4b4fdd88427e4d8731ccc
`;

describe("PuTTY's key file", () => {
  it('opens with its passphrase and with no other', async () => {
    expect((await parseKeyFile(ENCRYPTED, 'pw')).type).toBe('private');
    expect((await parseKeyFile(ENCRYPTED, 'pW')).type).toBe('encrypted');
    expect((await parseKeyFile(ENCRYPTED, '')).type).toBe('encrypted');
  });

  it('shows its public half without a passphrase', async () => {
    const parsed = await parseKeyFile(ENCRYPTED, null);
    const blob = parsed.type === 'encrypted' ? parsed.blob?.toString('base64') : undefined;
    expect(blob).toBe('AAAAC3NzaC1lZDI1NTE5AAAAIDHvrIlo7k+FhF6oGTDyua22f2SWxaTm3Cw3spjpcZ8/');
  });

  it('may have line ends of any system', () => {
    expect(readPpk(ENCRYPTED.replaceAll('\n', '\r\n'))).toEqual(readPpk(ENCRYPTED));
    expect(readPpk(ENCRYPTED.replaceAll('\n', '\r'))).toEqual(readPpk(ENCRYPTED));
  });

  it.each([
    ['the comment', 'a comment', 'b comment'],
    ['the public key', 'cZ8/', 'cZ8+'],
    ['the private key', 'J1LL', 'J1LM'],
  ])('is refused where %s was changed', async (_what, from, to) => {
    const file = readPpk(ENCRYPTED.replace(from, to));
    expect(file).not.toBeNull();
    if (file !== null) expect((await openPpk(file, 'pw')).type).toBe('wrong-passphrase');
  });

  it.each([
    ['memory', 'Argon2-Memory: 8192', 'Argon2-Memory: 99999999'],
    ['passes', 'Argon2-Passes: 21', 'Argon2-Passes: 999999999'],
    ['threads', 'Argon2-Parallelism: 1', 'Argon2-Parallelism: 99999'],
    ['lines', 'Private-Lines: 1', 'Private-Lines: 999999999'],
    ['no pass', 'Argon2-Passes: 21', 'Argon2-Passes: 0'],
  ])('that asks for too much is not begun with: %s', (_what, from, to) => {
    expect(readPpk(ENCRYPTED.replace(from, to))).toBeNull();
  });

  it('of any content neither throws nor hangs', async () => {
    const lines = ENCRYPTED.split('\n');
    const damaged = fc
      .tuple(fc.nat({ max: lines.length - 1 }), fc.string({ maxLength: 20 }))
      .map(([index, text]) => lines.map((line, at) => (at === index ? text : line)).join('\n'));
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, fc.string()), async (text) => {
        const parsed = await parseKeyFile(text, null);
        expect(['encrypted', 'unreadable', 'public']).toContain(parsed.type);
      }),
      { numRuns: 300 },
    );
  });
});
