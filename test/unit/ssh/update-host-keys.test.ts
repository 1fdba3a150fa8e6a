import { describe, expect, it } from 'vitest';
import { parseKnownHosts } from '../../../src/main/node/ssh/known-hosts.ts';
import { fingerprintOf } from '../../../src/main/node/ssh/public-key-blob.ts';
import {
  planHostKeyUpdate,
  updatedText,
  type HostKeyUpdate,
  type ProvenHostKeys,
} from '../../../src/main/node/ssh/update-host-keys.ts';

/** What the comparison with the real client cannot show: servers that misbehave, and keys that ssh2 cannot read. */

function strings(...values: readonly Buffer[]): Buffer {
  return Buffer.concat(
    values.flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

function ed25519(fill: number): Buffer {
  return strings(Buffer.from('ssh-ed25519'), Buffer.alloc(32, fill));
}

const CURRENT = ed25519(1);
const OLD = ed25519(2);
const NEW = ed25519(3);
const SECURITY_KEY = strings(
  Buffer.from('sk-ssh-ed25519@openssh.com'),
  Buffer.alloc(32, 4),
  Buffer.from('ssh:'),
);
const ALGORITHMS = ['ssh-ed25519', 'rsa-sha2-512'];

function line(key: Buffer, hosts = 'h'): string {
  return `${hosts} ${key.toString('latin1', 4, 4 + key.readUInt32BE(0))} ${key.toString('base64')}\n`;
}

function proving(...proven: readonly Buffer[]): ProvenHostKeys {
  return { host: 'h', port: 22, accepted: CURRENT, proven };
}

function plan(text: string, keys: ProvenHostKeys): HostKeyUpdate {
  return planHostKeyUpdate(parseKnownHosts(text, 'kh'), keys, ALGORITHMS);
}

function rewritten(text: string, keys: ProvenHostKeys, isFirst = true): string {
  return updatedText(text, keys, { offeredAlgorithms: ALGORITHMS, isFirst, hash: false });
}

describe('learning the keys of a server', () => {
  it('takes new keys and drops old ones, and no other byte', () => {
    const text = `# x\r\n${line(OLD)}${line(CURRENT)}\tbroken\n${line(OLD, 'g')}`;
    expect(plan(text.replace(line(OLD, 'g'), ''), proving(CURRENT, NEW))).toEqual({
      type: 'update',
      learnt: [NEW],
      deprecated: [fingerprintOf(OLD)],
    });
    expect(rewritten(text, proving(CURRENT, NEW))).toBe(
      `# x\r\n${line(CURRENT)}\tbroken\n${line(OLD, 'g')}${line(NEW)}`,
    );
  });

  it('does nothing where the server did not prove the very key in use', () => {
    expect(plan(line(CURRENT) + line(OLD), proving(NEW)).type).toBe('none');
    expect(plan(line(CURRENT) + line(OLD), proving()).type).toBe('none');
  });

  it('does nothing where the server names a key twice', () => {
    expect(plan(line(CURRENT), proving(CURRENT, NEW, NEW)).type).toBe('none');
  });

  it('keeps a key of a type that ssh2 cannot read: the server may well have it still', () => {
    const text = line(CURRENT) + line(SECURITY_KEY);
    expect(plan(text, proving(CURRENT)).type).toBe('none');
    expect(rewritten(text, proving(CURRENT, NEW))).toBe(text + line(NEW));
    expect(rewritten(text, proving(CURRENT, NEW), false)).toBe(line(SECURITY_KEY));
  });

  it('learns no key of a type that the configuration does not ask for, and no nonsense', () => {
    const ecdsa = strings(Buffer.from('ecdsa-sha2-nistp256'), Buffer.from('nistp256'), Buffer.alloc(65, 4));
    expect(plan(line(CURRENT), proving(CURRENT, SECURITY_KEY, ecdsa, Buffer.from('junk'))).type).toBe('none');
  });

  it('comes to rest: what it wrote needs no further update', () => {
    const text = rewritten(line(OLD) + line(CURRENT).trimEnd(), proving(NEW, CURRENT));
    expect(plan(text, proving(NEW, CURRENT))).toEqual({ type: 'none', reason: 'nothing new' });
  });
});
