// @ts-check
// npm run setup [-- start|demo|test|build]: only the set-up of that command (default: all), without running it.
import { ensureBuild } from './lib/build.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { withSetupLock } from './lib/lock.mjs';
import { runMain, setUp } from './lib/setup.mjs';
import { SetupError } from './lib/setup-error.mjs';
import { formatDuration, say } from './lib/terminal.mjs';

runMain(async () => {
  const startedMs = Date.now();
  const what = process.argv[2] ?? 'all';
  switch (what) {
    case 'build':
      await withSetupLock(async () => {
        await ensureDependencies();
        await ensureBuild();
      });
      break;
    case 'start':
    case 'demo':
      await setUp(what, { build: true });
      break;
    case 'test':
      await setUp('test', { build: false });
      break;
    case 'all':
      await setUp('test', { build: true });
      break;
    default:
      throw new SetupError(
        `There is no set-up called "${what}".`,
        'Use start, demo, test, build or nothing.',
      );
  }
  say(`Everything is set up (${formatDuration(Date.now() - startedMs)}).`);
  return 0;
});
