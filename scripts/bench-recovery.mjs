// @ts-check
// npm run bench:recovery: time to notice and to recover beside autossh with the official client (bench/recovery.ts), and
// the page about it (docs/recovery.md). Options after "--" go to the bench.
import { ensureDependencies, nodePath } from './lib/dependencies.mjs';
import { withSetupLock } from './lib/lock.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/processes.mjs';
import { runMain } from './lib/setup.mjs';

runMain(async () => {
  await withSetupLock(ensureDependencies);
  for (const script of [
    [inRoot('bench', 'recovery.ts'), ...process.argv.slice(2)],
    [inRoot('scripts', 'docs', 'recovery-page-main.ts')],
  ]) {
    const { code } = await run(nodePath(), script, { cwd: inRoot(), output: 'show' });
    if (code !== 0) return code;
  }
  return 0;
});
