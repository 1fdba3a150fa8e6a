import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forkedChannel } from '../../support/core/forked-channel.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { connectError, helloOk, type StandIn, type StandInScript, startStandIn } from './stand-in.ts';
import {
  isConnected,
  seenAtMs,
  type Stage,
  type StageOptions,
  startStage,
  untilFailed,
  wordsOf,
} from './stage.ts';

/** What the real Gateway cannot be made to show, seen by everything but Electron through a real sshd. */
const KEY = 'agent:main:main';
const MIB = 1024 * 1024;
const OVERSIZE_BYTES = 27 * MIB;
let lab: Lab;
beforeEach(async () => {
  lab = await createLab({ label: 'gateway-stand-in' });
});
afterEach(() => lab.close());

async function stageBefore(
  script: StandInScript,
  options: Pick<StageOptions, 'createChannel'> = {},
): Promise<Stage & { readonly server: StandIn }> {
  const server = lab.own(await startStandIn(script));
  const stage = await startStage(lab, { ...options, gatewayPort: Number(new URL(server.url).port) });
  return { ...stage, server };
}

/** Answers what the services ask, with an empty conversation. */
const answering: NonNullable<StandInScript['onRequest']> = (method, id, send) => {
  const lists: Readonly<Record<string, unknown>> = {
    'chat.history': { messages: [], hasMore: false },
    'exec.approval.list': [],
    'plugin.approval.list': [],
    'question.list': { questions: [] },
  };
  send({ type: 'res', id, ok: true, payload: lists[method] ?? {} });
};

describe('a gateway that answers "later"', () => {
  it('while it starts is asked again when it said, and not sooner', async () => {
    const retryAfterMs = 1500;
    const asked: number[] = [];
    let isReady = false;
    const { core } = await stageBefore({
      onRequest: answering,
      onConnect: (send, id) => {
        asked.push(performance.now());
        if (isReady) send({ type: 'res', id, ok: true, payload: helloOk() });
        else
          send(
            connectError(
              id,
              { reason: 'startup-sidecars' },
              { code: 'UNAVAILABLE', retryable: true, retryAfterMs },
            ),
          );
      },
    });
    core.gateway.connection.connect();
    const failure = await untilFailed(core, 'gateway-starting');
    await waitFor(() => asked.length === 3, { what: 'a third question' });
    isReady = true;
    const readyAtMs = performance.now();
    await core.until('connected');
    for (let index = 1; index < asked.length; index++)
      expect((asked[index] ?? 0) - (asked[index - 1] ?? 0)).toBeGreaterThanOrEqual(retryAfterMs - 5);
    recordFault({
      row: 22,
      layer: 'unit',
      injected: `a stand-in gateway that refuses connect with UNAVAILABLE and retryAfterMs ${retryAfterMs}, three times`,
      shown: `gateway-starting: “${wordsOf(core, failure).title}”, then connected`,
      tookMs: seenAtMs(core, readyAtMs, isConnected) - readyAtMs,
      limitMs: 2000,
      control: `refused ${asked.length - 1} times before; no two questions closer than ${retryAfterMs} ms`,
    });
  });

  it('because of too many tries is asked once, when the countdown is over', async () => {
    const retryAfterMs = 3000;
    const asked: number[] = [];
    const { core } = await stageBefore({
      onRequest: answering,
      onConnect: (send, id) => {
        asked.push(performance.now());
        if (asked.length > 1) send({ type: 'res', id, ok: true, payload: helloOk() });
        else send(connectError(id, { code: 'AUTH_RATE_LIMITED', retryAfterMs }));
      },
    });
    core.gateway.connection.connect();
    const failure = await untilFailed(core, 'rate-limited');
    expect(core.state).toMatchObject({ status: 'backing-off' });
    const waitMs = core.state.status === 'backing-off' ? core.state.retryAtMs - Date.now() : 0;
    expect(waitMs).toBeGreaterThan(retryAfterMs - 500);
    expect(waitMs).toBeLessThanOrEqual(retryAfterMs);
    const overAtMs = performance.now() + waitMs;
    // Neither the network nor a wake cuts a lockout short.
    core.connectivity.set(false);
    core.connectivity.set(true);
    await core.until('connected');
    expect(asked).toHaveLength(2);
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThanOrEqual(retryAfterMs - 5);
    recordFault({
      row: 55,
      part: 'countdown',
      layer: 'unit',
      injected: `a stand-in gateway that refuses connect with AUTH_RATE_LIMITED and retryAfterMs ${retryAfterMs}`,
      shown: `rate-limited: “${wordsOf(core, failure).title}”, with a countdown of ${retryAfterMs} ms, then connected`,
      tookMs: Math.max(0, seenAtMs(core, 1, isConnected) - overAtMs),
      limitMs: 2000,
      control:
        'exactly two questions in all, the second not before the countdown was over, in spite of a network change',
    });
  });
});

describe('a gateway of another protocol', () => {
  it.each([
    [5, /update gangway/i],
    [3, /update the gateway/i],
  ])('(%i) is named with what has to be updated, and not asked again', async (expectedProtocol, expected) => {
    const { core, server } = await stageBefore({
      onRequest: answering,
      onConnect: (send, id) => send(connectError(id, { code: 'PROTOCOL_MISMATCH', expectedProtocol })),
    });
    core.gateway.connection.connect();
    await core.until('blocked');
    const failure = await untilFailed(core, 'protocol-mismatch');
    const { title, body } = wordsOf(core, failure);
    expect(`${title} ${body}`).toMatch(expected);
    core.connectivity.set(false);
    core.connectivity.set(true);
    core.power.suspend();
    core.power.resume();
    expect(core.state.status).toBe('blocked');
    expect(server.connections()).toBe(1);
    recordFault({
      row: 57,
      part: `protocol ${expectedProtocol}`,
      layer: 'unit',
      injected: `a stand-in gateway that refuses connect with PROTOCOL_MISMATCH, expectedProtocol ${expectedProtocol}`,
      shown: `blocked, protocol-mismatch: “${title}”`,
      tookMs: null,
      limitMs: null,
      control:
        'the other protocol gets other words; one connection in all, after a network change and a wake too',
    });
  });
});

describe('a gateway that grants less than was asked for', () => {
  it('is connected all the same, and what it does not grant says why', async () => {
    const reason = 'missing scope: operator.write';
    const asked: string[] = [];
    const scopes = ['operator.read'];
    const { core } = await stageBefore({
      onConnect: (send, id) =>
        send({ type: 'res', id, ok: true, payload: helloOk({ auth: { role: 'operator', scopes } }) }),
      onRequest: (method, id, send, params) => {
        asked.push(method);
        if (method !== 'chat.send') answering(method, id, send, params);
        else
          send({
            type: 'res',
            id,
            ok: false,
            error: {
              code: 'INVALID_REQUEST',
              message: reason,
              details: { code: 'MISSING_SCOPE', missingScope: 'operator.write' },
            },
          });
      },
    });
    await core.connectUp();
    await core.show(KEY);
    await core.write(KEY, 'may I?');
    const view = await core.views.until(KEY, 'the refusal', ({ rows }) => rows[0]?.delivery === 'failed');
    expect(view.rows[0]?.failure).toMatchObject({ type: 'gateway', detail: reason });
    await waitFor(() => asked.includes('health'), { what: 'the rest to work' });
    expect(asked.filter((method) => method.includes('approval') || method.startsWith('question'))).toEqual(
      [],
    );
    expect(core.state.status).toBe('connected');
    recordFault({
      row: 56,
      layer: 'unit',
      injected: 'a stand-in gateway that grants operator.read alone, and refuses chat.send for its scope',
      shown: `connected; the history loads; the message says Failed, ${reason}; approvals are not asked for`,
      tookMs: null,
      limitMs: null,
      control: 'with all scopes the same stand-in is asked for approvals and questions (next test)',
    });
  });

  it('is asked for approvals and questions where it grants them', async () => {
    const asked = new Set<string>();
    const { core } = await stageBefore({
      onRequest: (method, id, send, params) => {
        asked.add(method);
        answering(method, id, send, params);
      },
    });
    await core.connectUp();
    await waitFor(
      () =>
        ['exec.approval.list', 'plugin.approval.list', 'question.list'].every((method) => asked.has(method)),
      { what: 'all three lists to be asked for' },
    );
    await waitFor(() => core.gateway.connection.snapshot().health?.pendingQuestions === 0, {
      what: 'the answer',
    });
  });
});

/** Frames that no gateway should send: broken text, wrong types, unknown events, prototype keys, old and lost numbers. */
function fuzzFrames(seed: number, count: number): readonly string[] {
  const names = fc.constantFrom(
    'chat',
    'agent',
    'session.message',
    'sessions.changed',
    'health',
    'tick',
    'presence',
    'exec.approval.requested',
    'shutdown.later',
    '__proto__',
    'constructor',
    'x'.repeat(500),
  );
  const key = fc.constantFrom(KEY, 'agent:main:other', '', '__proto__');
  const wrong = fc.oneof(fc.json(), fc.string(), fc.constant('{"type":"event"'), fc.constant('[]'));
  const event = fc
    .record({
      type: fc.constant('event'),
      event: names,
      payload: fc.oneof(
        fc.jsonValue(),
        fc.record({
          sessionKey: key,
          runId: fc.oneof(fc.string(), fc.integer()),
          seq: fc.oneof(fc.integer(), fc.string()),
          state: fc.constantFrom('delta', 'final', 'error', 'aborted', 'nonsense'),
          message: fc.oneof(fc.jsonValue(), fc.record({ role: fc.string(), content: fc.jsonValue() })),
          data: fc.jsonValue(),
        }),
      ),
      seq: fc.integer({ min: -5, max: 50_000 }),
    })
    .map((frame) => JSON.stringify(frame));
  const polluting = fc.constant(
    '{"type":"event","event":"chat","payload":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}',
  );
  const stray = fc
    .record({ type: fc.constant('res'), id: fc.string(), ok: fc.boolean() })
    .map((frame) => JSON.stringify(frame));
  return fc.sample(fc.oneof(wrong, event, event, polluting, stray), { seed, numRuns: count });
}

describe('a gateway that speaks nonsense', () => {
  it('for 10,000 frames is borne, and what was lost is read again', { timeout: 120_000 }, async () => {
    let loads = 0;
    const { core, server } = await stageBefore({
      onRequest: (method, id, send, params) => {
        if (method === 'chat.history') loads += 1;
        answering(method, id, send, params);
      },
    });
    await core.connectUp();
    await core.show(KEY);
    for (const frame of fuzzFrames(20_260_923, 10_000)) server.pushRaw(frame);
    const sentAtMs = performance.now();
    const before = loads;
    server.pushRaw('{"type":"event","event":"tick","payload":{},"seq":900001}');
    server.pushRaw('{"type":"event","event":"tick","payload":{},"seq":900009}');
    await waitFor(() => loads > before, {
      what: 'the history to be read again after a gap',
      timeoutMs: 30_000,
    });
    await core.views.until(KEY, 'its history', ({ meta }) => meta.load === 'loaded');
    const tookMs = performance.now() - sentAtMs;
    expect(core.state.status).toBe('connected');
    expect(server.connections()).toBe(1);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(core.logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
    recordFault({
      row: 60,
      layer: 'unit',
      injected:
        '10,000 seeded frames: broken JSON, wrong types, unknown events, prototype keys, sequence gaps',
      shown: 'connected throughout over one connection; the history is read again after the gap',
      tookMs,
      limitMs: 2000,
      control: 'two ticks whose numbers leave a gap cause another chat.history, so the frames were read',
    });
  });
});

describe('a gateway that found us too slow', () => {
  it('is connected to again, and the conversation read anew', async () => {
    let loads = 0;
    const { core, server } = await stageBefore({
      onRequest: (method, id, send, params) => {
        if (method === 'chat.history') loads += 1;
        answering(method, id, send, params);
      },
    });
    await core.connectUp();
    await core.show(KEY);
    const before = loads;
    const closedAtMs = performance.now();
    server.closeAll(1008, 'slow consumer');
    await core.untilState('left', ({ status }) => status !== 'connected');
    await core.until('connected');
    await waitFor(() => loads > before, { what: 'the history to be read again' });
    await core.views.until(KEY, 'its history', ({ meta }) => meta.load === 'loaded');
    const shown = core
      .statesSince(closedAtMs)
      .flatMap(({ state }) => (state.status === 'connecting' ? [state.lastFailure?.code] : []));
    expect(shown).toContain('slow-consumer');
    expect(server.connections()).toBe(2);
    recordFault({
      row: 61,
      part: 'slow consumer',
      layer: 'unit',
      injected: 'a stand-in gateway that closes with 1008 "slow consumer"',
      shown: 'reconnecting (slow-consumer), connected, the history read anew',
      tookMs: performance.now() - closedAtMs,
      limitMs: 3000,
      control: 'a second connection and a second chat.history were counted',
    });
  });
});

describe('a frame beyond the limit', () => {
  it('ends one connection, costs no memory, and the next page is shorter', { timeout: 120_000 }, async () => {
    const limits: unknown[] = [];
    const filler = Buffer.alloc(OVERSIZE_BYTES, 'x');
    const { core, server } = await stageBefore(
      {
        onRequest: (method, id, send, params) => {
          if (method !== 'chat.history') answering(method, id, send, params);
          else if (limits.push(params['limit']) === 1) {
            filler.write(`{"type":"res","id":"${id}","ok":true,"payload":{"messages":["`);
            filler.write('"]}}', OVERSIZE_BYTES - 4);
            send(filler);
          } else answering(method, id, send, params);
        },
        // As in the app: what the tunnel holds is the memory of another process.
      },
      { createChannel: () => forkedChannel() },
    );
    await core.connectUp();
    let peak = process.memoryUsage().rss;
    const before = peak;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5);
    const sentAtMs = performance.now();
    const opened = await core.gateway.chat.open(KEY);
    if (opened.ok) core.views.start(opened.value);
    await core.untilState('left', ({ status }) => status !== 'connected', 30_000);
    const leftAtMs = performance.now();
    const lastFailure = core
      .statesSince(sentAtMs)
      .flatMap(({ state }) => (state.status === 'connecting' ? (state.lastFailure ?? []) : []))[0];
    await core.views.until(KEY, 'its history', ({ meta }) => meta.load === 'loaded');
    const tookMs = performance.now() - leftAtMs;
    clearInterval(watch);
    expect(limits).toEqual([200, 100]);
    expect(server.connections()).toBe(2);
    expect(lastFailure?.code).toBe('frame-too-large');
    const spike = (peak - before) / MIB;
    expect(spike).toBeLessThan(60);
    recordFault({
      row: 58,
      layer: 'unit',
      injected: `a stand-in gateway whose first chat.history is a frame of ${OVERSIZE_BYTES / MIB} MiB`,
      shown: `frame-too-large: “${lastFailure ? wordsOf(core, lastFailure).title : ''}”, reconnected, the history loaded with a page half as long; ${Math.round(spike)} MiB more memory at most`,
      tookMs,
      limitMs: 3000,
      control: 'a frame of 24 MiB is taken (row 13); two connections and two pages in all, so no loop',
    });
  });
});

describe('a large frame over a slow way', () => {
  it(
    'arrives late, and so does what else is asked, but nothing is given up',
    { timeout: 120_000 },
    async () => {
      const text = 'x'.repeat(240 * 1024);
      const messages = Array.from({ length: 106 }, (_, index) => ({
        role: 'assistant',
        content: [{ type: 'text', text: `${index} ${text}` }],
        __openclaw: { id: `m${index}`, seq: index + 1 },
      }));
      const rest = '"ok":true,"payload":';
      const page = Buffer.from(`${JSON.stringify({ messages, hasMore: false })}}`);
      let bytes = 0;
      const server = lab.own(
        await startStandIn({
          onRequest: (method, id, send, params) => {
            if (method !== 'chat.history') {
              answering(method, id, send, params);
              return;
            }
            const frame = Buffer.concat([Buffer.from(`{"type":"res","id":"${id}",${rest}`), page]);
            bytes = frame.length;
            send(frame);
          },
        }),
      );
      const sshd = await lab.startSshd();
      const proxy = await lab.startFaultProxy({ targetPort: sshd.port, delayMs: 100 });
      const { core } = await startStage(lab, {
        gatewayPort: Number(new URL(server.url).port),
        sshd,
        sshPort: proxy.port,
        createChannel: () => forkedChannel(),
      });
      await core.connectUp();
      const startedMs = performance.now();
      const opened = await core.gateway.chat.open(KEY);
      if (opened.ok) core.views.start(opened.value);
      core.gateway.connection.refreshHealth();
      await core.views.until(KEY, 'its history', ({ meta }) => meta.load === 'loaded', 30_000);
      const tookMs = performance.now() - startedMs;
      expect(core.views.view(KEY).rows).toHaveLength(106);
      expect(bytes).toBeGreaterThan(24 * MIB);
      expect(core.statesSince(startedMs)).toEqual([]);
      expect(server.connections()).toBe(1);
      const passed = proxy.counts().bytesDown;
      expect(passed).toBeGreaterThan(24 * MIB);
      await waitFor(() => (core.gateway.connection.snapshot().health?.observedAtMs ?? 0) > 0, {
        what: 'the other answer',
      });
      recordFault({
        row: 13,
        layer: 'unit',
        injected: `a chat.history of ${(bytes / MIB).toFixed(1)} MiB in one frame, through a proxy with a round trip of 200 ms before a real sshd`,
        shown: 'connected throughout; all 106 rows; the health answer too',
        tookMs,
        limitMs: 8000,
        control: `the proxy counted ${(passed / MIB).toFixed(1)} MiB; one connection in all; a frame of 27 MiB is refused (row 58)`,
      });
    },
  );
});
