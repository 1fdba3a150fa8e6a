import {
  app,
  Menu,
  nativeImage,
  nativeTheme,
  Tray,
  type MenuItemConstructorOptions,
  type NativeImage,
} from 'electron';
import { join } from 'node:path';
import { assertNever } from '../../shared/result.ts';
import type { TrayIcon } from '../../shared/connection-presentation.ts';
import type { TrayAction, TrayItem, TrayModel } from '../app/tray-model.ts';
import { DisposableStore, type Disposable } from '../core/lifecycle.ts';
import type { Logger } from '../core/ports.ts';

/** Shows a tray model: picture, tooltip and menu, each touched only when it changed. */
export class TrayController implements Disposable {
  readonly #assetsDir: string;
  readonly #onAction: (action: TrayAction) => void;
  readonly #store = new DisposableStore();
  readonly #tray: Tray;
  #model: TrayModel;
  #shownMenu = '';

  /** Null where the system refuses a tray icon. */
  static create(
    model: TrayModel,
    assetsDir: string,
    logger: Logger,
    onAction: (action: TrayAction) => void,
  ): TrayController | null {
    try {
      return new TrayController(model, assetsDir, onAction);
    } catch (error) {
      logger.log('warn', 'tray.refused', { detail: error instanceof Error ? error.message : String(error) });
      return null;
    }
  }

  constructor(model: TrayModel, assetsDir: string, onAction: (action: TrayAction) => void) {
    this.#assetsDir = assetsDir;
    this.#onAction = onAction;
    this.#model = model;
    this.#tray = new Tray(this.#image(model.icon));
    this.#store.defer(() => this.#tray.destroy());
    this.#tray.setToolTip(model.tooltip);
    this.#showMenu(model);
    // Only Windows has pictures for both kinds of task bar; elsewhere one serves.
    const themeChanged = (): void => this.#tray.setImage(this.#image(this.#model.icon));
    nativeTheme.on('updated', themeChanged);
    this.#store.defer(() => nativeTheme.removeListener('updated', themeChanged));
    if (process.platform !== 'darwin')
      this.#tray.on('click', () => this.#onAction({ type: 'open', window: 'chat' }));
  }

  show(model: TrayModel): void {
    const before = this.#model;
    this.#model = model;
    if (model.icon !== before.icon) this.#tray.setImage(this.#image(model.icon));
    if (model.tooltip !== before.tooltip) this.#tray.setToolTip(model.tooltip);
    this.#showMenu(model);
  }

  dispose(): void {
    this.#store.dispose();
  }

  #showMenu(model: TrayModel): void {
    const key = JSON.stringify(model.items);
    if (key === this.#shownMenu) return;
    this.#shownMenu = key;
    this.#tray.setContextMenu(Menu.buildFromTemplate(model.items.map((item) => this.#entry(item))));
  }

  #entry(item: TrayItem): MenuItemConstructorOptions {
    switch (item.type) {
      case 'separator':
        return { type: 'separator' };
      case 'text':
        return { label: item.label, enabled: false };
      case 'action':
        return {
          label: item.label,
          enabled: item.enabled,
          click: () => this.#onAction(item.action),
          // Shown for learning; the application menu is what makes it work.
          ...(item.accelerator !== null && { accelerator: item.accelerator, registerAccelerator: false }),
        };
      case 'radios':
        return {
          label: item.label,
          submenu: item.choices.map(({ label, checked, action }) => ({
            type: 'radio' as const,
            label,
            checked,
            click: () => this.#onAction(action),
          })),
        };
      default:
        return assertNever(item);
    }
  }

  #image(icon: TrayIcon): NativeImage {
    const file = (name: string): string => join(this.#assetsDir, 'tray', name);
    switch (process.platform) {
      case 'darwin': {
        const image = nativeImage.createFromPath(file(`${icon}Template.png`));
        image.setTemplateImage(true);
        return image;
      }
      case 'win32':
        return nativeImage.createFromPath(
          file(`${icon}-${nativeTheme.shouldUseDarkColors ? 'dark' : 'light'}.ico`),
        );
      default:
        return nativeImage.createFromPath(file(`${icon}-linux.png`));
    }
  }
}

/** The name by which Linux desktops group the app's windows and its tray icon. */
export function nameForDesktop(): void {
  if (process.platform === 'win32') app.setAppUserModelId('app.gangway.desktop');
}
