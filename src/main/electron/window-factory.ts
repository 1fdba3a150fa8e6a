import { app, BrowserWindow, nativeTheme, screen, type WebContents, type WebPreferences } from 'electron';
import type { EventName, EventPayloadOf } from '../../shared/ipc-contract.ts';
import { channelName } from '../../shared/ipc-contract.ts';
import { windowUrl, type PageKind, type WindowAddress } from '../../shared/window-address.ts';
import type { WindowEvents } from '../app/ports.ts';
import { Emitter } from '../core/emitter.ts';
import type { Disposable } from '../core/lifecycle.ts';
import type { Clock, Logger } from '../core/ports.ts';
import type { WindowBounds } from '../core/settings/schema.ts';
import { SAFE_PAGE_URL } from './app-protocol.ts';
import { CrashWindow } from './crash-window.ts';

interface WindowSize {
  readonly width: number;
  readonly height: number;
  readonly minWidth: number;
  readonly minHeight: number;
}

const SIZES: Readonly<Record<PageKind, WindowSize>> = {
  settings: { width: 720, height: 760, minWidth: 480, minHeight: 480 },
  chat: { width: 1000, height: 720, minWidth: 420, minHeight: 420 },
  inbox: { width: 680, height: 640, minWidth: 420, minHeight: 360 },
  health: { width: 760, height: 720, minWidth: 480, minHeight: 420 },
  prompt: { width: 520, height: 420, minWidth: 420, minHeight: 320 },
};

export interface WindowFactoryOptions {
  readonly preloadPath: string;
  readonly iconPath: string | null;
  /** False in hardened and packaged runs: no developer tools. */
  readonly allowDevtools: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where a window was when it was last closed. */
  readBounds(key: string): WindowBounds | null;
  saveBounds(key: string, bounds: WindowBounds): void;
  /** Window title; localised. */
  titleOf(address: WindowAddress): string;
  onInput(windowId: number): void;
}

interface OpenWindow {
  readonly window: BrowserWindow;
  readonly address: WindowAddress;
  readonly crashes: CrashWindow;
}

/**
 * Makes every window of the app, one a kind and gateway, all with the same locked-down settings. Windows are shown when
 * their first frame is ready, in the colour of the theme, so that none flashes.
 */
export class WindowFactory implements WindowEvents, Disposable {
  readonly #options: WindowFactoryOptions;
  readonly #windows = new Map<string, OpenWindow>();
  readonly #pageGone = new Emitter<number>();
  /** Asked before a window closes; false keeps it. */
  #mayClose: (window: BrowserWindow) => boolean = () => true;

  constructor(options: WindowFactoryOptions) {
    this.#options = options;
    app.on('web-contents-created', (_event, contents) => this.#guardContents(contents));
    nativeTheme.on('updated', () => {
      for (const { window } of this.#windows.values()) window.setBackgroundColor(backgroundColour());
    });
  }

  /** Sets who is asked before a window closes. */
  guardClosing(mayClose: (window: BrowserWindow) => boolean): void {
    this.#mayClose = mayClose;
  }

  get openCount(): number {
    return this.#windows.size;
  }

  onPageGone(listener: (windowId: number) => void): Disposable {
    return this.#pageGone.on(listener);
  }

  /** Shows the window, making it first where it is not open. */
  open(address: WindowAddress): void {
    const key = keyOf(address);
    const known = this.#windows.get(key);
    if (known) {
      if (known.window.webContents.getURL() === SAFE_PAGE_URL)
        void known.window.loadURL(windowUrl(address)).catch(() => undefined);
      if (known.window.isMinimized()) known.window.restore();
      known.window.show();
      known.window.focus();
      return;
    }
    this.#create(key, address);
  }

  isOpen(address: WindowAddress): boolean {
    return this.#windows.has(keyOf(address));
  }

  close(address: WindowAddress): void {
    this.#windows.get(keyOf(address))?.window.close();
  }

  /** What the contents show when they are those of one of our windows. */
  addressOf(contents: WebContents): WindowAddress | null {
    for (const { window, address } of this.#windows.values())
      if (!window.isDestroyed() && window.webContents === contents) return address;
    return null;
  }

  windowOf(windowId: number): BrowserWindow | null {
    for (const { window } of this.#windows.values())
      if (!window.isDestroyed() && window.webContents.id === windowId) return window;
    return null;
  }

  /** Whether the person has a window of this gateway before them; a minimised one shows nothing. */
  isInSight(gatewayId: string): boolean {
    return [...this.#windows.values()].some(
      ({ window, address }) => address.gatewayId === gatewayId && !window.isMinimized(),
    );
  }

  toAll<N extends EventName>(name: N, payload: EventPayloadOf<N>): void {
    for (const { window } of this.#windows.values())
      if (!window.isDestroyed()) window.webContents.send(channelName(name), payload);
  }

  toWindow<N extends EventName>(windowId: number, name: N, payload: EventPayloadOf<N>): void {
    this.windowOf(windowId)?.webContents.send(channelName(name), payload);
  }

  /** Titles carry words and gateway names; both can change. */
  refreshTitles(): void {
    for (const { window, address } of this.#windows.values()) window.setTitle(this.#options.titleOf(address));
  }

  /** Keeps where the open windows are; before a quit that does not close them one by one. */
  rememberPlaces(): void {
    for (const [key, { window }] of this.#windows) this.#rememberPlace(key, window);
  }

  dispose(): void {
    for (const { window } of [...this.#windows.values()]) window.destroy();
    this.#pageGone.dispose();
  }

  #create(key: string, address: WindowAddress): void {
    const { logger, clock } = this.#options;
    const size = SIZES[address.window];
    const saved = this.#options.readBounds(key);
    const place = saved === null ? null : placeOnScreen(saved);
    const window = new BrowserWindow({
      ...size,
      ...(place && { x: place.x, y: place.y, width: place.width, height: place.height }),
      show: false,
      title: this.#options.titleOf(address),
      backgroundColor: backgroundColour(),
      // A window of its own look is for later; the system's frame is what people know.
      autoHideMenuBar: true,
      maximizable: address.window !== 'prompt',
      fullscreenable: address.window !== 'prompt',
      alwaysOnTop: address.window === 'prompt',
      ...(this.#options.iconPath !== null && { icon: this.#options.iconPath }),
      webPreferences: webPreferences(this.#options.preloadPath, this.#options.allowDevtools),
    });
    const contents = window.webContents;
    const windowId = contents.id;
    const crashes = new CrashWindow(clock, {
      reload: () => {
        if (!window.isDestroyed()) contents.reload();
      },
      giveUp: () => {
        if (!window.isDestroyed()) void window.loadURL(SAFE_PAGE_URL).catch(() => undefined);
      },
    });
    this.#windows.set(key, { window, address, crashes });
    if (place?.maximized === true) window.maximize();

    window.once('ready-to-show', () => {
      window.show();
      logger.log('info', 'window.shown', { window: address.window });
    });
    // The page sets no title of its own: it could be model output.
    window.on('page-title-updated', (event) => event.preventDefault());
    window.on('close', (event) => {
      if (this.#mayClose(window)) this.#rememberPlace(key, window);
      else event.preventDefault();
    });
    window.on('closed', () => {
      this.#windows.delete(key);
      crashes.dispose();
      this.#pageGone.emit(windowId);
    });
    contents.on('did-start-navigation', (details) => {
      if (details.isMainFrame && !details.isSameDocument) this.#pageGone.emit(windowId);
    });
    contents.on('input-event', (_event, input) => {
      if (
        input.type === 'mouseDown' ||
        input.type === 'mouseUp' ||
        input.type === 'keyDown' ||
        input.type === 'rawKeyDown'
      )
        this.#options.onInput(windowId);
    });
    contents.on('render-process-gone', (_event, details) => {
      if (details.reason === 'clean-exit') return;
      logger.log('error', 'renderer.gone', {
        window: address.window,
        reason: details.reason,
        code: details.exitCode,
      });
      this.#pageGone.emit(windowId);
      crashes.note();
    });
    contents.on('unresponsive', () => {
      logger.log('warn', 'renderer.unresponsive', { window: address.window });
      // Nothing is lost by it: drafts and conversations are main's. A page that a debugger holds is no fault.
      if (!contents.isDevToolsOpened()) contents.forcefullyCrashRenderer();
    });
    contents.on('did-fail-load', (_event, code, text, _url, isMainFrame) => {
      if (isMainFrame) logger.log('error', 'renderer.load-failed', { window: address.window, code, text });
    });
    contents.on('preload-error', (_event, _path, error) => {
      logger.log('error', 'renderer.preload-failed', { window: address.window, detail: error.message });
    });
    void window.loadURL(windowUrl(address)).catch(() => undefined);
  }

  #rememberPlace(key: string, window: BrowserWindow): void {
    const { x, y, width, height } = window.getNormalBounds();
    const before = this.#options.readBounds(key);
    const bounds = { x, y, width, height, maximized: window.isMaximized() };
    if (before === null || JSON.stringify(bounds) !== JSON.stringify({ ...bounds, ...before }))
      this.#options.saveBounds(key, bounds);
  }

  /** Holds for every contents of the process, also for one that something else should make. */
  #guardContents(contents: WebContents): void {
    const { logger } = this.#options;
    const deny = (what: string) => (event: { preventDefault(): void }) => {
      logger.log('warn', 'security.navigation-denied', { what });
      event.preventDefault();
    };
    // The one way to go that stays where it is: a page of ours that reloads itself.
    const denyUnlessReload = (
      event: Electron.Event<Electron.WebContentsWillFrameNavigateEventParams>,
    ): void => {
      const isReload =
        event.isMainFrame && event.url === contents.getURL() && this.addressOf(contents) !== null;
      if (!isReload) deny('navigate')(event);
    };
    contents.on('will-navigate', denyUnlessReload);
    contents.on('will-frame-navigate', denyUnlessReload);
    contents.on('will-redirect', deny('redirect'));
    contents.on('will-attach-webview', deny('webview'));
    contents.setWindowOpenHandler(() => {
      logger.log('warn', 'security.navigation-denied', { what: 'window.open' });
      return { action: 'deny' };
    });
  }
}

export function webPreferences(preloadPath: string, allowDevtools: boolean): WebPreferences {
  return {
    preload: preloadPath,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    disableDialogs: true,
    // Chromium's spell checker fetches dictionaries from the network.
    spellcheck: false,
    devTools: allowDevtools,
  };
}

function keyOf(address: WindowAddress): string {
  return `${address.window}/${address.gatewayId}`;
}

/** Matches the page's own background in both themes (src/renderer/design), so that the first frame does not flash. */
function backgroundColour(): string {
  return nativeTheme.shouldUseDarkColors ? '#1c1b19' : '#f6f5f3';
}

/** The remembered place, moved and shrunk into the screen that holds most of it: displays come, go and change. */
function placeOnScreen(bounds: WindowBounds): WindowBounds {
  const { workArea } = screen.getDisplayMatching(bounds);
  const width = Math.min(bounds.width, workArea.width);
  const height = Math.min(bounds.height, workArea.height);
  const within = (at: number, from: number, room: number): number =>
    Math.min(Math.max(at, from), from + room);
  return {
    ...bounds,
    width,
    height,
    x: within(bounds.x, workArea.x, workArea.width - width),
    y: within(bounds.y, workArea.y, workArea.height - height),
  };
}
