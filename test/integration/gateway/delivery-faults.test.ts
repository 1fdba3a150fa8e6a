import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/main/core/ports.ts';
import { MovableClock } from '../../support/core/movable-clock.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import type { Gateway } from '../../support/lab/gateway.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import type { ScriptedModel } from '../../support/lab/scripted-model.ts';
import type { Sshd } from '../../support/lab/sshd.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { type Stage, startStage } from './stage.ts';
import { startWsProxy, type WsProxy } from './ws-proxy.ts';

/** Messages whose acknowledgement is lost: everything but Electron, a real sshd, and the real Gateway behind a proxy of frames. */
const SIX_MINUTES_MS = 6 * 60_000;
let lab: Lab;
let model: ScriptedModel;
let gateway: Gateway;
let sshd: Sshd;
let proxy: WsProxy;
let stage: Stage | null = null;
let sessions = 0;

beforeAll(async () => {
  lab = await createLab({ label: 'gateway-delivery' });
  model = await lab.startModel();
  gateway = await lab.startGateway({ modelUrl: model.url });
  // The first message of a Gateway takes seconds, which are none of these faults'.
  const admin = await gateway.client();
  await admin.chat('agent:main:warm-up', 'good morning');
  await admin.close();
  sshd = await lab.startSshd();
  proxy = await startWsProxy(gateway.url);
}, 180_000);
afterEach(async () => {
  await stage?.core.close();
  stage = null;
  expect(proxy.problems()).toEqual([]);
});
afterAll(async () => {
  await proxy.close();
  await lab.close();
});

/** Connected, with a conversation of its own open. */
async function openStage(name: string, clock?: Clock): Promise<{ core: Stage['core']; key: string }> {
  const { port } = new URL(proxy.url);
  stage = await startStage(lab, {
    gatewayPort: Number(port),
    token: gateway.token ?? '',
    sshd,
    ...(clock ? { clock } : {}),
  });
  sessions += 1;
  const key = `agent:main:${name}-${sessions}`;
  await stage.core.connectUp();
  await stage.core.show(key);
  return { core: stage.core, key };
}

function sendsOf(messageId: string): number {
  return proxy
    .sent()
    .filter(({ method, params }) => method === 'chat.send' && params['idempotencyKey'] === messageId).length;
}

async function userRows(key: string, text: string): Promise<number> {
  return (await gateway.history(key)).filter((row) => row.role === 'user' && row.text.includes(text)).length;
}

describe('a message whose acknowledgement is lost', { timeout: 120_000 }, () => {
  it('is one row and one run after the reconnect', async () => {
    const { core, key } = await openStage('ack-lost');
    const text = `once and only once ${randomUUID()}`;
    proxy.loseAnswerTo('chat.send');
    const messageId = await core.write(key, text);
    await core.untilState('lost', ({ status }) => status !== 'connected');
    const lostAtMs = performance.now();
    await core.views.until(
      key,
      'its row from the history',
      ({ rows, meta }) =>
        meta.load === 'loaded' && rows.some((row) => row.id === messageId && row.delivery === null),
    );
    const tookMs = performance.now() - lostAtMs;
    const view = await core.views.untilAnswered(key, 2);
    expect(view.rows.map(({ role }) => role)).toEqual(['user', 'assistant']);
    expect(model.answered(text)).toBe(1);
    expect(await userRows(key, text)).toBe(1);
    // The control: the same text under another key is another message.
    const admin = await gateway.client();
    await admin.request('chat.send', { sessionKey: key, message: text, idempotencyKey: randomUUID() });
    await waitFor(() => model.answered(text) === 2, { what: 'the second run' });
    expect(await userRows(key, text)).toBe(2);
    recordFault({
      row: 62,
      layer: 'core',
      injected: 'a proxy of frames that loses the answer to chat.send, and the connection with it',
      shown: 'one row, which becomes the history’s own, and one reply',
      tookMs,
      limitMs: 5000,
      control: `chat.send went out ${sendsOf(messageId)} time(s) under one key; with a regenerated id the message doubled`,
    });
  });

  it('six minutes ago is found in the history, and not sent again', async () => {
    const clock = new MovableClock();
    const { core, key } = await openStage('late', clock);
    const text = `said before the sleep ${randomUUID()}`;
    proxy.dropAnswersTo('chat.send');
    const messageId = await core.write(key, text);
    await waitFor(async () => (await gateway.history(key)).length >= 2, { what: 'the reply in the history' });
    // Its row has come with the events of this connection; what must hold is what is found without them.
    clock.sleep(SIX_MINUTES_MS);
    proxy.cut();
    proxy.dropAnswersTo(null);
    await core.untilState('lost', ({ status }) => status !== 'connected');
    const lostAtMs = performance.now();
    await core.until('connected');
    await core.views.until(
      key,
      'its row from the history',
      ({ rows, meta }) =>
        meta.load === 'loaded' && rows.some((row) => row.id === messageId && row.delivery === null),
    );
    const tookMs = performance.now() - lostAtMs;
    expect([sendsOf(messageId), model.answered(text), await userRows(key, text)]).toEqual([1, 1, 1]);
    recordFault({
      row: 64,
      part: 'found',
      layer: 'core',
      injected:
        'the answer to chat.send dropped, our clock put 6 min forward as by a sleep, then the connection cut',
      shown: 'one row, the history’s own, and one reply',
      tookMs,
      limitMs: 5000,
      control:
        'exactly one chat.send passed the proxy, so the Gateway’s own memory of keys (300 s, which no clock of ours moves) was not needed',
    });
  });

  it('six minutes ago and that never arrived is for the person to decide; at once it is sent again', async () => {
    const clock = new MovableClock();
    const { core, key } = await openStage('never-arrived', clock);
    const soon = `lost a moment ago ${randomUUID()}`;
    proxy.loseRequest('chat.send');
    const resent = await core.write(key, soon);
    await core.views.untilAnswered(key, 2);
    expect([sendsOf(resent), model.answered(soon)]).toEqual([2, 1]);
    const late = `lost before the sleep ${randomUUID()}`;
    proxy.loseRequest('chat.send');
    // Nothing is looked up until the sleep is over.
    proxy.dropAnswersTo('chat.history');
    const messageId = await core.write(key, late);
    await waitFor(() => sendsOf(messageId) === 1, { what: 'the request to be lost' });
    clock.sleep(SIX_MINUTES_MS);
    proxy.dropAnswersTo(null);
    proxy.cut();
    const healedAtMs = performance.now();
    const view = await core.views.until(key, 'it to be unconfirmed', ({ rows }) =>
      rows.some((row) => row.id === messageId && row.delivery === 'unconfirmed'),
    );
    const tookMs = performance.now() - healedAtMs;
    expect([sendsOf(messageId), model.answered(late)]).toEqual([1, 0]);
    expect(view.rows.filter((row) => row.id === messageId)).toHaveLength(1);
    await core.gateway.chat.retry(key, messageId);
    await waitFor(() => model.answered(late) === 1, { what: 'the answer after the person said so' });
    recordFault({
      row: 64,
      part: 'not found',
      layer: 'core',
      injected: 'a chat.send that never reached the Gateway, and our clock put 6 min forward as by a sleep',
      shown: 'unconfirmed, with “Retry” and “Discard”; sent when the person says so',
      tookMs,
      limitMs: 5000,
      control:
        'without the six minutes the same loss was sent again by itself, under the same key, and answered once',
    });
  });

  it('and whose Gateway was killed in between is one row, and is not sent again by itself', async () => {
    const { core, key } = await openStage('killed');
    const text = `before the crash ${randomUUID()}`;
    const bootId = await bootIdOf();
    proxy.dropAnswersTo('chat.send');
    const messageId = await core.write(key, text);
    await waitFor(() => model.requests().some(({ userText }) => userText.includes(text)), {
      what: 'the message to be admitted',
    });
    await gateway.kill();
    const { port } = new URL(proxy.url);
    const before = sendsOf(messageId);
    const problems = proxy.problems();
    await proxy.close();
    await gateway.start();
    proxy = await startWsProxy(gateway.url, { port: Number(port) });
    await core.until('connected', 40_000);
    const healedAtMs = performance.now();
    const view = await core.views.until(
      key,
      'its row, or the question about it',
      ({ rows, meta }) =>
        meta.load === 'loaded' &&
        rows.some((row) => row.id === messageId && (row.delivery === null || row.delivery === 'unconfirmed')),
    );
    const tookMs = performance.now() - healedAtMs;
    expect(problems).toEqual([]);
    expect([before, sendsOf(messageId)]).toEqual([1, 0]);
    const ours = view.rows.filter(({ role }) => role === 'user');
    expect(ours).toHaveLength(1);
    expect(await userRows(key, text)).toBe(1);
    expect(await bootIdOf()).not.toBe(bootId);
    recordFault({
      row: 63,
      layer: 'core',
      injected:
        'the answer to chat.send dropped, SIGKILL to the Gateway once its model was asked, then a start',
      shown: `one row (${ours[0]?.delivery ?? 'the history’s own'})`,
      tookMs,
      limitMs: 5000,
      control:
        'another boot id afterwards: the memory of keys was gone; one chat.send in all (with a regenerated id it doubles, row 62)',
    });
  });
});

async function bootIdOf(): Promise<string> {
  const client = await gateway.client();
  try {
    return (client.hello as { readonly server?: { readonly bootId?: string } }).server?.bootId ?? '';
  } finally {
    await client.close();
  }
}
