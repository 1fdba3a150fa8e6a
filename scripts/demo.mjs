// @ts-check
// npm run demo: sets up what is missing, then runs the main job on an embedded remote host (scripts/demo/demo.ts).
import { nodePath } from './lib/dependencies.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/processes.mjs';
import { runMain, setUp } from './lib/setup.mjs';

runMain(async () => {
  await setUp('demo', { build: true });
  const { code } = await run(nodePath(), [inRoot('scripts', 'demo', 'demo.ts'), ...process.argv.slice(2)], {
    cwd: inRoot(),
    output: 'show',
  });
  return code;
});
