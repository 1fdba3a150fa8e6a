import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import {
  HOST_KEY_ALGORITHMS,
  OFFERED_ALGORITHMS,
  orderHostKeyAlgorithms,
  SSH2_ALGORITHMS,
} from '../../../src/main/node/ssh/ssh-algorithms.ts';
import { chooseAlgorithms } from '../../../src/main/node/ssh/config/algorithm-lists.ts';

describe('the algorithms on offer', () => {
  it('hold no SHA-1, no Diffie-Hellman group, no CBC and nothing that Terrapin bites', () => {
    const all = [...Object.values(OFFERED_ALGORITHMS).flat(), ...HOST_KEY_ALGORITHMS];
    for (const name of all)
      expect(name).not.toMatch(/sha1|diffie-hellman|cbc|chacha20|^ssh-rsa$|^ssh-dss$|md5/);
  });

  it.each([
    ['nothing on file', [], 'ssh-ed25519'],
    ['the best type on file', ['ssh-ed25519', 'ssh-rsa'], 'ssh-ed25519'],
    ['RSA on file', ['ssh-rsa'], 'rsa-sha2-512'],
    ['ECDSA on file', ['ecdsa-sha2-nistp384'], 'ecdsa-sha2-nistp384'],
    ['a type that we do not speak on file', ['ssh-dss'], 'ssh-ed25519'],
  ])('start with a type that can be checked: %s', (_name, known, first) => {
    const ordered = orderHostKeyAlgorithms(HOST_KEY_ALGORITHMS, new Set(known));
    expect(ordered[0]).toBe(first);
    expect([...ordered].sort()).toEqual([...HOST_KEY_ALGORITHMS].sort());
  });

  it('stay within the user’s own list', () => {
    expect(orderHostKeyAlgorithms(['rsa-sha2-256', 'ssh-ed25519'], new Set(['ssh-ed25519']))).toEqual([
      'ssh-ed25519',
      'rsa-sha2-256',
    ]);
  });

  it('that a configuration may name are known to ssh2', () => {
    const supported = createRequire(import.meta.url)('ssh2/lib/protocol/constants.js') as Record<
      string,
      string[]
    >;
    for (const [kind, list] of [
      ['kex', 'SUPPORTED_KEX'],
      ['cipher', 'SUPPORTED_CIPHER'],
      ['hmac', 'SUPPORTED_MAC'],
      ['serverHostKey', 'SUPPORTED_SERVER_HOST_KEY'],
    ] as const) {
      expect(supported[list]).toEqual(expect.arrayContaining([...SSH2_ALGORITHMS[kind]]));
    }
  });
});

describe('the algorithms of a configuration', () => {
  const defaults = new Map([
    ['ciphers', ['chacha20-poly1305@openssh.com,aes128-ctr']],
    ['pubkeyacceptedalgorithms', ['ssh-ed25519,rsa-sha2-512']],
  ]);
  const choose = (keyword: string, value: string) =>
    chooseAlgorithms(new Map([[keyword, [value]]]), defaults);

  it('are our own where it says nothing else than OpenSSH does', () => {
    const { algorithms, impossible } = chooseAlgorithms(defaults, defaults);
    expect(algorithms.cipher).toEqual(OFFERED_ALGORITHMS.cipher);
    expect(impossible).toEqual([]);
  });

  it('are in its order, old ones only where it names them', () => {
    expect(
      choose('ciphers', 'aes128-cbc,chacha20-poly1305@openssh.com,aes256-ctr').algorithms.cipher,
    ).toEqual(['aes128-cbc', 'aes256-ctr']);
  });

  it.each([
    ['ciphers', 'chacha20-poly1305@openssh.com', 'Ciphers chacha20-poly1305@openssh.com'],
    ['kexalgorithms', 'mlkem768x25519-sha256', 'KexAlgorithms mlkem768x25519-sha256'],
    [
      'hostkeyalgorithms',
      'ssh-ed25519-cert-v01@openssh.com',
      'HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com',
    ],
    [
      'pubkeyacceptedalgorithms',
      'sk-ssh-ed25519@openssh.com',
      'PubkeyAcceptedAlgorithms sk-ssh-ed25519@openssh.com',
    ],
    ['pubkeyacceptedalgorithms', 'ssh-ed25519,rsa-sha2-512,ssh-rsa', 'PubkeyAcceptedAlgorithms ssh-rsa'],
  ])('are a reason for OpenSSH where ssh2 knows none: %s %s', (keyword, value, reason) => {
    expect(choose(keyword, value).impossible).toEqual([reason]);
  });
});
