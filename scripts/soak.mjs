// @ts-check
// npm run soak [-- --minutes 30 --seed N --runs 1 --json FILE]: random faults while messages are written (docs/chaos.md).
import { ensureDependencies, nodePath } from './lib/dependencies.mjs';
import { ensureGatewayRuntime } from './lib/gateway-runtime.mjs';
import { withSetupLock } from './lib/lock.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/processes.mjs';
import { runMain } from './lib/setup.mjs';

runMain(async () => {
  await withSetupLock(async () => {
    await ensureDependencies();
    await ensureGatewayRuntime();
  });
  const { code } = await run(
    nodePath(),
    [inRoot('test', 'chaos', 'soak-main.ts'), ...process.argv.slice(2)],
    { cwd: inRoot(), output: 'show' },
  );
  return code;
});
