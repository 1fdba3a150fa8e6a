import type { LabApp } from '../../support/lab/app.ts';

export interface AppProcess {
  readonly pid: number;
  /** As Electron names them: `Browser`, `Tab`, `GPU`, `Utility`. */
  readonly type: string;
  readonly name: string;
}

/** The app's processes as Electron itself counts them. */
export function appProcesses(app: LabApp): Promise<readonly AppProcess[]> {
  return app.electronApp.evaluate(({ app: electron }) =>
    electron.getAppMetrics().map(({ pid, type, name }) => ({ pid, type, name: name ?? '' })),
  );
}

/** Process id of the one tunnel process; null while there is none. */
export async function tunnelPid(app: LabApp): Promise<number | null> {
  const found = (await appProcesses(app)).filter(({ name }) => name.startsWith('Gangway tunnel'));
  if (found.length > 1) throw new Error(`There are ${found.length} tunnel processes`);
  return found[0]?.pid ?? null;
}

/** Process id of the renderer behind a window. */
export function rendererPid(app: LabApp, window: string): Promise<number> {
  return app.electronApp.evaluate(({ BrowserWindow }, name) => {
    const found = BrowserWindow.getAllWindows().find((one) =>
      one.webContents.getURL().includes(`window=${name}`),
    );
    return found?.webContents.getOSProcessId() ?? 0;
  }, window);
}
