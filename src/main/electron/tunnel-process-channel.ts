import { utilityProcess } from 'electron';
import { Emitter } from '../core/emitter.ts';
import type { Logger } from '../core/ports.ts';
import { passedEnvironment } from '../node/ssh/config/passed-environment.ts';
import type { TunnelChannel, TunnelCommand, TunnelReport } from '../core/tunnel/tunnel-protocol.ts';

/** Output of the process that is logged, per life: enough for a stack, too little to fill a disk. */
const MAX_LOGGED_CHARS = 16 * 1024;
/** Starts a tunnel process of its own (a utility process) and joins it as a channel. The app must be ready. */
export function startTunnelProcess(modulePath: string, gatewayId: string, logger: Logger): TunnelChannel {
  const reports = new Emitter<TunnelReport>();
  const exits = new Emitter<number | null>();
  const child = utilityProcess.fork(modulePath, [], {
    serviceName: `Gangway tunnel ${gatewayId}`,
    stdio: ['ignore', 'pipe', 'pipe'],
    // It runs the user's own commands (ProxyCommand).
    env: passedEnvironment(process.env),
    execArgv: [],
  });
  let killed = false;
  let ended = false;
  let logged = 0;
  const logOutput = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
    if (logged >= MAX_LOGGED_CHARS) return;
    const text = chunk.toString('utf8').slice(0, MAX_LOGGED_CHARS - logged);
    logged += text.length;
    logger.log('warn', 'tunnel-process.output', { gatewayId, stream, text });
  };
  child.stdout?.on('data', logOutput('stdout'));
  child.stderr?.on('data', logOutput('stderr'));
  child.on('message', (message: unknown) => {
    if (!ended && isReport(message)) reports.emit(message);
  });
  child.on('exit', (code) => {
    ended = true;
    logger.log(killed || code === 0 ? 'info' : 'error', 'tunnel-process.exited', { gatewayId, code });
    exits.emit(killed ? null : code);
    reports.dispose();
    exits.dispose();
  });
  return {
    post(command: TunnelCommand) {
      if (!ended) child.postMessage(command);
    },
    onReport: (listener) => reports.on(listener),
    onExit: (listener) => exits.on(listener),
    kill() {
      killed = true;
      // child.kill() asks by SIGTERM first, which a process that hangs does not hear while it holds the local port.
      if (child.pid === undefined || !sendKill(child.pid)) child.kill();
    },
  };
}

function sendKill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** Reports come from our own process: their type is checked, and the supervisor checks their attempt. */
function isReport(message: unknown): message is TunnelReport {
  return (
    typeof message === 'object' &&
    message !== null &&
    typeof (message as { type?: unknown }).type === 'string'
  );
}
