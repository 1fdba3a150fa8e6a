import { TunnelHost } from '../../../src/main/node/tunnel/tunnel-host.ts';
import { systemClock } from '../../../src/main/node/system-clock.ts';

/** The tunnel process under plain Node: the same host as src/main/tunnel-process.ts, over Node's own channel. */
const host = new TunnelHost({
  clock: systemClock,
  post: (report) => process.send?.(report),
  onShutdown: () => process.exit(0),
});
process.on('message', (message) => host.receive(message));
process.on('disconnect', () => process.exit(0));
