import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultProxy } from '../support/lab/fault-proxy.ts';
import type { Gateway } from '../support/lab/gateway.ts';
import type { Lab } from '../support/lab/lab.ts';
import { freePort } from '../support/lab/ports.ts';
import type { ScriptedModel } from '../support/lab/scripted-model.ts';
import type { Sshd } from '../support/lab/sshd.ts';
import { AppProcess } from './app-process.ts';
import { tokensOf, type Span } from './checker.ts';
import { type ConnectionMoment, Timeline } from './timeline.ts';

/** All parts of a run: a real sshd behind a link that can be spoiled, a real Gateway, and the app. */
export interface Stage {
  readonly timeline: Timeline;
  readonly model: ScriptedModel;
  readonly gateway: Gateway;
  readonly sshd: Sshd;
  readonly proxy: FaultProxy;
  readonly app: AppProcess;
  readonly dataDir: string;
  /** When the model was asked to answer which message. */
  readonly asked: { readonly token: string; readonly atMs: number }[];
  readonly moments: ConnectionMoment[];
  /** Times without a gateway process. */
  readonly gatewayDown: Span[];
  /** Since when the gateway cannot say anything; null while it can. Changed by the nemesis. */
  gatewaySilentSinceMs: number | null;
  /** How often a person asked for a connection. */
  pressed: number;
  /** What the app wrote to its log. */
  readonly logs: string[];
  /** What a program that took the app's port was sent. */
  readonly stolen: Buffer[];
}

export async function setStage(lab: Lab): Promise<Stage> {
  const model = await lab.startModel();
  const gateway = await lab.startGateway({ modelUrl: model.url });
  const sshd = await lab.startSshd();
  const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
  const home = await lab.createAppHome();
  home.writeKey('id_ed25519', sshd.clientKey);
  home.writeKnownHosts([sshd.knownHostsLine('127.0.0.1', proxy.port)]);
  const dataDir = join(home.dir, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  const timeline = new Timeline();
  const moments: ConnectionMoment[] = [];
  const logs: string[] = [];
  const asked: { token: string; atMs: number }[] = [];
  let shown = '';
  const app = new AppProcess({
    dir: lab.folder('c'),
    ssh: {
      target: `${sshd.user}@127.0.0.1:${proxy.port}`,
      gatewayPort: gateway.port,
      localPort: await freePort(),
    },
    token: gateway.token ?? '',
    home: home.dir,
    dataDir,
    onState({ state }) {
      moments.push({ atMs: timeline.now(), isConnected: state.status === 'connected' });
      const failure =
        'lastFailure' in state ? state.lastFailure : state.status === 'blocked' ? state.failure : null;
      const line = [state.status, 'stage' in state ? state.stage : '', failure?.code ?? ''].join(' ').trim();
      if (line !== shown) timeline.note('state', line);
      shown = line;
    },
    onLog({ level, event, fields }) {
      const line = `${level} ${event} ${JSON.stringify(fields)}`;
      logs.push(line);
      if (level !== 'debug') timeline.note('log', line);
    },
  });
  model.setHandler(({ userText, toolResult }) => {
    const tokens = tokensOf(userText);
    if (toolResult === null) for (const token of tokens) asked.push({ token, atMs: timeline.now() });
    // Slow enough that faults come into the middle of an answer.
    return {
      kind: 'text',
      chunks: ['Noted: ', tokens.map((token) => token.slice(0, 8)).join(' ')],
      delayMs: 80,
    };
  });
  lab.own(app);
  return {
    timeline,
    model,
    gateway,
    sshd,
    proxy,
    app,
    dataDir,
    asked,
    moments,
    gatewayDown: [],
    gatewaySilentSinceMs: null,
    pressed: 0,
    logs,
    stolen: [],
  };
}
