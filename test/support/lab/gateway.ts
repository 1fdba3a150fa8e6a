import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild, startChild, type Child, type RunResult } from './child.ts';
import { connectGatewayClient, type HistoryRow, type LabGatewayClient } from './gateway-client.ts';
import { freePort, waitForFree } from './ports.ts';
import { waitFor } from './wait.ts';

export type GatewayAuth = { readonly token: string } | { readonly password: string };

export interface GatewayOptions {
  /** Base URL of an OpenAI-compatible server, ending in `/v1`; see `startScriptedModel`. */
  readonly modelUrl: string;
  /** Default a random token. */
  readonly auth?: GatewayAuth;
  readonly port?: number;
  /** Merged deeply over the lab's configuration, for example `{ tools: { exec: { ask: 'always' } } }`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Default 90 s: a first start on a busy machine takes its time. */
  readonly readyTimeoutMs?: number;
}

export interface Gateway {
  readonly port: number;
  readonly host: '127.0.0.1';
  /** `ws://127.0.0.1:PORT` */
  readonly url: string;
  /** Null when it asks for a password. */
  readonly token: string | null;
  readonly password: string | null;
  readonly home: string;
  pid(): number | null;
  logs(): string;
  start(): Promise<void>;
  /** TERM, as a service manager does, with time to say goodbye to its clients. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when the port is free. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  pause(): void;
  resume(): void;
  /** A new device each time, connected by the official client. Close it, or the lab does. */
  client(): Promise<LabGatewayClient>;
  history(sessionKey: string): Promise<readonly HistoryRow[]>;
  /** Runs `openclaw ARGS` in the Gateway's home. */
  cli(args: readonly string[], timeoutMs?: number): Promise<RunResult>;
  close(): Promise<void>;
}

/** The real OpenClaw Gateway with a home of its own and no network but loopback; 7-12 s to start. */
export async function startGateway(dir: string, options: GatewayOptions): Promise<Gateway> {
  const entry = gatewayEntry();
  if (entry === null) throw new Error(GATEWAY_MISSING);
  const port = options.port ?? (await freePort());
  const auth = options.auth ?? { token: randomBytes(24).toString('base64url') };
  const token = 'token' in auth ? auth.token : null;
  const password = 'password' in auth ? auth.password : null;
  const home = join(dir, 'home');
  const configFile = join(home, '.openclaw', 'openclaw.json');
  mkdirSync(join(home, '.openclaw', 'workspace'), { recursive: true, mode: 0o700 });
  writeFileSync(
    configFile,
    JSON.stringify(
      merge(baseConfig(port, auth, options.modelUrl, join(dir, 'openclaw.log')), options.config ?? {}),
      null,
      2,
    ),
    {
      mode: 0o600,
    },
  );
  const tmp = join(dir, 'tmp');
  mkdirSync(tmp, { recursive: true, mode: 0o700 });
  const env = gatewayEnv(home, tmp);
  const clients = new Set<LabGatewayClient>();
  let child: Child | null = null;
  let earlierLogs = '';
  const logs = (): string => earlierLogs + (child?.output() ?? '');
  const logEnd = (): string => logs().slice(-3_000);

  async function start(): Promise<void> {
    if (child !== null && child.exited() === null) return;
    await stop();
    const starting = await startChild({
      command: nodePath(),
      args: [entry ?? '', 'gateway', 'run'],
      env,
      cwd: home,
      name: 'openclaw gateway',
    });
    child = starting;
    try {
      await waitFor(
        async () => {
          if (starting.exited() !== null) return 'ended';
          const answer = await fetch(`http://127.0.0.1:${port}/readyz`, {
            signal: AbortSignal.timeout(2_000),
          });
          return answer.ok ? 'ready' : null;
        },
        {
          what: 'the Gateway to be ready',
          timeoutMs: options.readyTimeoutMs ?? 90_000,
          intervalMs: 100,
          detail: logEnd,
        },
      );
      if (starting.exited() !== null) throw new Error(`The Gateway ended at once:\n${logEnd()}`);
    } catch (error) {
      await stop();
      throw error;
    }
  }

  async function stop(): Promise<void> {
    const ending = child;
    if (ending === null) return;
    if (ending.signal('SIGTERM')) await ending.waitForExit(10_000).catch(() => undefined);
    await end(ending);
  }

  async function kill(): Promise<void> {
    const ending = child;
    if (ending === null) return;
    ending.signal('SIGKILL');
    await end(ending);
  }

  async function end(ending: Child): Promise<void> {
    await ending.close();
    earlierLogs = (earlierLogs + ending.output()).slice(-1_000_000);
    if (child === ending) child = null;
    await waitForFree(port);
  }

  function toAll(signal: NodeJS.Signals): void {
    for (const info of child?.descendants() ?? []) process.kill(info.pid, signal);
  }

  async function client(): Promise<LabGatewayClient> {
    const made = await connectGatewayClient({
      url: `ws://127.0.0.1:${port}`,
      ...(token === null ? {} : { token }),
      ...(password === null ? {} : { password }),
    });
    clients.add(made);
    return made;
  }

  await start();
  return {
    port,
    host: '127.0.0.1',
    url: `ws://127.0.0.1:${port}`,
    token,
    password,
    home,
    pid: () => (child?.exited() === null ? child.pid : null),
    logs,
    start,
    stop,
    kill,
    async restart() {
      await stop();
      await start();
    },
    pause: () => toAll('SIGSTOP'),
    resume: () => toAll('SIGCONT'),
    client,
    async history(sessionKey) {
      const reader = await client();
      try {
        return await reader.history(sessionKey);
      } finally {
        clients.delete(reader);
        await reader.close();
      }
    },
    cli: (args, timeoutMs = 60_000) =>
      runChild(
        { command: nodePath(), args: [entry, ...args], env, cwd: home, name: `openclaw ${args[0] ?? ''}` },
        timeoutMs,
      ),
    async close() {
      await Promise.all([...clients].map((open) => open.close().catch(() => undefined)));
      clients.clear();
      await stop();
    },
  };
}

export const GATEWAY_MISSING =
  'The OpenClaw Gateway for tests is not installed: run `npm test` or `npm run demo` once, they install it into .runtime/gateway.';

/** The `openclaw` script: $GANGWAY_LAB_OPENCLAW, else .runtime/gateway; null when there is none. */
export function gatewayEntry(): string | null {
  const given = process.env['GANGWAY_LAB_OPENCLAW'];
  const entry =
    given ??
    fileURLToPath(new URL('../../../.runtime/gateway/node_modules/openclaw/openclaw.mjs', import.meta.url));
  return existsSync(entry) ? entry : null;
}

/** The Gateway wants Node >= 24.16; the pinned one of this repository, when it is not what runs us. */
function nodePath(): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 16)) {
    return process.execPath;
  }
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  return fileURLToPath(new URL(`../../../node_modules/${name}/bin/node`, import.meta.url));
}

function gatewayEnv(home: string, tmp: string): NodeJS.ProcessEnv {
  return {
    HOME: home,
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    TMPDIR: tmp,
    // Kept across labs: without it each start compiles the Gateway again.
    NODE_COMPILE_CACHE: fileURLToPath(new URL('../../../.runtime/node-compile-cache', import.meta.url)),
    OPENCLAW_DISABLE_BONJOUR: '1',
    OPENCLAW_NO_AUTO_UPDATE: '1',
    // It would start itself again in a second process, which costs a second start.
    OPENCLAW_NO_RESPAWN: '1',
  };
}

function baseConfig(
  port: number,
  auth: GatewayAuth,
  modelUrl: string,
  logFile: string,
): Record<string, unknown> {
  return {
    gateway: {
      mode: 'local',
      port,
      bind: 'loopback',
      auth:
        'token' in auth
          ? { mode: 'token', token: auth.token }
          : { mode: 'password', password: auth.password },
    },
    models: {
      providers: {
        stub: {
          baseUrl: modelUrl,
          apiKey: 'unused',
          api: 'openai-completions',
          models: [
            {
              id: 'scripted',
              name: 'Scripted',
              reasoning: false,
              input: ['text'],
              cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
              contextWindow: 128_000,
              maxTokens: 4_096,
            },
          ],
        },
      },
    },
    agents: { defaults: { model: { primary: 'stub/scripted' } } },
    logging: { file: logFile },
    // It would ask the registry for news.
    update: { checkOnStart: false },
  };
}

function merge(
  base: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isPlain(below) && isPlain(value) ? merge(below, value) : value;
  }
  return merged;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The configuration file as the Gateway reads it now, for tests that change it. */
export function readGatewayConfig(gateway: Gateway): unknown {
  return JSON.parse(readFileSync(join(gateway.home, '.openclaw', 'openclaw.json'), 'utf8'));
}
