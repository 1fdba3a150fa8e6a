// @ts-check
// npm run docs:NAME: writes the generated parts of docs/NAME.md anew (scripts/docs/NAME-page.ts).
import { ensureDependencies, nodePath } from './lib/dependencies.mjs';
import { withSetupLock } from './lib/lock.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/processes.mjs';
import { runMain } from './lib/setup.mjs';

runMain(async () => {
  await withSetupLock(ensureDependencies);
  const { code } = await run(nodePath(), [inRoot('scripts', 'docs', `${process.argv[2]}-page-main.ts`)], {
    cwd: inRoot(),
    output: 'show',
  });
  return code;
});
