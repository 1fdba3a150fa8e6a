import { expect, type Locator, type Page } from '@playwright/test';

/**
 * For the first words of a reply: the first run of a fresh Gateway loads much code, half a minute on a busy machine.
 */
export const REPLY_LIMIT_MS = 90_000;

/** The chat window, found as a screen reader finds it. */
export class ChatScreen {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  get conversation(): Locator {
    return this.page.getByRole('log', { name: 'Conversation' });
  }
  get message(): Locator {
    return this.page.getByRole('textbox', { name: 'Message', exact: true });
  }
  get send(): Locator {
    return this.page.getByRole('button', { name: 'Send', exact: true });
  }
  get stop(): Locator {
    return this.page.getByRole('button', { name: 'Stop', exact: true });
  }
  get assistant(): Locator {
    return this.conversation.getByRole('article', { name: 'Assistant', exact: true });
  }
  get you(): Locator {
    return this.conversation.getByRole('article', { name: 'You', exact: true });
  }

  async say(text: string): Promise<void> {
    await this.message.fill(text);
    await this.send.click();
    await expect(this.message).toHaveValue('');
  }

  /** Waits for a reply that holds `text` and for the end of its run. */
  async expectReply(text: string | RegExp, timeoutMs = REPLY_LIMIT_MS): Promise<void> {
    await expect(this.assistant.filter({ hasText: text })).toHaveCount(1, { timeout: timeoutMs });
    await expect(this.stop).toBeHidden({ timeout: timeoutMs });
  }

  /** Lengths of the last assistant message at each change until it ends: at least two, rising, where a reply streams. */
  async recordGrowth(): Promise<{ lengths(): Promise<readonly number[]> }> {
    await this.conversation.waitFor();
    await this.page.evaluate(() => {
      const lengths: number[] = [];
      (window as unknown as { recordedGrowth: number[] }).recordedGrowth = lengths;
      const look = (): void => {
        const articles = document.querySelectorAll('[role="log"] [aria-label="Assistant"]');
        const length = articles[articles.length - 1]?.textContent.length ?? 0;
        if (length > 0 && length !== lengths.at(-1)) lengths.push(length);
      };
      new MutationObserver(look).observe(document.body, {
        subtree: true,
        childList: true,
        characterData: true,
      });
    });
    return {
      lengths: () =>
        this.page.evaluate(() => (window as unknown as { recordedGrowth: number[] }).recordedGrowth),
    };
  }
}
