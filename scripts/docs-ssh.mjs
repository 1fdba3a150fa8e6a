// @ts-check
// npm run docs:ssh: writes the generated tables of docs/ssh.md anew (scripts/docs/ssh-page.ts).
import { ensureDependencies, nodePath } from './lib/dependencies.mjs';
import { withSetupLock } from './lib/lock.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/processes.mjs';
import { runMain } from './lib/setup.mjs';

runMain(async () => {
  await withSetupLock(ensureDependencies);
  const { code } = await run(nodePath(), [inRoot('scripts', 'docs', 'ssh-page-main.ts')], {
    cwd: inRoot(),
    output: 'show',
  });
  return code;
});
