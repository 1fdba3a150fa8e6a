import { describe, expect, it } from 'vitest';
import {
  classifyClose,
  classifyForwardError,
  classifySshError,
  classifyTimeout,
  printable,
  type RawSshError,
  type SshErrorContext,
  type SshPhase,
} from '../../../src/main/node/ssh/ssh-errors.ts';

function context(phase: SshPhase, received = ''): SshErrorContext {
  return {
    phase,
    host: 'h',
    port: 22,
    user: 'u',
    dnsLimitMs: 5_000,
    connectLimitMs: 10_000,
    received: Buffer.from(received, 'latin1'),
    tried: ['key'],
    offered: ['publickey'],
  };
}

describe('what an error means', () => {
  it.each<[string, SshPhase, RawSshError, string]>([
    ['no such name', 'dns', { message: '', code: 'ENOTFOUND' }, 'host-not-found'],
    ['a resolver that does not answer', 'dns', { message: '', code: 'EAI_AGAIN' }, 'dns-timeout'],
    ['a closed port', 'connect', { message: '', code: 'ECONNREFUSED' }, 'ssh-refused'],
    ['no route', 'connect', { message: '', code: 'EHOSTUNREACH' }, 'ssh-unreachable'],
    ['no network', 'connect', { message: '', code: 'ENETUNREACH' }, 'ssh-unreachable'],
    ['a TCP timeout of the system', 'connect', { message: '', code: 'ETIMEDOUT' }, 'ssh-timeout'],
    ['a reset at once', 'connect', { message: '', code: 'ECONNRESET' }, 'ssh-rejecting'],
    [
      'several addresses, one of which refused',
      'connect',
      {
        message: '',
        errors: [
          { message: '', code: 'ENETUNREACH' },
          { message: '', code: 'ECONNREFUSED' },
        ],
      },
      'ssh-refused',
    ],
    [
      'a reset before the banner',
      'banner',
      { message: 'read ECONNRESET', code: 'ECONNRESET' },
      'ssh-rejecting',
    ],
    [
      'an end before the banner',
      'banner',
      { message: 'Connection lost before handshake', level: 'protocol' },
      'ssh-rejecting',
    ],
    ['a foreign version', 'banner', { message: 'Invalid identification string' }, 'ssh-handshake-failed'],
    [
      'no common algorithm',
      'key-exchange',
      { message: 'Handshake failed: no matching key exchange algorithm', level: 'handshake' },
      'ssh-no-common-algorithm',
    ],
    ['a reset in the key exchange', 'key-exchange', { message: 'x', code: 'ECONNRESET' }, 'link-lost'],
    [
      'a wrong host key signature',
      'key-exchange',
      { message: 'Handshake failed: signature verification failed' },
      'link-corrupted',
    ],
    [
      'all methods refused',
      'auth',
      { message: 'All configured authentication methods failed', level: 'client-authentication' },
      'auth-rejected',
    ],
    ['too many tries', 'auth', { message: 'Too many authentication failures', code: 2 }, 'auth-too-many'],
    ['a lost link while logging in', 'auth', { message: 'x', code: 'ECONNRESET' }, 'link-lost'],
    ['a wrong MAC', 'up', { message: 'Invalid MAC' }, 'link-corrupted'],
    [
      'a wrong tag (OpenSSL)',
      'up',
      { message: 'Unsupported state or unable to authenticate data' },
      'link-corrupted',
    ],
    ['an impossible length', 'up', { message: 'Bad packet length: 123' }, 'link-corrupted'],
    ['the server’s own check', 'up', { message: 'Packet corrupt', code: 2 }, 'link-corrupted'],
    ['a reset', 'up', { message: 'read ECONNRESET', code: 'ECONNRESET' }, 'link-lost'],
    ['the server shutting down', 'up', { message: 'Disconnected by host', code: 11 }, 'link-lost'],
  ])('%s', (_name, phase, error, code) => {
    expect(classifySshError(error, context(phase)).code).toBe(code);
  });

  it.each<[SshPhase, string, string]>([
    ['dns', '', 'dns-timeout'],
    ['connect', '', 'ssh-timeout'],
    ['banner', '', 'ssh-handshake-timeout'],
    ['banner', 'HTTP/1.1 400\r\n', 'not-ssh'],
    ['banner', 'SS', 'ssh-handshake-timeout'],
    ['key-exchange', 'SSH-2.0-x\r\n', 'ssh-handshake-timeout'],
    ['auth', 'SSH-2.0-x\r\n', 'link-dead'],
  ])('a limit that passes in phase %s after %j is %s', (phase, received, code) => {
    expect(classifyTimeout(context(phase, received)).code).toBe(code);
  });

  it.each<[string, string]>([
    ['', 'ssh-rejecting'],
    ['Exceeded MaxStartups\r\n', 'ssh-rejecting'],
    ['Not allowed at this time\r\n', 'ssh-rejecting'],
    ['HTTP/1.0 200 OK\r\n', 'not-ssh'],
    ['\u0015\u0003\u0001', 'not-ssh'],
  ])('a close after %j is %s', (received, code) => {
    expect(classifyClose(context('banner', received)).code).toBe(code);
  });

  it.each([
    [1, 'forwarding-disabled'],
    [2, 'gateway-not-listening'],
    [3, 'forwarding-disabled'],
    [4, 'gateway-not-listening'],
    ['', 'gateway-not-listening'],
    [undefined, 'link-lost'],
  ])('a refused forward with reason %j is %s', (reason, code) => {
    expect(classifyForwardError({ message: 'x', reason }, 'h', 1).code).toBe(code);
  });

  it('keeps control characters and length of foreign bytes in bounds', () => {
    const shown = printable(Buffer.from(`\u001b[31m\r\n\u0000${'x'.repeat(500)}`, 'latin1'));
    expect(shown).toMatch(/^\\x1b\[31m\\r\\n\\x00x+…$/);
    expect(shown.length).toBeLessThan(120);
  });

  it('keeps a long message in bounds', () => {
    const why = classifySshError({ message: `${'y'.repeat(5_000)}\u0007` }, context('up'));
    expect(JSON.stringify(why).length).toBeLessThan(400);
  });
});
