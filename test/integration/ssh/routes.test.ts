import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../../src/shared/connection-failure.ts';
import { err, ok } from '../../../src/shared/result.ts';
import type { RouteDriver, RouteEvent } from '../../../src/main/core/connection/ports.ts';
import type { PortMove, TunnelChannel } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { GatewayPromptMemory } from '../../../src/main/app/prompt-memory.ts';
import { systemClock } from '../../../src/main/node/system-clock.ts';
import { DirectRoute } from '../../../src/main/node/tunnel/direct-route.ts';
import { inProcessChannel } from '../../../src/main/node/tunnel/in-process-channel.ts';
import { LocalRoute } from '../../../src/main/node/tunnel/local-route.ts';
import { SshRoute, type PromptMemory } from '../../../src/main/node/tunnel/ssh-route.ts';
import { FakePromptMemory } from '../../support/fakes/fake-prompt-memory.ts';
import { MemorySecrets } from '../../support/fakes/memory-secrets.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { canBind, freePort } from '../../support/lab/ports.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { Client, startEcho, tunnelTo, type EchoServer, type TunnelFixture } from './tunnel-fixture.ts';

let lab: Lab;
let echo: EchoServer;

beforeEach(async () => {
  lab = await createLab({ label: 'routes' });
  echo = await startEcho(lab);
});
afterEach(() => lab.close());

class Recorder {
  readonly events: RouteEvent[] = [];

  constructor(route: RouteDriver) {
    route.onEvent((event) => this.events.push(event));
    lab.own({ close: () => route.dispose() });
  }

  wait<T extends RouteEvent['type']>(type: T, attempt: number): Promise<Extract<RouteEvent, { type: T }>> {
    return waitFor(
      () =>
        this.events.find(
          (event): event is Extract<RouteEvent, { type: T }> =>
            event.type === type && event.attempt === attempt,
        ),
      { what: `${type} of attempt ${attempt}`, detail: () => JSON.stringify(this.events) },
    );
  }
}

const silent = { log: () => undefined };

function sshRoute(
  tunnel: TunnelFixture,
  memory: PromptMemory = new FakePromptMemory(),
): { route: SshRoute; recorder: Recorder; channels: TunnelChannel[]; moves: PortMove[] } {
  const channels: TunnelChannel[] = [];
  const moves: PortMove[] = [];
  const route = new SshRoute({
    resolveConfig: () => Promise.resolve(ok(tunnel.config)),
    memory,
    createChannel: () => {
      const channel = inProcessChannel();
      channels.push(channel);
      return channel;
    },
    onPortMoved: (move) => moves.push(move),
    clock: systemClock,
    logger: silent,
  });
  return { route, recorder: new Recorder(route), channels, moves };
}

describe('the route over SSH', () => {
  it('goes up with a loopback endpoint, answers a probe, and ends its session on close', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const { route, recorder } = sshRoute(tunnel);
    route.open(1);
    const up = await recorder.wait('route-up', 1);
    const { localPort } = tunnel.config;
    expect(up.endpoint).toEqual({ url: `ws://127.0.0.1:${localPort}`, localPort });
    expect((await route.probe(5_000)).alive).toBe(true);
    await (await Client.connect(lab, localPort)).echo('hi');
    await route.close();
    await sshd.waitForSessions(0);
    expect(await canBind(localPort)).toBe(false);
    expect((await route.probe(1_000)).alive).toBe(false);
    await route.dispose();
    expect(await canBind(localPort)).toBe(true);
  });

  it('passes a question on, and the answer back', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port, { trusted: false });
    const { route, recorder } = sshRoute(tunnel);
    route.open(1);
    const { prompt } = await recorder.wait('route-needs-user', 1);
    if (prompt.type !== 'host-key') throw new Error(prompt.type);
    route.answer(1, prompt.id, { type: 'trust-host-key', fingerprint: prompt.fingerprint });
    await recorder.wait('route-up', 1);
  });

  it('reports the crash of its process as the end of the attempt, and starts another for the next', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const { route, recorder, channels } = sshRoute(tunnel);
    route.open(1);
    await recorder.wait('route-up', 1);
    channels[0]?.kill();
    const down = await recorder.wait('route-down', 1);
    expect(down.failure.code).toBe('tunnel-process-crashed');
    await waitFor(() => canBind(tunnel.config.localPort), { what: 'the port to be free' });
    route.open(2);
    await recorder.wait('route-up', 2);
    expect(channels).toHaveLength(2);
  });

  it('drops what belongs to an attempt that was closed', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const { route, recorder } = sshRoute(tunnel);
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      route.open(attempt);
      if (attempt % 2 === 0) await route.close();
    }
    route.open(11);
    await recorder.wait('route-up', 11);
    const finished = recorder.events.filter(
      (event) => event.type === 'route-up' || event.type === 'route-down',
    );
    expect(finished.map((event) => event.attempt)).toEqual([11]);
  });

  it('kills a process that does not answer', async () => {
    const posted: string[] = [];
    let killed = 0;
    const exits: ((code: number | null) => void)[] = [];
    const route = new SshRoute({
      resolveConfig: async () => Promise.resolve(ok((await tunnelTo(lab, FAKE_SERVER, 1)).config)),
      memory: new FakePromptMemory(),
      createChannel: () => ({
        post: (command) => posted.push(command.type),
        onReport: () => ({ dispose: () => undefined }),
        onExit: (listener) => {
          exits.push(listener);
          return { dispose: () => undefined };
        },
        kill: () => {
          killed += 1;
          for (const tell of exits) tell(null);
        },
      }),
      onPortMoved: () => undefined,
      clock: systemClock,
      logger: silent,
    });
    new Recorder(route);
    route.open(1);
    await waitFor(() => posted.includes('open'), { what: 'the open command' });
    expect(await route.probe(100)).toEqual({ alive: false, latencyMs: null });
    await route.close();
    expect(killed).toBe(1);
  });

  it('ends an attempt whose configuration cannot be resolved', async () => {
    const why = failure('target-invalid', { target: '-oProxyCommand=x' });
    const route = new SshRoute({
      resolveConfig: () => Promise.resolve(err(why)),
      memory: new FakePromptMemory(),
      createChannel: () => inProcessChannel(),
      onPortMoved: () => undefined,
      clock: systemClock,
      logger: silent,
    });
    const recorder = new Recorder(route);
    route.open(4);
    expect((await recorder.wait('route-down', 4)).failure).toEqual(why);
  });
});

describe('a question on the way over SSH', () => {
  /** A server that takes one password, and all that were shown to it. */
  async function passwordServer(right: string) {
    const shown: string[] = [];
    const server = await lab.startEmbeddedSsh({
      authenticate: () => (context) => {
        if (context.method === 'password') shown.push(context.password);
        if (context.method === 'password' && context.password === right) context.accept();
        else context.reject(['password']);
      },
    });
    const tunnel = await tunnelTo(lab, server, echo.port);
    return { server, shown, tunnel };
  }
  const typed = (password: string) => ({ type: 'password', password, remember: true }) as const;

  it('keeps the session for the answer, and close ends both', async () => {
    const { server, shown, tunnel } = await passwordServer('right');
    const { route, recorder } = sshRoute(tunnel);
    route.open(1);
    const { prompt } = await recorder.wait('route-needs-user', 1);
    expect(prompt).toMatchObject({ type: 'password', wasWrong: false });
    expect(server.counts().live).toBe(1);
    await route.close();
    await waitFor(() => server.counts().live === 0, { what: 'the session to end' });
    route.answer(1, prompt.id, typed('right'));
    route.open(2);
    await recorder.wait('route-needs-user', 2);
    expect(shown).toEqual([]);
  });

  it('ends with its process, and nothing is left of it', async () => {
    const { server, tunnel } = await passwordServer('right');
    const { route, recorder, channels } = sshRoute(tunnel);
    route.open(1);
    await recorder.wait('route-needs-user', 1);
    channels[0]?.kill();
    expect((await recorder.wait('route-down', 1)).failure.code).toBe('tunnel-process-crashed');
    await waitFor(() => server.counts().live === 0, { what: 'the session to end' });
    route.open(2);
    const { prompt } = await recorder.wait('route-needs-user', 2);
    route.answer(2, prompt.id, typed('right'));
    await recorder.wait('route-up', 2);
  });

  it('is answered from the keychain once, and asked of the person when that proves wrong', async () => {
    const { shown, tunnel } = await passwordServer('new');
    const secrets = new MemorySecrets();
    const memory = (): GatewayPromptMemory =>
      new GatewayPromptMemory({ gatewayId: 'g', secrets, logger: silent, noteSecret: () => undefined });
    const { user, host, port } = tunnel.config.target;
    await secrets.set('ssh-secrets:g', JSON.stringify({ [`password ${user}@${host}:${port}`]: 'old' }));
    const { route, recorder } = sshRoute(tunnel, memory());
    route.open(1);
    const { prompt } = await recorder.wait('route-needs-user', 1);
    expect([prompt, shown, secrets.values.size]).toMatchObject([{ wasWrong: true }, ['old'], 0]);
    route.answer(1, prompt.id, typed('new'));
    await recorder.wait('route-up', 1);
    await route.dispose();

    const later = sshRoute(tunnel, memory());
    later.route.open(1);
    await later.recorder.wait('route-up', 1);
    expect(shown).toEqual(['old', 'new', 'new']);
  });
});

const FAKE_SERVER = {
  port: 22,
  user: 'x',
  clientKey: { type: 'ed25519', privateKey: '', publicKey: '', fingerprint: '' },
  knownHostsLine: () => '',
} as const;

describe('the route on this computer', () => {
  it('is up where something listens, and is probed by the health page', async () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/healthz' ? 200 : 404;
      response.end(JSON.stringify({ ok: true, status: 'live' }));
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen({ port, host: '127.0.0.1' }, resolve));
    lab.own({ close: () => new Promise<void>((resolve) => server.close(() => resolve())) });
    const route = new LocalRoute(port);
    const recorder = new Recorder(route);
    route.open(1);
    const up = await recorder.wait('route-up', 1);
    expect(up.endpoint).toEqual({ url: `ws://127.0.0.1:${port}`, localPort: port });
    expect((await route.probe(5_000)).alive).toBe(true);
    server.closeAllConnections();
  });

  it('is down where nothing listens', async () => {
    const port = await freePort();
    const route = new LocalRoute(port);
    const recorder = new Recorder(route);
    route.open(1);
    const down = await recorder.wait('route-down', 1);
    const url = `ws://127.0.0.1:${port}`;
    expect(down.failure).toEqual(failure('gateway-unreachable', { url, detail: 'ECONNREFUSED' }));
  });
});

describe('the direct route', () => {
  it.each([
    ['ws://gateway.example.org:18789/', 'gateway-url-insecure'],
    ['ws://8.8.8.8/', 'gateway-url-insecure'],
    ['ws://172.32.0.1/', 'gateway-url-insecure'],
    ['ws://[2001:db8::1]/', 'gateway-url-insecure'],
    ['ws://localhost.example.org/', 'gateway-url-insecure'],
    ['ftp://example.org/', 'gateway-url-invalid'],
    ['wss://user:secret@example.org/', 'gateway-url-invalid'],
    ['not a url', 'gateway-url-invalid'],
  ] as const)('refuses %s as %s', async (url, code) => {
    const recorder = openDirect(url);
    const down = await recorder.wait('route-down', 1);
    expect(down.failure.code).toBe(code);
    expect(JSON.stringify(down)).not.toContain('secret');
  });

  it.each([
    'wss://gateway.example.org/',
    'ws://127.0.0.1:18789/',
    'ws://localhost:18789/',
    'ws://192.168.1.4:18789/',
    'ws://100.64.0.9/',
    'ws://[fd00::5]:18789/',
    'ws://[::1]:18789/',
    'ws://box.tailnet.ts.net/',
    'ws://mac.local/',
  ])('takes %s as it is', async (url) => {
    const recorder = openDirect(url);
    const up = await recorder.wait('route-up', 1);
    expect(up.endpoint).toEqual({ url, localPort: null });
  });

  function openDirect(url: string): Recorder {
    const route = new DirectRoute(url);
    const recorder = new Recorder(route);
    route.open(1);
    return recorder;
  }
});
