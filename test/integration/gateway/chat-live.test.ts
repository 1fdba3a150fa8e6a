import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { secretNames } from '../../../src/main/core/secret-names.ts';
import { probeHealthz } from '../../../src/main/node/gateway/healthz-probe.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import { sharedGateway, type SharedGateway } from '../../support/lab/shared-gateway.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { textOf } from '../../support/core/chat-views.ts';
import { GATEWAY_ID, Subject } from './subject.ts';
import { startWsProxy, type WsProxy } from './ws-proxy.ts';

/** Everything that needs no restart of the Gateway; all of our frames pass the protocol's own validators. */
const NOTES = 205;
let shared: SharedGateway;
let proxy: WsProxy;
let subject: Subject;

beforeAll(async () => {
  shared = await sharedGateway();
}, 180_000);
beforeEach(async () => {
  proxy = await startWsProxy(shared.gateway.url);
  subject = new Subject({ token: shared.gateway.token });
});
afterEach(async () => {
  await subject.close();
  const problems = proxy.problems();
  await proxy.close();
  expect(problems).toEqual([]);
});

describe('a session with the real Gateway', () => {
  it('comes up with its facts; the device is known to it and keeps its own token', async () => {
    const event = await subject.open(proxy.url);
    expect(event).toMatchObject({
      type: 'session-up',
      attempt: 1,
      facts: {
        mainSessionKey: 'agent:main:main',
        gatewayVersion: expect.stringMatching(/^\d{4}\./) as string,
        scopes: expect.arrayContaining(['operator.read', 'operator.write', 'operator.approvals']) as string[],
      },
    });
    expect(subject.session.hello).toMatchObject({ missingScopes: [], bootId: expect.any(String) as string });
    await waitFor(() => subject.secrets.values.get(secretNames.deviceToken(GATEWAY_ID, 'operator')), {
      what: 'the device token in the keychain',
    });
    const connect = proxy.sent().find(({ method }) => method === 'connect');
    expect(connect?.params).toMatchObject({
      role: 'operator',
      client: { id: 'gateway-client', mode: 'ui', version: '0.1.0' },
      caps: ['tool-events', 'approvals'],
    });
  });

  it('comes back with the device token alone when the shared token is gone', async () => {
    await subject.openUp(proxy.url);
    await subject.session.close();
    subject.secrets.values.delete(secretNames.token(GATEWAY_ID, 'ssh'));
    await subject.openUp(proxy.url);
    const connects = proxy.sent().filter(({ method }) => method === 'connect');
    expect(connects).toHaveLength(2);
    expect(JSON.stringify(connects[1])).not.toContain(shared.gateway.token);
  });

  it('whose device was removed ends, and its token is forgotten when the gateway rejects it', async () => {
    await subject.openUp(proxy.url);
    const identity = JSON.parse(
      JSON.stringify(proxy.sent().find(({ method }) => method === 'connect')?.params),
    ) as {
      device: { id: string };
    };
    const admin = await shared.gateway.client();
    await subject.session.close();
    subject.secrets.values.delete(secretNames.token(GATEWAY_ID, 'ssh'));
    expect((await subject.open(proxy.url)).type).toBe('session-up');
    await admin.request('device.pair.remove', { deviceId: identity.device.id });
    const reason = await subject.down();
    expect(['gateway-closed', 'device-token-rejected']).toContain(reason.code);
    const again = await subject.open(proxy.url);
    expect(again).toMatchObject({ type: 'session-down' });
    if (again.type === 'session-down') {
      expect(['device-token-rejected', 'pairing-required', 'token-missing']).toContain(again.failure.code);
    }
    await subject.session.close();
    expect(subject.secrets.values.has(secretNames.deviceToken(GATEWAY_ID, 'operator'))).toBe(false);
  });

  it.each([
    ['a wrong token', { token: 'not-the-token' }, 'token-mismatch'],
    ['no token', {}, 'token-missing'],
    ['a password where a token is wanted', { password: 'not-the-token' }, 'token-mismatch'],
  ])('with %s says so, once, and tries nothing again', async (_name, credentials, code) => {
    const other = new Subject(credentials);
    try {
      const event = await other.open(proxy.url);
      expect(event).toEqual({ type: 'session-down', attempt: 1, failure: { code, facts: {} } });
      const connects = (): number => proxy.sent().filter(({ method }) => method === 'connect').length;
      expect(connects()).toBe(1);
      await other.session.close();
      expect(connects()).toBe(1);
      expect(other.downsOfCurrent()).toBe(1);
    } finally {
      await other.close();
    }
  });

  it('that was replaced says nothing any more', async () => {
    await subject.openUp(proxy.url);
    for (let round = 0; round < 5; round++)
      subject.session.open(100 + round, { url: proxy.url, localPort: null });
    await waitFor(
      () => subject.events.some((event) => event.type === 'session-up' && event.attempt === 104),
      {
        what: 'the last session',
      },
    );
    const later = subject.events.filter((event) => event.type !== 'session-alive' && event.attempt >= 100);
    expect(later).toEqual([expect.objectContaining({ type: 'session-up', attempt: 104 })]);
  });

  it('answers a probe with its round trip, and none when it is closed', async () => {
    await subject.openUp(proxy.url);
    const probe = await subject.session.probe(5000);
    expect(probe.alive).toBe(true);
    expect(probe.latencyMs).toBeGreaterThan(0);
    await subject.session.close();
    expect(await subject.session.probe(100)).toEqual({ alive: false, latencyMs: null });
  });

  it('writes no token, text or answer into the log', async () => {
    await subject.openUp(proxy.url);
    const key = shared.sessionKey('log');
    await subject.show(key);
    await subject.write(key, 'a very private sentence');
    await subject.untilAnswered(key, 2);
    const log = JSON.stringify(subject.logger.lines);
    expect(log).not.toContain('very private');
    expect(log).not.toContain(shared.gateway.token);
    for (const [name, value] of subject.secrets.values) {
      if (name.startsWith('device-token'))
        expect(log).not.toContain((JSON.parse(value) as { token: string }).token);
    }
  });
});

describe('health', () => {
  it('is what the gateway says, with the approvals that wait', async () => {
    await subject.openUp(proxy.url);
    // The lists and the health itself come as answers of their own.
    await waitFor(
      () => {
        const { pendingApprovals, pendingQuestions, activeRuns } = subject.health.health ?? {};
        return pendingApprovals === 0 && pendingQuestions === 0 && typeof activeRuns === 'number';
      },
      { what: 'the first answers' },
    );
    expect(subject.health.health).toMatchObject({
      gatewayVersion: expect.any(String) as string,
      agents: [{ id: 'main', name: 'main' }],
      channels: [],
      activeRuns: expect.any(Number) as number,
    });
    expect(await subject.health.refresh()).toBe(true);
  });

  it('/healthz answers without a credential', async () => {
    expect(await probeHealthz(shared.gateway.url, 5000)).toMatchObject({ ok: true });
    expect(await probeHealthz(shared.model.url, 5000)).toMatchObject({
      ok: false,
      error: { code: 'not-a-gateway' },
    });
    expect(await probeHealthz('ws://127.0.0.1:1', 5000)).toMatchObject({
      ok: false,
      error: { code: 'gateway-unreachable' },
    });
  });
});

describe('chat', () => {
  it('sends what was written before there was a connection, and streams the reply', async () => {
    const key = shared.sessionKey('first');
    await subject.chat.open(key);
    const messageId = await subject.write(key, 'hello there !slow 8 150');
    const queued = await subject.chat.open(key);
    expect(queued).toMatchObject({ ok: true, value: { rows: [{ id: messageId, delivery: 'queued' }] } });
    await subject.openUp(proxy.url);
    await subject.show(key);
    const view = await subject.untilAnswered(key, 2);
    expect(subject.texts(key)[0]).toBe('user: hello there !slow 8 150');
    expect(view.rows[0]).toMatchObject({ id: messageId, delivery: null });
    const streamed = subject.patches.filter((patch) => patch.upserts.some((row) => row.streaming));
    expect(streamed.length).toBeGreaterThan(1);
    expect(shared.model.answered('hello there !slow 8 150')).toBe(1);
  });

  it('hands over what is written in a row one after the other, so that it stands in that order', async () => {
    const key = shared.sessionKey('in-a-row');
    await subject.openUp(proxy.url);
    await subject.show(key);
    const texts = ['one !slow 8 150', 'two', 'three', 'four'];
    for (const text of texts) await subject.write(key, text);
    const view = await subject.until(
      key,
      'all of them in the history',
      ({ rows, meta }) =>
        meta.activeRun === null &&
        // One that came while the agent worked may have been taken into the same run: replies can be fewer.
        rows.filter(({ role }) => role === 'user').length === texts.length &&
        rows.at(-1)?.role === 'assistant' &&
        rows.every(({ delivery }) => delivery === null),
      60_000,
    );
    expect(view.rows.filter(({ role }) => role === 'user').map(textOf)).toEqual(texts);
    expect(proxy.sent().filter(({ method }) => method === 'chat.send')).toHaveLength(texts.length);
  });

  it('shows the history to whoever opens the conversation later, with the same ids', async () => {
    const key = shared.sessionKey('later');
    await subject.openUp(proxy.url);
    await subject.show(key);
    await subject.write(key, 'remember me');
    const before = await subject.untilAnswered(key, 2);
    const other = new Subject({ token: shared.gateway.token });
    try {
      await other.openUp(proxy.url);
      await other.show(key);
      expect(other.view(key).rows.map(({ id, parts }) => ({ id, parts }))).toEqual(
        before.rows.map(({ id, parts }) => ({ id, parts })),
      );
    } finally {
      await other.close();
    }
  });

  it('stops exactly the run that is shown, and keeps what it said', async () => {
    const key = shared.sessionKey('stop');
    await subject.openUp(proxy.url);
    await subject.show(key);
    const messageId = await subject.write(key, '!slow 200 100');
    const running = await subject.until(key, 'a streaming reply', ({ rows }) =>
      rows.some((row) => row.streaming),
    );
    expect(running.meta.activeRun).toMatchObject({ runId: messageId, phase: 'running' });
    expect((await subject.chat.stop(key)).ok).toBe(true);
    const stopped = await subject.until(
      key,
      'the end',
      ({ meta, rows }) => meta.activeRun === null && !rows.some((row) => row.streaming),
    );
    expect(stopped.rows).toHaveLength(2);
    expect(textOf(stopped.rows[1] as never)).not.toBe('');
    expect(stopped.rows[1]?.stopped).toBe(true);
    // What the Gateway stored of it says so too, to whoever comes later.
    const other = new Subject({ token: shared.gateway.token });
    try {
      await other.openUp(proxy.url);
      await other.show(key);
      expect(other.view(key).rows.map((row) => row.stopped)).toEqual([false, true]);
    } finally {
      await other.close();
    }
    expect(proxy.sent().find(({ method }) => method === 'chat.abort')?.params).toEqual({
      sessionKey: key,
      runId: messageId,
    });
  });

  it('shows a tool call with its output', async () => {
    const key = shared.sessionKey('tool');
    await subject.openUp(proxy.url);
    await subject.show(key);
    await subject.write(key, '!tool exec {"command":"echo from-the-tool"}');
    const view = await subject.untilAnswered(key, 3);
    const tools = view.rows.flatMap((row) => row.parts).filter((part) => part.type === 'tool');
    expect(tools).toEqual([
      expect.objectContaining({
        name: 'exec',
        status: 'done',
        output: expect.stringContaining('from-the-tool') as string,
      }),
    ]);
    expect(textOf(view.rows.at(-1) as never)).toContain('from-the-tool');
  });

  it('says why a run failed', async () => {
    const key = shared.sessionKey('error');
    await subject.openUp(proxy.url);
    await subject.show(key);
    await subject.write(key, '!error 400');
    const view = await subject.until(
      key,
      'the failure',
      ({ rows }) => rows.some((row) => row.failure !== null),
      90_000,
    );
    expect(view.rows.find((row) => row.failure)?.failure).toMatchObject({ type: 'agent' });
    await subject.until(key, 'the end', ({ meta }) => meta.activeRun === null);
  });

  it('keeps the reply to a command, which the history does not have', async () => {
    const key = shared.sessionKey('command');
    await subject.openUp(proxy.url);
    await subject.show(key);
    const messageId = await subject.write(key, '/status');
    const view = await subject.untilAnswered(key, 2);
    expect(view.rows[0]).toMatchObject({ id: messageId });
    expect(subject.texts(key)[1]).toContain('OpenClaw');
    // After the history was read again too.
    const loads = (): number =>
      proxy.sent().filter(({ method, params }) => method === 'chat.history' && !params['inputRunIds']).length;
    await waitFor(() => loads() >= 2, { what: 'a second look at the history' });
    expect(subject.texts(key)).toHaveLength(2);
  });

  it('pages to older messages without gaps or doubles', async () => {
    const key = shared.sessionKey('older');
    await subject.openUp(proxy.url);
    await subject.show(key);
    await subject.write(key, 'begin');
    await subject.untilAnswered(key, 2);
    const admin = await shared.gateway.client();
    for (let index = 0; index < NOTES; index++) {
      await admin.request('chat.inject', { sessionKey: key, message: `note ${index}.` });
    }
    const other = new Subject({ token: shared.gateway.token });
    try {
      await other.openUp(proxy.url);
      await other.show(key);
      expect(other.view(key).meta.hasMore).toBe(true);
      expect((await other.chat.loadOlder(key)).ok).toBe(true);
      await other.until(key, 'the first message', ({ rows }) => rows.length >= NOTES + 2);
      expect(other.texts(key)[0]).toBe('user: begin');
      const notes = other.texts(key).flatMap((text) => /note (\d+)\./.exec(text)?.[1] ?? []);
      expect(notes).toEqual(Array.from({ length: NOTES }, (_, index) => String(index)));
      expect(other.view(key).meta.hasMore).toBe(false);
    } finally {
      await other.close();
    }
  });

  it('lists the sessions that exist, and keeps the list in step', async () => {
    const key = shared.sessionKey('listed');
    await subject.openUp(proxy.url);
    await subject.show(key);
    await subject.write(key, 'make me a session');
    await waitFor(() => subject.chat.sessions.some((session) => session.key === key), {
      what: 'the new session in the list',
    });
    expect(await subject.chat.listSessions()).toMatchObject({ ok: true });
    await subject.untilAnswered(key, 2);
  });

  it('refuses a message that no frame can carry, with its size', async () => {
    const key = shared.sessionKey('large');
    await subject.openUp(proxy.url);
    await subject.show(key);
    const writtenAtMs = performance.now();
    const messageId = await subject.write(key, 'x'.repeat(26 * 1024 * 1024));
    const view = await subject.until(key, 'the refusal', ({ rows }) => rows[0]?.delivery === 'failed');
    const tookMs = performance.now() - writtenAtMs;
    expect(view.rows[0]).toMatchObject({ id: messageId, failure: { type: 'gateway', code: 'TOO_LARGE' } });
    expect(proxy.sent().some(({ method }) => method === 'chat.send')).toBe(false);
    await subject.chat.discard(key, messageId);
    await subject.until(key, 'the row to go', ({ rows }) => rows.length === 0);
    expect(subject.downsOfCurrent()).toBe(0);
    // The control: what fits goes out over the same connection.
    await subject.write(key, 'something shorter');
    await subject.untilAnswered(key, 2);
    recordFault({
      row: 59,
      layer: 'core',
      injected: 'a message of 26 MiB for a Gateway that takes frames of 25 MiB',
      shown: `“not sent”, with its size and the limit, ${Math.round(tookMs)} ms after it was written; the connection stays`,
      tookMs: null,
      limitMs: null,
      control:
        'nothing of it passed the proxy, and a shorter message after it was answered over the same connection',
    });
  });
});

describe('a connection lost between send and acknowledgement', () => {
  it('ends in exactly one row and one run', async () => {
    const key = shared.sessionKey('ack-lost');
    const text = 'once and only once, please';
    await subject.openUp(proxy.url);
    await subject.show(key);
    proxy.loseAnswerTo('chat.send');
    const messageId = await subject.write(key, text);
    await subject.down();
    expect(subject.view(key).rows).toHaveLength(1);
    await subject.openUp(proxy.url);
    const view = await subject.untilAnswered(key, 2);
    expect(view.rows.map(({ role }) => role)).toEqual(['user', 'assistant']);
    expect(view.rows[0]).toMatchObject({ id: messageId, delivery: null });
    expect(shared.model.answered(text)).toBe(1);
    const keys = proxy
      .sent()
      .filter(({ method }) => method === 'chat.send')
      .map(({ params }) => params['idempotencyKey']);
    expect(new Set(keys)).toEqual(new Set([messageId]));
  });

  it('mid-reply takes the reply up again and shows it once', async () => {
    const key = shared.sessionKey('mid-reply');
    await subject.openUp(proxy.url);
    await subject.show(key);
    const messageId = await subject.write(key, '!slow 40 100');
    await subject.until(key, 'a streaming reply', ({ rows }) => rows.some((row) => row.streaming));
    // As the supervisor does after a route was lost: a new session over a new connection.
    await subject.session.close();
    await subject.openUp(proxy.url);
    const resumed = await subject.until(key, 'the run again', ({ meta }) => meta.load === 'loaded');
    expect(resumed.meta.activeRun).toMatchObject({ runId: messageId });
    const view = await subject.untilAnswered(key, 2);
    expect(view.rows).toHaveLength(2);
    const stored = await shared.gateway.history(key);
    expect(textOf(view.rows[1] as never).trim()).toBe(stored.at(-1)?.text.trim());
  });
});
