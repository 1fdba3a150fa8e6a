/**
 * `npm run demo`: a whole remote host in a box, and the app connected to it. With a display a person chats; without one
 * the main job is played on a virtual display, with screenshots of each step in demo-output/.
 * Options: `--headless` plays it without a display also where there is one; `--gallery` renews docs/screenshots.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLab, type Lab } from '../../test/support/lab/lab.ts';
import { freePort } from '../../test/support/lab/ports.ts';
import { makeGallery } from './gallery.ts';
import { playStory } from './headless-story.ts';
import { openForPerson } from './with-display.ts';
import { startRemoteHost } from './remote-host.ts';
import { startTimeline, type Timeline } from './timeline.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

async function main(options: ReadonlySet<string>): Promise<void> {
  const timeline = startTimeline((line) => process.stdout.write(`${line}\n`));
  const lab = await createLab({ label: 'demo' });
  try {
    if (options.has('--gallery')) await makeGallery(lab, join(ROOT, 'docs', 'screenshots'), timeline);
    else if (options.has('--headless') || !hasDisplay()) await headless(lab, timeline);
    else await withDisplay(lab, timeline);
  } finally {
    await lab.close();
  }
}

async function headless(lab: Lab, timeline: Timeline): Promise<void> {
  const outputDir = join(ROOT, 'demo-output');
  rmSync(outputDir, { recursive: true, force: true });
  mkdirSync(outputDir, { recursive: true });
  timeline.mark('no display: the demo plays by itself on a virtual one');
  const [host, desktop, localPort] = await Promise.all([
    startRemoteHost(lab),
    lab.startDesktop({ width: 1280, height: 900 }),
    freePort(),
  ]);
  timeline.mark(`remote host ready: SSH server at ${host.target}, a real Gateway behind it`);
  const home = await lab.createAppHome();
  home.writeKey('id_ed25519', host.userKey);
  const app = await lab.startApp({ desktop, home });
  await playStory({ app, host, localPort, timeline, outputDir });
  await app.close();
  timeline.mark('the app is closed');
  process.stdout.write(`\nThe demo worked. Its screenshots are in ${outputDir}\n`);
}

async function withDisplay(lab: Lab, timeline: Timeline): Promise<void> {
  const [host, localPort] = await Promise.all([startRemoteHost(lab), freePort()]);
  timeline.mark(`remote host ready: SSH server at ${host.target}, a real Gateway behind it`);
  await openForPerson({ lab, host, localPort, timeline });
}

/** macOS and Windows always have one; elsewhere X or Wayland says so in the environment. */
function hasDisplay(): boolean {
  if (process.platform !== 'linux') return true;
  return Boolean(process.env['DISPLAY']) || Boolean(process.env['WAYLAND_DISPLAY']);
}

/** First line of an error: one sentence, without colours and stack. */
function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // Escape sequences of Playwright's messages.
  // eslint-disable-next-line no-control-regex
  const plain = text.replace(/\u001b\[[\d;]*m/g, '');
  return plain.split('\n').find((line) => line.trim() !== '') ?? 'no reason was given';
}

try {
  await main(new Set(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`\nThe demo did not work: ${sentenceOf(error)}\n`);
  if (process.env['GANGWAY_DEMO_DEBUG'] !== undefined)
    process.stderr.write(`${String((error as Error).stack)}\n`);
  process.exitCode = 1;
}
