import { describe, expect, it } from 'vitest';
import {
  HOST_KEY_ALGORITHMS,
  OFFERED_ALGORITHMS,
  orderHostKeyAlgorithms,
} from '../../../src/main/node/ssh/ssh-algorithms.ts';

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
    const ordered = orderHostKeyAlgorithms(new Set(known));
    expect(ordered[0]).toBe(first);
    expect([...ordered].sort()).toEqual([...HOST_KEY_ALGORITHMS].sort());
  });
});
