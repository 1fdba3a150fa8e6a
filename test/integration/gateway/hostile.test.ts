import { afterEach, describe, expect, it } from 'vitest';
import { probeHealthz } from '../../../src/main/node/gateway/healthz-probe.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import { waitFor } from '../../support/lab/wait.ts';
import {
  connectError,
  helloOk,
  type StandIn,
  type StandInScript,
  startStandIn,
  startTcpServer,
  startWebServer,
} from './stand-in.ts';
import { Subject } from './subject.ts';

/** Servers that are no gateway, gateways of another time, and gateways that misbehave. */
const KEY = 'agent:main:main';
/** 10,000 events at 5,000 a second. */
const FLOOD_MS = 2_000;
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function subject(): Subject {
  const created = new Subject({ token: 'a-token' });
  cleanups.push(() => created.close());
  return created;
}
async function standIn(script: StandInScript = {}): Promise<StandIn> {
  const server = await startStandIn(script);
  cleanups.push(() => server.close());
  return server;
}
/** Answers what the services ask, with an empty conversation. */
const answering: StandInScript['onRequest'] = (method, id, send) => {
  const payload = method === 'chat.history' ? { messages: [], hasMore: false } : {};
  send({ type: 'res', id, ok: true, payload });
};

describe('refusals at the door', () => {
  const NOT_PAIRED = { code: 'PAIRING_REQUIRED', reason: 'not-paired', requestId: 'req-1' };
  it.each<[string, Record<string, unknown>, Record<string, unknown>, Record<string, unknown>]>([
    [
      'a gateway of protocol 5',
      { code: 'PROTOCOL_MISMATCH', expectedProtocol: 5 },
      {},
      { code: 'protocol-mismatch', facts: { ours: 4, theirs: 5 } },
    ],
    [
      'a gateway that wants pairing',
      NOT_PAIRED,
      {},
      { code: 'pairing-required', facts: { requestId: 'req-1', reason: 'not-paired' } },
    ],
    [
      'a rate limit',
      { code: 'AUTH_RATE_LIMITED', retryAfterMs: 3000 },
      {},
      { code: 'rate-limited', facts: { retryAfterMs: 3000 } },
    ],
    [
      'a gateway that is starting',
      { reason: 'startup-sidecars' },
      { code: 'UNAVAILABLE', retryable: true, retryAfterMs: 700 },
      { code: 'gateway-starting', facts: { retryAfterMs: 700 } },
    ],
    ['a scope mismatch', { code: 'AUTH_SCOPE_MISMATCH' }, {}, { code: 'scope-missing' }],
  ])('%s is named, in one attempt', async (_name, details, more, expected) => {
    const server = await standIn({ onConnect: (send, id) => send(connectError(id, details, more)) });
    const tested = subject();
    expect(await tested.open(server.url)).toMatchObject({ type: 'session-down', failure: expected });
    await tested.session.close();
    expect(server.connections()).toBe(1);
    expect(server.problems()).toEqual([]);
    expect(tested.downsOfCurrent()).toBe(1);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a hello that is none', { type: 'hello-ok' }],
    ['a hello without scopes', helloOk({ auth: {} })],
    ['a hello of wrong types', helloOk({ auth: { scopes: 'all' }, server: 7, snapshot: [] })],
  ])('%s is no gateway', async (_name, payload) => {
    const server = await standIn({ onConnect: (send, id) => send({ type: 'res', id, ok: true, payload }) });
    expect(await subject().open(server.url)).toMatchObject({ failure: { code: 'not-a-gateway' } });
  });

  it('a hello without the right to read is no use, one without the right to write is', async () => {
    const hello = (scopes: readonly string[]): StandInScript => ({
      onConnect: (send, id) =>
        send({ type: 'res', id, ok: true, payload: helloOk({ auth: { role: 'operator', scopes } }) }),
      onRequest: answering,
    });
    const none = await standIn(hello([]));
    expect(await subject().open(none.url)).toMatchObject({ failure: { code: 'scope-missing' } });
    const reading = await standIn(hello(['operator.read']));
    const tested = subject();
    expect(await tested.open(reading.url)).toMatchObject({
      type: 'session-up',
      facts: { scopes: ['operator.read'] },
    });
    expect(tested.session.hello?.missingScopes).toEqual([
      'operator.write',
      'operator.approvals',
      'operator.questions',
    ]);
  });

  it.each<[string, unknown]>([
    ['without a nonce', { type: 'event', event: 'connect.challenge', payload: { ts: 1 } }],
    ['without a time', { type: 'event', event: 'connect.challenge', payload: { nonce: 'n' } }],
    [
      'with a time that is none',
      { type: 'event', event: 'connect.challenge', payload: { nonce: 'n', ts: 'now' } },
    ],
  ])('a challenge %s is no gateway', async (_name, challenge) => {
    const server = await standIn({ challenge });
    expect(await subject().open(server.url)).toMatchObject({ failure: { code: 'not-a-gateway' } });
  });

  it.each<[string, number, string]>([
    ['a web site', 200, '<html>hello</html>'],
    ['a page that is missing', 404, 'nothing here'],
    ['a login', 401, 'who are you'],
    ['a redirect', 302, ''],
  ])('%s is no gateway', async (_name, status, body) => {
    const server = await startWebServer(status, body);
    cleanups.push(() => server.close());
    expect(await subject().open(server.url)).toMatchObject({
      failure: { code: 'not-a-gateway', facts: { detail: `HTTP ${status}` } },
    });
    expect(await probeHealthz(server.url, 3000)).toMatchObject({
      ok: false,
      error: { code: 'not-a-gateway' },
    });
  });

  it('another protocol is no gateway', async () => {
    const server = await startTcpServer('SSH-2.0-OpenSSH_9.2\r\n');
    cleanups.push(() => server.close());
    expect(await subject().open(server.url)).toMatchObject({ failure: { code: 'not-a-gateway' } });
    expect(await probeHealthz(server.url, 3000)).toMatchObject({
      ok: false,
      error: { code: 'not-a-gateway' },
    });
  });

  it('a port that takes connections and says nothing is given up after 10 s', async () => {
    const server = await startTcpServer(null);
    cleanups.push(() => server.close());
    expect(await subject().open(server.url)).toMatchObject({
      failure: { code: 'gateway-silent', facts: { limitMs: 10_000 } },
    });
    expect(await probeHealthz(server.url, 500)).toMatchObject({
      ok: false,
      error: { code: 'gateway-silent' },
    });
  });

  it('a plain server behind wss: is a TLS failure', async () => {
    const server = await startWebServer(200, '');
    cleanups.push(() => server.close());
    expect(await subject().open(server.url.replace('ws:', 'wss:'))).toMatchObject({
      failure: { code: 'tls-rejected' },
    });
  });

  it('an address that would send the token in the clear is refused before anything is sent', async () => {
    expect(await subject().open('ws://gateway.example:80')).toMatchObject({
      failure: { code: 'gateway-url-insecure' },
    });
  });

  it('a keychain that refuses is named, and nothing is sent', async () => {
    const server = await standIn();
    const tested = subject();
    tested.secrets.failReads = true;
    expect(await tested.open(server.url)).toMatchObject({ failure: { code: 'secrets-unavailable' } });
    expect(server.connections()).toBe(0);
  });
});

describe('a session that stands', () => {
  it.each<[number, string, string]>([
    [1000, '', 'gateway-closed'],
    [1001, 'going away', 'gateway-closed'],
    [1008, 'slow consumer', 'slow-consumer'],
    [1009, 'too big', 'frame-too-large'],
    [1012, 'service restart', 'gateway-restarting'],
    [1013, 'gateway starting', 'gateway-starting'],
  ])('closed with %i %s is %s, told once', async (code, reason, expected) => {
    const server = await standIn({ onRequest: answering });
    const tested = subject();
    await tested.openUp(server.url);
    server.closeAll(code, reason);
    expect(await tested.down()).toMatchObject({ code: expected });
    await tested.session.close();
    expect(tested.downsOfCurrent()).toBe(1);
    expect(server.connections()).toBe(1);
  });

  it('is said to restart in the time that the gateway named', async () => {
    const server = await standIn({ onRequest: answering });
    const tested = subject();
    await tested.openUp(server.url);
    server.push({ type: 'event', event: 'shutdown', payload: { reason: 'update', restartExpectedMs: 1500 } });
    server.closeAll(1012, 'service restart');
    expect(await tested.down()).toEqual({ code: 'gateway-restarting', facts: { expectedMs: 1500 } });
  });

  it('lives through frames that are no frames', async () => {
    const server = await standIn({ onRequest: answering });
    const tested = subject();
    await tested.openUp(server.url);
    await tested.show(KEY);
    const junk = [
      'no json',
      '',
      '[]',
      'null',
      '{"type":"event"}',
      '{"type":"res","id":"nobody","ok":true}',
      '{"type":"event","event":"chat","payload":null}',
      '{"type":"event","event":"chat","payload":{"sessionKey":"agent:main:main","runId":7}}',
      '{"type":"event","event":"session.message","payload":{"sessionKey":"agent:main:main","message":{"role":"user","content":{"a":1}}}}',
      '{"type":"event","event":"__proto__","payload":{"__proto__":{"polluted":true}}}',
      '{"type":"event","event":"nobody.knows.this","payload":{"x":1}}',
      '{"type":"event","event":"sessions.changed","payload":[]}',
      '{"type":"event","event":"health","payload":"well"}',
    ];
    for (let round = 0; round < 300; round++) for (const frame of junk) server.pushRaw(frame);
    expect((await tested.session.probe(10_000)).alive).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(tested.downsOfCurrent()).toBe(0);
    expect(server.problems()).toEqual([]);
  });

  it('reads the history again when events were lost', async () => {
    let asked = 0;
    const server = await standIn({
      onRequest: (method, id, send, params) => {
        if (method === 'chat.history') asked += 1;
        answering(method, id, send, params);
      },
    });
    const tested = subject();
    await tested.openUp(server.url);
    await tested.show(KEY);
    expect(asked).toBe(1);
    server.push({ type: 'event', event: 'tick', payload: {}, seq: 1 });
    server.push({ type: 'event', event: 'tick', payload: {}, seq: 9 });
    await waitFor(() => asked === 2, { what: 'the history to be read again' });
  });

  it('stays responsive under a flood of 5,000 events in a second, and patches stay few', async () => {
    const server = await standIn({ onRequest: answering });
    const tested = subject();
    await tested.openUp(server.url);
    await tested.show(KEY);
    let longestGapMs = 0;
    let mostBuffered = 0;
    let last = performance.now();
    const beat = setInterval(() => {
      longestGapMs = Math.max(longestGapMs, performance.now() - last);
      last = performance.now();
    }, 5);
    const before = tested.patches.length;
    const startedMs = performance.now();
    try {
      let sent = 0;
      // As fast as 5,000 a second, in the steps in which a socket delivers them.
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          const due = Math.min(10_000, Math.floor((performance.now() - startedMs) * 5));
          for (; sent < due; sent++) {
            const text = `word ${sent} `.repeat(20);
            const message = { role: 'assistant', content: [{ type: 'text', text }] };
            const payload = {
              runId: 'flood',
              sessionKey: KEY,
              seq: sent + 1,
              state: 'delta',
              deltaText: 'x',
              message,
            };
            server.push({ type: 'event', event: 'chat', payload });
          }
          mostBuffered = Math.max(mostBuffered, server.bufferedBytes());
          if (sent >= 10_000) {
            clearInterval(timer);
            resolve();
          }
        }, 10);
      });
      await tested.until(KEY, 'the last words', ({ rows }) =>
        JSON.stringify(rows.at(-1)?.parts).includes('word 9999 '),
      );
    } finally {
      clearInterval(beat);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    expect((tested.patches.length - before) / seconds).toBeLessThanOrEqual(31);
    // 50 ms on an idle machine. What it must catch, work that grows with the square of the events, takes many seconds.
    expect(longestGapMs).toBeLessThan(2_000);
    expect(mostBuffered).toBeLessThan(50 * 1024 * 1024);
    expect(tested.downsOfCurrent()).toBe(0);
    const patches = tested.patches.length - before;
    recordFault({
      row: 61,
      part: 'flood',
      layer: 'unit',
      injected: `a stand-in gateway that sends 10,000 events in ${seconds.toFixed(1)} s`,
      shown: `every word in the conversation; ${(patches / seconds).toFixed(0)} patches a second for the windows; at most ${Math.round(mostBuffered / 1024)} KiB waited at the gateway`,
      tookMs: Math.max(0, seconds * 1000 - FLOOD_MS),
      limitMs: 3000,
      control: `10,000 events became ${patches} patches; the last word of the flood is shown`,
    });
  });

  it('asks for a shorter history after one that fitted into no frame', async () => {
    const limits: unknown[] = [];
    const server = await standIn({
      onRequest: (method, id, send, params) => {
        if (method !== 'chat.history') answering(method, id, send, params);
        else if (limits.push(params['limit']) === 1) {
          // Beyond the 25 MiB that the client takes.
          send({ type: 'res', id, ok: true, payload: { messages: ['x'.repeat(27 * 1024 * 1024)] } });
        } else answering(method, id, send, params);
      },
    });
    const tested = subject();
    await tested.openUp(server.url);
    await tested.chat.open(KEY);
    expect(await tested.down()).toMatchObject({ code: 'frame-too-large' });
    await tested.openUp(server.url);
    await tested.show(KEY);
    expect(limits).toEqual([200, 100]);
  });
});
