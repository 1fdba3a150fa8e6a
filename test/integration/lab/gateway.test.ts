import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway } from '../../support/lab/gateway.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { canConnect } from '../../support/lab/ports.ts';
import type { ScriptedModel } from '../../support/lab/scripted-model.ts';

let lab: Lab;
let model: ScriptedModel;
let gateway: Gateway;

beforeAll(async () => {
  lab = await createLab({ label: 'gateway' });
  model = await lab.startModel();
  gateway = await lab.startGateway({ modelUrl: model.url });
});

afterAll(() => lab.close());

describe('the real Gateway of the lab', () => {
  it('answers health to the official client', async () => {
    const client = await gateway.client();

    expect(await client.request('health')).toMatchObject({ ok: true });
  });

  it('streams a scripted reply, runs a message once and keeps it in the history', async () => {
    const client = await gateway.client();
    const text = 'what do lobsters dream of?';

    expect(await client.chat('agent:main:lab', text)).toContain(`**Turn 1** — you said: ${text}`);

    const deltas = client.events().filter((event) => event.event === 'chat');
    expect(deltas.length).toBeGreaterThan(2);
    expect(model.answered(text)).toBe(1);
    const rows = await gateway.history('agent:main:lab');
    expect(rows.map((row) => row.role)).toEqual(['user', 'assistant']);
    expect(rows[0]?.text).toBe(text);
  });

  it('runs a tool that the model calls and hands its result back', async () => {
    const client = await gateway.client();

    const reply = await client.chat('agent:main:tool', '!tool exec {"command":"echo from-the-tool"}');

    expect(reply).toContain('from-the-tool');
    expect(model.requests().at(-1)?.toolResult).toContain('from-the-tool');
  });

  it('answers its own command line', async () => {
    const result = await gateway.cli([
      'gateway',
      'health',
      '--url',
      gateway.url,
      '--token',
      gateway.token ?? '',
    ]);

    expect(result.output).toContain('OK');
    expect(result.code).toBe(0);
  });

  it('refuses a wrong token', async () => {
    const { connectGatewayClient } = await import('../../support/lab/gateway-client.ts');

    await expect(connectGatewayClient({ url: gateway.url, token: 'wrong' })).rejects.toThrow(/token/i);
  });

  it('dies at once when killed and comes back on the same port with its history', async () => {
    await gateway.kill();
    expect(await canConnect(gateway.port)).toBe(false);

    await gateway.start();

    expect(await gateway.history('agent:main:lab')).toHaveLength(2);
  }, 120_000);
});
