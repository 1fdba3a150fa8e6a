import { expect, type Locator, type Page } from '@playwright/test';

/** First words of the connection status in English (src/shared/i18n/en.ts, `status`). */
export type StatusWord =
  | 'Connected'
  | 'Connecting'
  | 'Reconnecting'
  | 'Waiting for you'
  | 'Paused'
  | 'Offline'
  | 'Needs attention'
  | 'Disconnected';

/** The status region that every window shows. */
export function connectionStatus(page: Page): Locator {
  return page.getByRole('status', { name: 'Connection', exact: true });
}

/** Waits until the status begins with `word`; the bound covers an SSH and a gateway handshake on a slow machine. */
export async function expectStatus(page: Page, word: StatusWord, timeoutMs = 30_000): Promise<void> {
  await expect(connectionStatus(page)).toHaveText(new RegExp(`^\\s*${word}`), { timeout: timeoutMs });
}

export interface StatusRecord {
  /** Texts of the status since the recording began, in order, without repetitions. */
  texts(): Promise<readonly string[]>;
}

/** Records every text of the status region, so that a state that lasts a few milliseconds is not missed. */
export async function recordStatus(page: Page): Promise<StatusRecord> {
  await connectionStatus(page).waitFor();
  await page.evaluate(() => {
    const seen: string[] = [];
    (window as unknown as { recordedStatus: string[] }).recordedStatus = seen;
    const look = (): void => {
      const text =
        document.querySelector('[role="status"][aria-label="Connection"]')?.textContent.trim() ?? '';
      if (text !== '' && text !== seen.at(-1)) seen.push(text);
    };
    look();
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });
  return {
    texts: () => page.evaluate(() => (window as unknown as { recordedStatus: string[] }).recordedStatus),
  };
}
