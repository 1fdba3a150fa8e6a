import { TunnelHost } from '../../../src/main/node/tunnel/tunnel-host.ts';
import { systemClock } from '../../../src/main/node/system-clock.ts';
import { measureUsage } from './usage.ts';

/** A tunnel process that tells on demand what it holds. */
const host = new TunnelHost({
  clock: systemClock,
  post: (report) => process.send?.({ report }),
  onShutdown: () => process.exit(0),
});
process.on('message', (message: { readonly command?: unknown }) => {
  if (message.command === undefined) void measureUsage().then((usage) => process.send?.({ usage }));
  else host.receive(message.command);
});
process.on('disconnect', () => process.exit(0));
