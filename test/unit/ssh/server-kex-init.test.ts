import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readServerKexInit } from '../../../src/main/node/ssh/server-kex-init.ts';
import { wireString } from '../../../src/main/node/ssh/ssh-wire-reader.ts';

function packet(lists: readonly string[]): Buffer {
  const head = [Buffer.from([4, 20]), Buffer.alloc(16)];
  const tail = [Buffer.alloc(5), Buffer.alloc(4)];
  return wireString(Buffer.concat([...head, ...lists.map((list) => wireString(list)), ...tail]));
}

const LISTS = [
  'mlkem768x25519-sha256,kex-strict-s-v00@openssh.com,ext-info-s',
  'ssh-ed25519',
  'aes256-ctr',
  'aes128-ctr',
  'hmac-sha1',
  'hmac-md5',
  'none',
  'zlib',
  '',
  '',
];

describe("the server's first key exchange message", () => {
  it('is found behind the identification line and what may stand before that', () => {
    const head = Buffer.from('a greeting\r\nSSH-2.0-Test_1\r\n');
    expect(readServerKexInit(Buffer.concat([head, packet(LISTS)]))).toEqual({
      'key exchange': ['mlkem768x25519-sha256'],
      'host key': ['ssh-ed25519'],
      cipher: ['aes256-ctr'],
      mac: ['hmac-sha1'],
      compression: ['none'],
    });
  });

  it('is nothing while a part is missing', () => {
    const whole = Buffer.concat([Buffer.from('SSH-2.0-x\n'), packet(LISTS)]);
    for (let length = 0; length < whole.length; length += 1) {
      expect(readServerKexInit(whole.subarray(0, length))).toBeNull();
    }
  });

  it('may be anything without harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const received = Buffer.concat([Buffer.from('SSH-2.0-x\n'), bytes]);
        expect(() => readServerKexInit(received)).not.toThrow();
      }),
    );
  });
});
