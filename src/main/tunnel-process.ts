import { systemClock } from './node/system-clock.ts';
import { TunnelHost } from './node/tunnel/tunnel-host.ts';
import type { TunnelReport } from './core/tunnel/tunnel-protocol.ts';

/**
 * Entry of a gateway's tunnel process: SSH and the local listener live here, so that neither key derivation nor a flood of
 * bytes stalls a window, and a busy window stalls no byte. Started by Electron's utilityProcess.fork.
 */

/** The part of Electron's `process.parentPort` that is used (electronjs.org/docs/latest/api/parent-port). */
interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
}

const EXIT_NO_PARENT = 64;
const EXIT_CRASHED = 70;

const parent = (process as unknown as { readonly parentPort?: ParentPort | null }).parentPort ?? null;

if (parent === null) {
  process.stderr.write('The tunnel process needs a parent that starts it by utilityProcess.fork.\n');
  process.exit(EXIT_NO_PARENT);
} else {
  serve(parent);
}

function serve(port: ParentPort): void {
  const post = (report: TunnelReport): void => {
    try {
      port.postMessage(report);
    } catch {
      // Nobody is left to tell, and nothing may outlive the application.
      process.exit(0);
    }
  };
  process.on('uncaughtException', (error) => crash(post, error));
  process.on('unhandledRejection', (reason) => crash(post, reason));
  // A terminal's Ctrl-C reaches the whole group; ending is the application's business, in its own order.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => process.exit(0));
  process.on('disconnect', () => process.exit(0));

  const host = new TunnelHost({ clock: systemClock, post, onShutdown: () => process.exit(0) });
  port.on('message', (event) => host.receive(event.data));
  port.on('close', () => process.exit(0));
}

function crash(post: (report: TunnelReport) => void, reason: unknown): void {
  const detail = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  const fields = { detail: detail.slice(0, 2_000) };
  try {
    post({ type: 'log', level: 'error', event: 'tunnel.crashed', fields });
  } finally {
    // A turn later, so that the message is on its way.
    setImmediate(() => process.exit(EXIT_CRASHED));
  }
}
