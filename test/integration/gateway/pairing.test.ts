import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway } from '../../support/lab/gateway.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { Subject } from './subject.ts';

/** A Gateway that pairs nobody by itself, as one that is reached from another network. */
let lab: Lab;
let gateway: Gateway;

beforeAll(async () => {
  lab = await createLab({ label: 'gateway-pairing' });
  const model = await lab.startModel();
  gateway = await lab.startGateway({
    modelUrl: model.url,
    config: { gateway: { nodes: { pairing: { autoApproveLocal: false } } } },
  });
}, 180_000);
afterAll(() => lab.close());

describe('a device that the Gateway does not know', () => {
  it('is told its request, is let in once that was approved, and is known from then on', async () => {
    const subject = new Subject({ token: gateway.token });
    try {
      const event = await subject.open(gateway.url);
      expect(event).toMatchObject({ type: 'session-down', failure: { code: 'pairing-required' } });
      if (event.type !== 'session-down' || event.failure.code !== 'pairing-required') return;
      const { requestId, deviceId } = event.failure.facts;
      expect(deviceId).toMatch(/^[0-9a-f]{64}$/);
      expect(requestId).not.toBeNull();
      const approved = await gateway.cli(['devices', 'approve', requestId ?? '']);
      expect(approved.output).toContain(deviceId.slice(0, 8));
      await waitFor(async () => (await subject.open(gateway.url)).type === 'session-up', {
        what: 'the approved device to be let in',
        intervalMs: 300,
      });
      await subject.openUp(gateway.url);
    } finally {
      await subject.close();
    }
  });
});
