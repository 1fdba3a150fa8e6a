import { describe, expect, it } from 'vitest';
import { plainHop } from '../../../src/main/core/tunnel/plain-hop.ts';
import { failureOfJump, questionOfJump } from '../../../src/main/node/ssh/jump-names.ts';
import { whyOfJump, withJumpName } from '../../../src/main/node/ssh/openssh/openssh-jumps.ts';
import { failure } from '../../../src/shared/connection-failure.ts';
import type { TunnelConfig } from '../../../src/main/core/tunnel/tunnel-protocol.ts';

const hop = (name: string, port: number, host = '127.0.0.1') =>
  plainHop({
    name,
    host,
    port,
    user: 'ada',
    knownHostsFiles: { user: ['/known_hosts'], global: [] },
    algorithms: { kex: [], cipher: [], hmac: [], serverHostKey: [] },
  });
const one = hop('bridge-one', 2201);
const two = hop('bridge-two', 2202);
const target = hop('homelab', 2203);
const config = { jumps: [one, two], target } as unknown as TunnelConfig;
const key = { keyType: 'ssh-ed25519', fingerprint: 'SHA256:a', knownHostsFile: '/known_hosts' };
const keyAsked = (port: number) =>
  ({ type: 'host-key', jump: null, host: '127.0.0.1', port, ...key, otherKnownTypes: [] }) as const;
const passwordAsked = (host: string) =>
  ({ type: 'password', jump: null, user: 'ada', host, wasWrong: false }) as const;

describe('a jump host', () => {
  it('asks under its own name, and trust still goes by its address', () => {
    expect(questionOfJump(keyAsked(2201), one)).toEqual({ ...keyAsked(2201), jump: 'bridge-one' });
    const passphrase = { type: 'passphrase', keyPath: '/id', wasWrong: false } as const;
    expect(questionOfJump(passphrase, one)).toBe(passphrase);
  });

  it('fails under its own name, with its address where that is another', () => {
    const refused = failure('ssh-refused', { host: '127.0.0.1', port: 2201 });
    expect(failureOfJump(refused, one).facts).toEqual({ host: 'bridge-one (127.0.0.1)', port: 2201 });
    expect(failureOfJump(refused, hop('127.0.0.1', 2201))).toEqual(refused);
    const ofKey = failure('key-unreadable', { path: '/id', reason: 'missing' });
    expect(failureOfJump(ofKey, one)).toEqual(ofKey);
  });

  it('keeps the address of a changed key, which is what is removed', () => {
    const facts = { host: '127.0.0.1', port: 2201, keyType: '', offeredFingerprint: '', known: [] };
    expect(failureOfJump(failure('host-key-changed', facts), one).facts).toEqual({
      ...facts,
      jump: 'bridge-one',
    });
  });
});

describe('a jump host by the system ssh', () => {
  it('is known by the port of its key, and by the alias of its password', () => {
    expect(withJumpName(keyAsked(2202), config)).toMatchObject({ jump: 'bridge-two', host: '127.0.0.1' });
    expect(withJumpName(keyAsked(2203), config)).toMatchObject({ jump: null });
    expect(withJumpName(passwordAsked('bridge-one'), config)).toMatchObject({ jump: 'bridge-one' });
  });

  it('is not guessed where several hops can be meant', () => {
    expect(withJumpName(passwordAsked('127.0.0.1'), config)).toMatchObject({ jump: null });
  });

  it('is named with the port of its own configuration where another cannot reach it', () => {
    const why = failure('jump-unreachable', { jump: 'bridge-one', host: 'bridge-two', port: 22, detail: '' });
    expect(whyOfJump(why, two).facts).toEqual({
      jump: 'bridge-one',
      host: 'bridge-two (127.0.0.1)',
      port: 2202,
      detail: '',
    });
    expect(whyOfJump(why, hop('other', 1, 'other.example'))).toBe(why);
  });
});
