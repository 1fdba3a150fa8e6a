import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gatewayIdentity } from '../../../src/main/core/connection/connection-target.ts';
import { GatewayServices } from '../../../src/main/app/gateway-services.ts';
import { MessageStore } from '../../../src/main/node/storage/message-store.ts';
import { emptyProfile } from '../../../src/shared/gateway-profile.ts';
import { CoreSubject } from '../../support/core/core-subject.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { FakeRpc } from '../../support/fakes/fake-rpc.ts';
import { FakeConnectivity, MemoryLogger } from '../../support/fakes/fake-system.ts';

const KEY = 'agent:main:main';
let dir: string;
let core: CoreSubject | null = null;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gangway-restart-'));
});
afterEach(async () => {
  await core?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The app with one gateway, which is never connected here; the run before ends first. */
async function start(target: string): Promise<CoreSubject> {
  await core?.close();
  const ssh = { target, gatewayPort: 18_789, localPort: 18_789 };
  core = new CoreSubject({ ssh, token: 'token', home: dir, dataDir: dir });
  return core;
}

/** As a first connection leaves it. */
async function knowing(target: string): Promise<CoreSubject> {
  const first = await start(target);
  const identity = gatewayIdentity(first.profile);
  await first.messages?.forGateway('core').setKnown({ identity, mainSessionKey: KEY });
  return first;
}

async function rowsOf(subject: CoreSubject) {
  const opened = await subject.gateway.chat.open(KEY);
  if (!opened.ok) throw new Error('The conversation does not open');
  return opened.value.rows.map(({ id, delivery }) => ({ id, delivery }));
}

describe('after the settings were lost', () => {
  it('the same gateway, under the id that it has now, sends what waited once it is reached', async () => {
    const before = await knowing('ops@homelab.example');
    const id = await before.write(KEY, 'written before');
    await before.close();
    const clock = new FakeClock();
    const logger = new MemoryLogger();
    const store = new MessageStore({ path: join(dir, 'messages.db'), clock, logger });
    const rpc = new FakeRpc();
    const services = new GatewayServices(emptyProfile('another'), rpc, {
      clock,
      logger,
      connectivity: new FakeConnectivity(),
      messages: store.forGateway('another'),
    });
    try {
      services.setProfile({ ...before.profile, id: 'another' });
      await services.chat.open(KEY);
      rpc.connect();
      await clock.advance(100);
      expect(rpc.of('chat.send').map(({ params }) => params['idempotencyKey'])).toEqual([id]);
      const opened = await services.chat.open(KEY);
      expect(opened).toMatchObject({ value: { rows: [{ id, delivery: 'sending' }] } });
    } finally {
      services.dispose();
      store.dispose();
    }
  });
});

describe('without a connection, after a restart of the app', () => {
  it('the conversation opens, shows what waits, and takes more', async () => {
    const before = await knowing('ops@homelab.example');
    const first = await before.write(KEY, 'written before');
    await before.gateway.chat.writeDraft(KEY, 'half a thought');
    const after = await start('ops@homelab.example');
    expect(after.gateway.connection.snapshot().mainSessionKey).toBe(KEY);
    expect(await after.gateway.chat.readDraft(KEY)).toEqual({ ok: true, value: { text: 'half a thought' } });
    const second = await after.write(KEY, 'written after');
    expect(await rowsOf(after)).toEqual([
      { id: first, delivery: 'queued' },
      { id: second, delivery: 'queued' },
    ]);
  });

  it('what was written for one gateway is not for the one that the profile leads to now', async () => {
    const before = await knowing('ops@homelab.example');
    const id = await before.write(KEY, 'for homelab');
    const after = await start('ops@other.example');
    expect(await rowsOf(after)).toEqual([{ id, delivery: 'failed' }]);
    // And it stays so, also for the run after.
    expect(await rowsOf(await start('ops@other.example'))).toEqual([{ id, delivery: 'failed' }]);
  });

  it('a message that the disk does not take is not accepted', async () => {
    const subject = await knowing('ops@homelab.example');
    subject.messages?.dispose();
    const refused = await subject.gateway.chat.send(KEY, 'm1', 'text');
    expect(refused).toMatchObject({ ok: false, error: { failure: { code: 'message-not-kept' } } });
    expect(await rowsOf(subject)).toEqual([]);
  });
});
