import type { ChatRow } from '../../src/shared/chat.ts';
import { delay, waitFor } from '../support/lab/wait.ts';
import { AppGone } from './app-process.ts';
import { short, tokensOf, type Decision, type WrittenMessage } from './checker.ts';
import { seededRandom } from './random.ts';
import type { Stage } from './stage.ts';

export type Written = { -readonly [K in keyof WrittenMessage]: WrittenMessage[K] } & {
  readonly messageId: string;
  readonly decisions: Decision[];
};

const CONVERSATIONS = 3;
/** A conversation's history is read in one page. */
const MESSAGES_A_CONVERSATION = 60;
const LOOK_EVERY_MS = 500;
/** Somebody who was told three times that it failed gives up. */
const MOST_DECISIONS = 3;

/** Writes messages, as fast as somebody who has much to say, until told to stop. */
export class Sender {
  readonly written: Written[] = [];
  readonly #stage: Stage;
  readonly #seed: number;
  #stopped = false;

  constructor(stage: Stage, seed: number) {
    this.#stage = stage;
    this.#seed = seed;
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<void> {
    const random = seededRandom(this.#seed, 'sender');
    const counts = Array.from({ length: CONVERSATIONS }, () => 0);
    while (!this.#stopped) {
      // Sometimes several at once.
      await delay(random.next() < 0.25 ? 0 : random.between(600, 3_600));
      const conversation = random.between(0, CONVERSATIONS - 1);
      const number = counts[conversation] ?? 0;
      counts[conversation] = number + 1;
      const sessionKey = `agent:main:chaos-${conversation}-${Math.floor(number / MESSAGES_A_CONVERSATION)}`;
      await this.#write(sessionKey, random.hex(128), uuidOf(random.hex(128)));
    }
  }

  async #write(sessionKey: string, token: string, messageId: string): Promise<void> {
    const { app, timeline } = this.#stage;
    while (!app.isRunning) {
      if (this.#stopped) return;
      await delay(20);
    }
    const message: Written = {
      token,
      messageId,
      sessionKey,
      writtenAtMs: timeline.now(),
      answer: 'unknown',
      decisions: [],
    };
    const text = `Please note number ${this.written.length + 1}: ${token}`;
    try {
      await app.show(sessionKey);
      this.written.push(message);
      const answer = await app.tryAsk({ type: 'send', sessionKey, messageId, text });
      message.answer = answer.ok ? 'accepted' : 'refused';
      if (!answer.ok) timeline.note('message', `refused ${answer.why}`);
    } catch (error) {
      if (!(error instanceof AppGone)) throw error;
    }
    timeline.note('message', `${short(token)} ${message.answer} in ${sessionKey}`);
  }
}

/** Looks at the conversations and decides about what the app will not decide alone. */
export class Reader {
  readonly #stage: Stage;
  readonly #seed: number;
  readonly #written: readonly Written[];
  #restless = '';
  #stopped = false;

  constructor(stage: Stage, seed: number, written: readonly Written[]) {
    this.#stage = stage;
    this.#seed = seed;
    this.#written = written;
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      await delay(LOOK_EVERY_MS);
      if (!this.#stage.app.isRunning) continue;
      try {
        await this.look();
      } catch (error) {
        if (!(error instanceof AppGone)) throw error;
      }
    }
  }

  /** Resolves when no message is on its way and every conversation is at rest. */
  async untilRest(timeoutMs: number): Promise<void> {
    await waitFor(
      async () => {
        const { underWay, isIdle } = await this.look();
        return underWay === 0 && isIdle;
      },
      {
        what: 'every conversation to be at rest',
        timeoutMs,
        intervalMs: LOOK_EVERY_MS,
        detail: () => this.#restless,
      },
    );
  }

  /** Resolves with how many messages are still on their way, and with whether every conversation is at rest. */
  async look(): Promise<{ readonly underWay: number; readonly isIdle: boolean }> {
    let underWay = 0;
    let isIdle = true;
    const restless: string[] = [];
    for (const sessionKey of this.#stage.app.shownSessions) {
      const { rows = [], meta } = await this.#stage.app.ask({ type: 'rows', sessionKey });
      const rests = meta?.load === 'loaded' && meta.activeRun === null;
      isIdle &&= rests;
      if (!rests) restless.push(`${sessionKey}: ${JSON.stringify(meta)}`);
      for (const row of rows) {
        if (row.delivery === null) continue;
        underWay += 1;
        restless.push(`${sessionKey}: ${tokensOf(textOf(row)).map(short).join()} is ${row.delivery}`);
        if (row.delivery === 'unconfirmed' || row.delivery === 'failed')
          await this.#decide(row, row.delivery);
      }
    }
    this.#restless = restless.join('\n');
    return { underWay, isIdle };
  }

  async #decide(row: ChatRow, about: Decision['about']): Promise<void> {
    const [token = ''] = tokensOf(textOf(row));
    const message = this.#written.find((written) => written.token === token);
    if (!message) throw new Error(`A row of a message that nobody wrote: ${JSON.stringify(row)}`);
    const { decisions, sessionKey, messageId } = message;
    const random = seededRandom(this.#seed, `decision ${decisions.length} about ${token}`);
    const choice = decisions.length >= MOST_DECISIONS || random.next() < 0.3 ? 'discard' : 'retry';
    const { app, timeline } = this.#stage;
    const failure = row.failure?.type === 'gateway' ? row.failure.code : (row.failure?.type ?? '');
    timeline.note('person', `${choice} of ${short(token)}, which is ${about} (${failure})`);
    // Before it is carried out: an app that dies of it may have done it.
    decisions.push({ atMs: timeline.now(), about, choice });
    await app.tryAsk({ type: 'decide', sessionKey, messageId, choice });
  }
}

export function textOf(row: ChatRow): string {
  return row.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

function uuidOf(hex: string): string {
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-');
}
