import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import type { Clock } from '../../src/main/core/ports.ts';
import { systemClock } from '../../src/main/node/system-clock.ts';
import { CoreSubject } from '../support/core/core-subject.ts';
import { forkedChannel } from '../support/core/forked-channel.ts';
import { MemorySecrets } from '../support/fakes/memory-secrets.ts';
import type { AppAnswer, AppCommand, AppQuestion, AppReport } from './app-protocol.ts';

/**
 * The app without Electron, as a process of its own: to be killed, stopped and started again. It is driven over a Unix
 * socket, whose path is its only argument, and ends when that closes.
 */
const socket = createConnection(process.argv[2] ?? '');
const say = (report: AppReport): void => void socket.write(`${JSON.stringify(report)}\n`);
socket.on('error', () => process.exit(1));
socket.on('close', () => process.exit(0));

class KeychainOutside extends MemorySecrets {
  override async set(name: string, value: string): Promise<void> {
    await super.set(name, value);
    say({ type: 'secret', name, value });
  }
  override async delete(name: string): Promise<void> {
    await super.delete(name);
    say({ type: 'secret', name, value: null });
  }
}

let aheadMs = 0;
const clock: Clock = {
  nowMs: () => systemClock.nowMs() + aheadMs,
  monotonicMs: () => systemClock.monotonicMs(),
  uptimeMs: () => systemClock.uptimeMs() + aheadMs,
  setTimer: (delayMs, run) => systemClock.setTimer(delayMs, run),
};

let core: CoreSubject | null = null;
const shownSessions = new Set<string>();

function start(command: Extract<AppCommand, { type: 'start' }>): CoreSubject {
  const { ssh, token, home, dataDir, secrets } = command;
  aheadMs = command.aheadMs;
  const subject = new CoreSubject({
    ssh,
    token,
    home,
    dataDir,
    clock,
    secrets: new KeychainOutside(secrets),
    createChannel() {
      const channel = forkedChannel();
      say({ type: 'tunnel', pid: channel.pid });
      return channel;
    },
  });
  const { connection } = subject.gateway;
  let shown = '';
  let port = ssh.localPort;
  const show = (): void => {
    const { connection: state, ladder, profile } = connection.snapshot();
    const verdict = (layer: 'ssh' | 'gateway') =>
      ladder.find((rung) => rung.layer === layer)?.verdict ?? 'unknown';
    const report = { type: 'state', state, ssh: verdict('ssh'), gateway: verdict('gateway') } as const;
    const line = JSON.stringify(report);
    if (line !== shown) say(report);
    shown = line;
    if (profile.ssh.localPort !== port) say({ type: 'local-port', port: profile.ssh.localPort });
    port = profile.ssh.localPort;
  };
  connection.onChange(show);
  show();
  const log = subject.logger.log.bind(subject.logger);
  subject.logger.log = (level, event, fields) => {
    log(level, event, fields);
    say({ type: 'log', level, event, fields: fields ?? {} });
  };
  connection.connect(false);
  return subject;
}

async function answer(subject: CoreSubject, question: AppQuestion): Promise<AppAnswer> {
  const { gateway, views, power, connectivity } = subject;
  switch (question.type) {
    case 'show': {
      const opened = await gateway.chat.open(question.sessionKey);
      if (!opened.ok) return { ok: false, why: JSON.stringify(opened.error) };
      views.start(opened.value);
      shownSessions.add(question.sessionKey);
      return { ok: true };
    }
    case 'send': {
      const { sessionKey, messageId, text } = question;
      const sent = await gateway.chat.send(sessionKey, messageId, text);
      return sent.ok ? { ok: true } : { ok: false, why: JSON.stringify(sent.error) };
    }
    case 'rows': {
      // Between a start and the opening of the conversations there is nothing to see.
      if (!shownSessions.has(question.sessionKey)) return { ok: true, rows: [] };
      const { rows, meta } = views.view(question.sessionKey);
      return { ok: true, rows, meta };
    }
    case 'decide': {
      const decided = await gateway.chat[question.choice](question.sessionKey, question.messageId);
      return decided.ok ? { ok: true } : { ok: false, why: JSON.stringify(decided.error) };
    }
    case 'press':
      if (question.press === 'reconnect') gateway.connection.reconnectNow();
      else gateway.connection[question.press]();
      return { ok: true };
    case 'power':
      power[question.event]();
      return { ok: true };
    case 'clock':
      aheadMs = question.aheadMs;
      return { ok: true };
    case 'network':
      connectivity.set(question.isOnline);
      return { ok: true };
    case 'quit':
      await subject.close();
      return { ok: true };
  }
}

createInterface({ input: socket }).on('line', (line) => {
  const command = JSON.parse(line) as AppCommand;
  if (command.type === 'start') {
    core = start(command);
    return;
  }
  const { number, question } = command;
  const subject = core;
  if (subject === null) throw new Error('Asked before it was started');
  void answer(subject, question).then(
    (given) => {
      say({ type: 'answer', number, answer: given });
      if (question.type === 'quit') socket.end();
    },
    (error: unknown) => say({ type: 'answer', number, answer: { ok: false, why: String(error) } }),
  );
});
