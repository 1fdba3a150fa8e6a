// @ts-check
// run-tool.mjs NAME ARGUMENTS…: a development tool from node_modules, with the Node it needs.
// run-tool.mjs typecheck: the TypeScript compiler over every project.
import { ensureDependencies, nodePath } from './lib/dependencies.mjs';
import { withSetupLock } from './lib/lock.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/processes.mjs';
import { runMain } from './lib/setup.mjs';
import { TYPE_PROJECTS, toolScript } from './lib/tools.mjs';

runMain(async () => {
  const [name = '', ...args] = process.argv.slice(2);
  await withSetupLock(ensureDependencies);
  const calls =
    name === 'typecheck'
      ? TYPE_PROJECTS.map((project) => ['tsc', '--project', `tsconfig.${project}.json`, ...args])
      : [[name, ...args]];
  let worst = 0;
  for (const [tool = '', ...rest] of calls) {
    const { code } = await run(nodePath(), [toolScript(tool), ...rest], { cwd: inRoot(), output: 'show' });
    worst = Math.max(worst, code);
  }
  return worst;
});
