/** Runs a ProxyCommand as a tunnel process does, until somebody kills it. */
import { plainHop } from '../../../src/main/core/tunnel/plain-hop.ts';
import { ProxyCommandRun } from '../../../src/main/node/ssh/proxy-command.ts';
import { systemClock } from '../../../src/main/node/system-clock.ts';

const algorithms = { kex: [], cipher: [], hmac: [], serverHostKey: [] };
const hop = plainHop({
  name: 'host',
  host: 'host.invalid',
  port: 22,
  user: 'nobody',
  knownHostsFiles: { user: ['/dev/null'], global: [] },
  algorithms,
});
const command = process.argv[2] ?? 'true';
const started = await ProxyCommandRun.start({ command, path: null, shell: '/bin/sh' }, hop, {
  clock: systemClock,
  log: () => undefined,
});
console.log(started.ok ? 'started' : JSON.stringify(started.error));
