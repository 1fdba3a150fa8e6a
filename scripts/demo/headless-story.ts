import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import type { LabApp } from '../../test/support/lab/app.ts';
import { ChatScreen, REPLY_LIMIT_MS } from '../../test/support/screens/chat-screen.ts';
import { expectStatus, recordStatus } from '../../test/support/screens/connection-status.ts';
import { hostKeyDialog } from '../../test/support/screens/prompts.ts';
import { SettingsScreen } from '../../test/support/screens/settings-screen.ts';
import type { RemoteHost } from './remote-host.ts';
import type { Timeline } from './timeline.ts';

export interface StoryParts {
  readonly app: LabApp;
  readonly host: RemoteHost;
  readonly localPort: number;
  readonly timeline: Timeline;
  /** Folder for the numbered screenshots. */
  readonly outputDir: string;
}

const FIRST_MESSAGE = 'Hello from the demo. Tell me a little. !slow 8 150';
const SECOND_MESSAGE = 'Are you still there?';

/** Plays the main job on the real app, as a person would with mouse and keyboard. Rejects with what did not come. */
export async function playStory({ app, host, localPort, timeline, outputDir }: StoryParts): Promise<void> {
  let pictures = 0;
  const picture = async (page: Page, name: string): Promise<void> => {
    pictures += 1;
    const file = `${String(pictures).padStart(2, '0')}-${name}.png`;
    await page.screenshot({ path: join(outputDir, file), animations: 'disabled' });
    timeline.mark(`  picture ${file}`);
  };

  const settings = new SettingsScreen(await app.window('settings'));
  await settings.heading.waitFor();
  timeline.mark('Gangway is open: first run shows the settings');
  await picture(settings.page, 'first-run');

  await settings.fill({
    target: host.target,
    gatewayPort: host.gateway.port,
    localPort,
    token: host.gateway.token ?? '',
  });
  await picture(settings.page, 'form-filled');
  await settings.saveAndConnect.click();
  timeline.mark(`"Save and connect" to ${host.target}`);

  const question = hostKeyDialog(settings.page);
  await expect(question.dialog).toContainText(host.hostKeyFingerprint, { timeout: 30_000 });
  timeline.mark(`unknown host key, the fingerprint is the server's: ${host.hostKeyFingerprint}`);
  await picture(settings.page, 'verify-host-key');
  await question.trust.click();
  timeline.mark('"Trust and connect"');
  await expectStatus(settings.page, 'Connected');
  timeline.mark(`Connected: the Gateway answers at 127.0.0.1:${localPort}`);
  await picture(settings.page, 'connected');

  const health = await app.open('health');
  await expectStatus(health, 'Connected');
  await picture(health, 'health');

  const chat = new ChatScreen(await app.open('chat'));
  await expectStatus(chat.page, 'Connected');
  await expect(chat.message).toBeEnabled();
  const growth = await chat.recordGrowth();
  await chat.say(FIRST_MESSAGE);
  timeline.mark('message sent');
  await expect(chat.assistant.last()).toContainText(/\w/, { timeout: REPLY_LIMIT_MS });
  timeline.mark('first words of the reply');
  await picture(chat.page, 'reply-streaming');
  await chat.expectReply('Piece 8 of 8');
  const steps = (await growth.lengths()).length;
  if (steps < 3) throw new Error(`The reply did not stream: it was seen at ${steps} lengths only.`);
  timeline.mark(`reply complete, seen growing in ${steps} steps`);
  await picture(chat.page, 'reply-complete');

  const record = await recordStatus(chat.page);
  // A mere cut heals before a picture is taken.
  host.goAway();
  timeline.mark('the SSH server goes away');
  await expect
    .poll(async () => (await record.texts()).some((text) => /^(Reconnecting|Connecting)/.test(text)), {
      timeout: 15_000,
    })
    .toBe(true);
  await picture(chat.page, 'connection-cut');
  host.comeBack();
  timeline.mark('the SSH server is back');
  await expectStatus(chat.page, 'Connected');
  timeline.mark('recovered by itself');
  await picture(chat.page, 'recovered');

  await chat.say(SECOND_MESSAGE);
  await chat.expectReply(`you said: ${SECOND_MESSAGE}`);
  const answers = host.model.answered(SECOND_MESSAGE);
  if (answers !== 1) throw new Error(`The second message was executed ${answers} times instead of once.`);
  timeline.mark('second message answered, exactly once');
  await picture(chat.page, 'second-reply');

  const problems = app.problems();
  if (problems.length > 0) throw new Error(`The windows reported problems: ${problems.join('; ')}`);
}
