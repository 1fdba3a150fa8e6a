/**
 * A gateway's core whose server refuses, in a process of its own so that its cost can be told: `CONFIG` is the options of CoreSubject
 * as JSON. Every second it prints `{ attempts, cpuMs }` since its start.
 */
import { CoreSubject, type CoreOptions } from '../../support/core/core-subject.ts';

const core = new CoreSubject(JSON.parse(process.argv[2] ?? '{}') as CoreOptions);
core.gateway.connection.connect();

setInterval(() => {
  const { user, system } = process.cpuUsage();
  const attempts = Math.max(0, ...core.states.map(({ state }) => ('attempt' in state ? state.attempt : 0)));
  console.log(JSON.stringify({ attempts, cpuMs: (user + system) / 1_000 }));
}, 1_000);
