import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  connectionsTo,
  InvariantWatch,
  secretsIn,
  type Observation,
} from '../../support/faults/invariants.ts';

const fine: Observation = {
  atMs: 0,
  sshIsOk: true,
  gatewayIsOk: true,
  lastByteAtMs: 0,
  gatewaySilentSinceMs: null,
  sshConnections: 1,
  attempts: 1,
  asked: 0,
};

function seen(...looks: readonly Partial<Observation>[]): readonly string[] {
  const watch = new InvariantWatch();
  for (const look of looks) watch.see({ ...fine, ...look });
  return watch.violations;
}

describe('the watch over the invariants', () => {
  it('has nothing to say about a connection that hears of its server', () => {
    expect(seen({ atMs: 1_000, lastByteAtMs: 900 }, { atMs: 2_000, lastByteAtMs: 1_900 })).toEqual([]);
  });

  it('finds SSH shown as fine without a proof of life', () => {
    expect(seen({ atMs: 12_000 }, { atMs: 12_250 })).toHaveLength(1);
    expect(seen({ atMs: 12_000, sshIsOk: false }, { atMs: 12_250, sshIsOk: false })).toEqual([]);
  });

  it('finds a gateway shown as fine that cannot have answered', () => {
    const looks = [18_000, 18_250].map((atMs) => ({ atMs, lastByteAtMs: atMs, gatewaySilentSinceMs: 0 }));
    expect(seen(...looks)).toHaveLength(1);
  });

  it('finds two SSH connections at once', () => {
    expect(seen({ sshConnections: 2 }, { sshConnections: 2 })).toHaveLength(1);
    expect(seen({ sshConnections: 2 }, { sshConnections: 1 })).toEqual([]);
  });

  it('finds more than an attempt a second, but for what a person asked', () => {
    const storm = [0, 5_000].map((atMs) => ({ atMs, lastByteAtMs: atMs, attempts: 1 + atMs / 400 }));
    expect(seen(...storm)).toHaveLength(1);
    expect(seen(...storm.map((look) => ({ ...look, asked: look.attempts })))).toEqual([]);
  });

  it('finds secrets by their names', () => {
    expect(secretsIn('a token-1 b', { first: 'token-1', second: 'token-2', none: '' })).toEqual(['first']);
  });

  it.skipIf(process.platform !== 'linux')('counts the connections to a port', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(connectionsTo(port)).toBe(0);
    const { connect } = await import('node:net');
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    expect(connectionsTo(port)).toBe(1);
    socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});
