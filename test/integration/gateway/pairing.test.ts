import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretNames } from '../../../src/main/core/secret-names.ts';
import { presentConnection } from '../../../src/shared/connection-presentation.ts';
import { describeFailure } from '../../../src/shared/failure-remedies.ts';
import { failureTarget } from '../../../src/shared/gateway-label.ts';
import { createTranslate } from '../../../src/shared/i18n/index.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import {
  connectGatewayClient,
  createDeviceIdentity,
  type LabGatewayClient,
} from '../../support/lab/gateway-client.ts';
import type { Gateway } from '../../support/lab/gateway.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { failureIn, isConnected, seenAtMs, type Stage, startStage, untilFailed, wordsOf } from './stage.ts';

/** A Gateway that pairs nobody by itself, as one that is reached from another network; the tests go on one after the other. */
const english = createTranslate('en');
const CORE_ID = 'core';
const OLD_TOKEN = 'the-token-before-the-change';
const NEW_TOKEN = 'the-token-after-the-change';
const adminIdentity = createDeviceIdentity();
let lab: Lab;
let gateway: Gateway;
let stage: Stage;
let admin: LabGatewayClient;

beforeAll(async () => {
  lab = await createLab({ label: 'gateway-pairing' });
  const model = await lab.startModel();
  gateway = await lab.startGateway({
    modelUrl: model.url,
    auth: { token: OLD_TOKEN },
    config: { gateway: { nodes: { pairing: { autoApproveLocal: false } } } },
  });
  stage = await startStage(lab, { gatewayPort: gateway.port, token: OLD_TOKEN });
}, 180_000);
afterAll(async () => {
  await admin.close();
  await lab.close();
});

const deviceTokenName = secretNames.deviceToken(CORE_ID, 'operator');
const sharedTokenName = secretNames.token(CORE_ID, 'ssh');

async function connectAdmin(token: string): Promise<LabGatewayClient> {
  const scopes = ['operator.read', 'operator.admin', 'operator.pairing'];
  return await connectGatewayClient({ url: gateway.url, token, identity: adminIdentity, scopes });
}

/** The request that a refused device is told. */
async function refusedRequestId(): Promise<string> {
  try {
    await (await connectAdmin(OLD_TOKEN)).close();
  } catch (error) {
    const { details } = error as { readonly details?: { readonly requestId?: unknown } };
    if (typeof details?.requestId === 'string') return details.requestId;
    throw error;
  }
  throw new Error('The device was let in without an approval');
}

async function coreDeviceId(): Promise<string> {
  const { paired } = await admin.request<{ paired: readonly { deviceId: string }[] }>('device.pair.list');
  const others = paired.filter(({ deviceId }) => deviceId !== adminIdentity.deviceId);
  expect(others).toHaveLength(1);
  return others[0]?.deviceId ?? '';
}

describe('a device that the Gateway does not know', { timeout: 120_000 }, () => {
  it('keeps its request, however often it asks, and is not locked out', async () => {
    const ids = new Set<string>();
    for (let round = 0; round < 12; round++) ids.add(await refusedRequestId());
    expect(ids.size).toBe(1);
    const approved = await gateway.cli(['devices', 'approve', [...ids][0] ?? '']);
    expect(approved.output).toContain(adminIdentity.deviceId.slice(0, 8));
    admin = await connectAdmin(OLD_TOKEN);
  });

  it('is told its request, and connects by itself within 5 s of the approval', async () => {
    const { core, sshd } = stage;
    core.gateway.connection.connect();
    const failure = await untilFailed(core, 'pairing-required');
    const { requestId, deviceId } = failure.facts;
    expect(deviceId).toMatch(/^[0-9a-f]{64}$/);
    const firstMs = performance.now();
    const asked = (): number =>
      core.statesSince(firstMs).filter(({ state }) => state.status === 'connecting').length;
    await waitFor(() => asked() >= 2, { what: 'two more questions', timeoutMs: 20_000 });
    await untilFailed(core, 'pairing-required');
    const target = failureTarget(core.profile, english);
    const seen = core.statesSince(firstMs).map(({ state }) => {
      const shown = presentConnection(state, target, Date.now(), english);
      return JSON.stringify([shown, failureIn(state)]);
    });
    expect(new Set(seen).size).toBe(1);
    const { body, actions } = describeFailure(failure, target, english);
    expect(body).toContain('connects by itself');
    expect(JSON.stringify(actions)).toContain(`openclaw devices approve ${requestId ?? ''}`);
    expect(core.statesSince(firstMs).some(({ state }) => isConnected(state))).toBe(false);
    const approvedAtMs = performance.now();
    await admin.request('device.pair.approve', { requestId });
    await core.until('connected');
    expect(sshd.counts().accepted).toBe(1);
    recordFault({
      row: 54,
      layer: 'core',
      injected: 'a real Gateway that approves nobody by itself, and a new device',
      shown: `“${wordsOf(core, failure).title}” with the command for request ${requestId === null ? '-' : 'id'}; one picture while it is asked again; connected after the approval`,
      tookMs: seenAtMs(core, approvedAtMs, isConnected) - approvedAtMs,
      limitMs: 5000,
      control: `${asked()} questions before the approval were all refused with the same request id, over one SSH session`,
    });
  });
});

describe('a token that was changed on the Gateway', { timeout: 180_000 }, () => {
  it('is tried once more with the device token, which the Gateway still knows', async () => {
    const { core } = stage;
    await waitFor(() => core.secrets.values.has(deviceTokenName), { what: 'the device token' });
    await gateway.stop();
    const file = join(gateway.home, '.openclaw', 'openclaw.json');
    const config = readFileSync(file, 'utf8');
    expect(config).toContain(OLD_TOKEN);
    writeFileSync(file, config.replace(OLD_TOKEN, NEW_TOKEN));
    await admin.close();
    await gateway.start();
    await expect(connectAdmin(OLD_TOKEN)).rejects.toThrow(/token/i);
    admin = await connectAdmin(NEW_TOKEN);
    await core.until('connected', 40_000);
    expect(core.logger.of('gateway.device-token-retry')).toHaveLength(1);
  });

  it('is named with its field where the device token is not accepted either', async () => {
    const { core } = stage;
    const retries = (): number => core.logger.of('gateway.device-token-retry').length;
    const before = retries();
    const deviceId = await coreDeviceId();
    await admin.request('device.token.revoke', { deviceId, role: 'operator' });
    const failure = await untilFailed(core, 'token-mismatch');
    expect(core.state.status).toBe('blocked');
    expect(retries() - before).toBe(1);
    const { actions } = describeFailure(failure, failureTarget(core.profile, english), english);
    expect(actions[0]).toMatchObject({ type: 'open-settings', field: 'token' });
    // Without a device token there is nothing to try again with.
    expect(core.secrets.values.has(deviceTokenName)).toBe(false);
    core.gateway.connection.reconnectNow();
    await core.untilState('tried', ({ status }) => status === 'connecting');
    await core.until('blocked');
    expect(retries() - before).toBe(1);
    recordFault({
      row: 52,
      layer: 'core',
      injected: 'another token in the configuration of the real Gateway, then the device token revoked',
      shown: `connected with the device token; once that is revoked “${wordsOf(core, failure).title}”, its field first`,
      tookMs: null,
      limitMs: null,
      control:
        'the old token alone is refused by the Gateway; without a stored device token there is no second try',
    });
    // A device whose token was revoked has to be approved anew, with the right token too.
    core.secrets.values.set(sharedTokenName, NEW_TOKEN);
    core.gateway.connection.reconnectNow();
    const { facts } = await untilFailed(core, 'pairing-required');
    await admin.request('device.pair.approve', { requestId: facts.requestId });
    await core.until('connected');
  });
});

describe('a device that was removed', { timeout: 120_000 }, () => {
  it('is told so, forgets its token, and is let in again once it is approved anew', async () => {
    const { core } = stage;
    await waitFor(() => core.secrets.values.has(deviceTokenName), { what: 'a new device token' });
    core.secrets.values.delete(sharedTokenName);
    core.gateway.connection.reconnectNow();
    await core.untilState('tried', ({ status }) => status === 'connecting');
    await core.until('connected');
    const deviceId = await coreDeviceId();
    const sinceMs = performance.now();
    await admin.request('device.token.revoke', { deviceId, role: 'operator' });
    const failure = await untilFailed(core, 'device-token-rejected');
    const { title } = wordsOf(core, failure);
    expect(title).toContain('no longer accepts this device');
    await waitFor(() => !core.secrets.values.has(deviceTokenName), { what: 'the token to be deleted' });
    expect(core.statesSince(sinceMs).some(({ state }) => isConnected(state))).toBe(false);
    await admin.request('device.pair.remove', { deviceId });
    core.secrets.values.set(sharedTokenName, NEW_TOKEN);
    core.gateway.connection.reconnectNow();
    const again = await untilFailed(core, 'pairing-required');
    await admin.request('device.pair.approve', { requestId: again.facts.requestId });
    await core.until('connected');
    await waitFor(() => core.secrets.values.has(deviceTokenName), { what: 'the next device token' });
    recordFault({
      row: 53,
      layer: 'core',
      injected: 'device.token.revoke, then device.pair.remove, by an admin of the real Gateway',
      shown: `“${title}”; the stored token deleted; then the request to approve, then connected with a new token`,
      tookMs: null,
      limitMs: null,
      control: 'the same device token had just let it in without any other credential',
    });
  });
});
