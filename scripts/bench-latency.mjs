// @ts-check
// npm run bench:latency: round trip through the forward, straight, by `ssh -L` and by Gangway (bench/forward-latency.ts).
import { ensureDependencies, nodePath } from './lib/dependencies.mjs';
import { withSetupLock } from './lib/lock.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/processes.mjs';
import { runMain } from './lib/setup.mjs';

runMain(async () => {
  await withSetupLock(ensureDependencies);
  const { code } = await run(nodePath(), [inRoot('bench', 'forward-latency.ts')], {
    cwd: inRoot(),
    output: 'show',
  });
  return code;
});
