import { writeSync } from 'node:fs';
import { systemClock } from '../../../src/main/node/system-clock.ts';
import { MessageStore } from '../../../src/main/node/storage/message-store.ts';

/**
 * A process that keeps messages, to be killed or to meet a disk that refuses. Every line that it prints is JSON, written
 * before the next thing is done:
 *
 * `write FILE [COUNT]`: adds COUNT messages (default: without end) `m0`, `m1`, … to the gateway `g1` and the session `s`,
 * lets each become sent, and removes every third: `{ "accepted": id }`, `{ "refused": detail }`, `{ "sent": id }`, `{ "removed": id }`.
 * `hold FILE`: opens the file, prints `{ "notices": […] }` and keeps it open until standard input closes.
 * `dump FILE`: prints `{ "messages": [{ id, text, state }], "draft", "notices" }`.
 */
const [mode = '', path = '', count = 'Infinity'] = process.argv.slice(2);
const store = new MessageStore({ path, clock: systemClock, logger: { log: () => undefined } });
const messages = store.forGateway('g1');
const say = (line: unknown): void => void writeSync(1, `${JSON.stringify(line)}\n`);

switch (mode) {
  case 'write': {
    const first = { atMs: Date.now(), uptimeMs: systemClock.uptimeMs(), runId: store.runId, bootId: 'boot' };
    for (let index = 0; index < Number(count); index += 1) {
      const messageId = `m${index}`;
      const text = `text of ${messageId} `.repeat(1 + (index % 50));
      await messages.setDraft('s', text);
      const added = await messages.add({
        messageId,
        sessionKey: 's',
        text,
        createdAtMs: Date.now(),
        state: { type: 'queued', first: null },
      });
      say(
        added.ok
          ? { accepted: messageId }
          : { refused: added.error.type === 'unwritable' ? added.error.detail : added.error.type },
      );
      if (!added.ok) continue;
      if (await messages.setState(messageId, { type: 'sent', first })) say({ sent: messageId });
      // Said before: killed in between, it may be there or not.
      if (index % 3 === 0) {
        say({ removed: messageId });
        await messages.remove(messageId);
      }
    }
    break;
  }
  case 'hold':
    say({ notices: store.notices });
    process.stdin.resume();
    await new Promise((resolve) => process.stdin.once('end', resolve));
    break;
  case 'dump':
    say({
      messages: messages.list('s').map(({ messageId, text, state }) => ({ id: messageId, text, state })),
      draft: messages.draft('s'),
      notices: store.notices,
    });
    break;
  default:
    throw new Error(`No such mode: ${mode}`);
}
store.dispose();
