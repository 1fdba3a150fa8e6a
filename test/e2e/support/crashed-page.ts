import type { LabApp } from '../../support/lab/app.ts';
import { waitFor } from '../../support/lab/wait.ts';

/** What a window shows, read through the main process: Playwright gives up a page once it has crashed. */
export interface PageSight {
  readonly url: string;
  readonly status: string;
  /** Of the message box; null where there is none. */
  readonly draft: string | null;
  readonly articles: number;
}

const LOOK = `({
  url: location.href,
  status: document.querySelector('[role="status"][aria-label="Connection"]')?.textContent.trim() ?? '',
  draft: document.querySelector('textarea')?.value ?? null,
  articles: document.querySelectorAll('[role="log"] article').length,
})`;

/** Waits until the window `windowId` (of Electron) shows what `matches` wants. A page that is away shows nothing. */
export async function waitForSight(
  app: LabApp,
  windowId: number,
  what: string,
  matches: (sight: PageSight) => boolean,
  timeoutMs = 20_000,
): Promise<PageSight> {
  return waitFor(
    async () => {
      const sight = await look(app, windowId);
      return sight !== null && matches(sight) ? sight : null;
    },
    { what, timeoutMs, intervalMs: 25 },
  );
}

async function look(app: LabApp, windowId: number): Promise<PageSight | null> {
  return app.electronApp.evaluate(
    async ({ BrowserWindow }, { id, script }) => {
      const contents = BrowserWindow.fromId(id)?.webContents;
      // Asked while it is away, it would answer whenever it is back.
      if (contents === undefined || contents.isCrashed() || contents.isLoading()) return null;
      const never = new Promise<null>((resolve) => setTimeout(() => resolve(null), 500));
      return Promise.race([contents.executeJavaScript(script) as Promise<PageSight>, never]).catch(
        () => null,
      );
    },
    { id: windowId, script: LOOK },
  );
}

/** Electron's id of the window of this name. */
export async function electronWindowId(app: LabApp, name: string): Promise<number> {
  return app.electronApp.evaluate(({ BrowserWindow }, wanted) => {
    const found = BrowserWindow.getAllWindows().find((one) =>
      one.webContents.getURL().includes(`window=${wanted}`),
    );
    if (found === undefined) throw new Error(`There is no window "${wanted}"`);
    return found.id;
  }, name);
}
