import { describe, expect, it } from 'vitest';
import { failure } from '../../../src/shared/connection-failure.ts';
import { plainHop } from '../../../src/main/core/tunnel/plain-hop.ts';
import { HostKeyCheck } from '../../../src/main/node/ssh/host-key-check.ts';
import { formatEntry, parseKnownHosts } from '../../../src/main/node/ssh/known-hosts.ts';
import { wireString } from '../../../src/main/node/ssh/ssh-wire-reader.ts';

const key = (fill: number): Buffer =>
  Buffer.concat([wireString('ssh-ed25519'), wireString(Buffer.alloc(32, fill))]);

const hop = plainHop({
  name: 'gw',
  host: 'gw.example',
  port: 22,
  user: 'ada',
  knownHostsFiles: { user: ['/known_hosts'], global: [] },
  algorithms: { kex: [], cipher: [], hmac: [], serverHostKey: [] },
});

describe('another host key in a later key exchange', () => {
  it('ends the link, and names no line of a file that somebody could remove for it', () => {
    const known = parseKnownHosts(`${formatEntry('gw.example', 22, key(1))}\n`, '/known_hosts');
    const check = new HostKeyCheck(hop, known, []);
    expect(check.isTrusted(key(1))).toBe(true);
    expect(check.isTrusted(key(1))).toBe(true);
    expect(check.isTrusted(key(2))).toBe(false);
    expect(check.denial).toEqual({
      type: 'failed',
      failure: failure('link-lost', {
        host: 'gw.example',
        detail: 'the server showed another host key than before',
      }),
    });
  });

  it('is refused as well where the other key is on file too', () => {
    const lines = [key(1), key(2)].map((blob) => formatEntry('gw.example', 22, blob)).join('\n');
    const check = new HostKeyCheck(hop, parseKnownHosts(`${lines}\n`, '/known_hosts'), []);
    expect(check.isTrusted(key(1))).toBe(true);
    expect(check.isTrusted(key(2))).toBe(false);
  });
});
