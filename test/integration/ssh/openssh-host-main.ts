import { createInterface } from 'node:readline';
import type { TunnelConfig } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { inProcessChannel } from '../../../src/main/node/tunnel/in-process-channel.ts';

/** Holds one tunnel, whose configuration is the first line of standard input, until it is killed. */
createInterface({ input: process.stdin }).once('line', (line) => {
  const channel = inProcessChannel();
  channel.onReport((report) => {
    if (report.type === 'up' || report.type === 'down') console.log(report.type);
  });
  channel.post({ type: 'open', attempt: 1, config: JSON.parse(line) as TunnelConfig });
});
