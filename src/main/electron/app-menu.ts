import { Menu, type MenuItemConstructorOptions } from 'electron';
import type { Translate } from '../../shared/i18n/index.ts';
import type { WindowKind } from '../../shared/ipc-contract.ts';

export interface AppMenuActions {
  open(window: WindowKind): void;
  reconnect(): void;
  showLog(): void;
  restart(): void;
  quit(): void;
}

/** Sets the application menu: it carries the shortcuts of every window, and on macOS it is the menu bar. */
export function setAppMenu(t: Translate, actions: AppMenuActions, allowDevtools: boolean): void {
  const isMac = process.platform === 'darwin';
  const m = (key: string): string => t(`tray.menu.${key}`);
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const settings: MenuItemConstructorOptions = {
    label: t('tray.settings'),
    accelerator: 'CmdOrCtrl+,',
    click: () => actions.open('settings'),
  };
  const chat: MenuItemConstructorOptions = {
    label: t('tray.openChat'),
    accelerator: 'CmdOrCtrl+1',
    click: () => actions.open('chat'),
  };
  const health: MenuItemConstructorOptions = {
    label: t('tray.openHealth'),
    accelerator: 'CmdOrCtrl+2',
    click: () => actions.open('health'),
  };
  const inbox: MenuItemConstructorOptions = {
    label: t('tray.openInbox'),
    accelerator: 'CmdOrCtrl+3',
    click: () => actions.open('inbox'),
  };
  const reconnect: MenuItemConstructorOptions = {
    label: t('tray.reconnectNow'),
    accelerator: 'CmdOrCtrl+Shift+R',
    click: () => actions.reconnect(),
  };
  const log: MenuItemConstructorOptions = { label: t('tray.showLog'), click: () => actions.showLog() };
  const restart: MenuItemConstructorOptions = { label: t('tray.restart'), click: () => actions.restart() };
  const quit: MenuItemConstructorOptions = {
    label: t('tray.quit'),
    accelerator: 'CmdOrCtrl+Q',
    click: () => actions.quit(),
  };
  const close: MenuItemConstructorOptions = { role: 'close', label: m('close') };
  const appMenu: MenuItemConstructorOptions = {
    label: 'Gangway',
    submenu: [
      { role: 'about', label: m('about') },
      separator,
      settings,
      separator,
      { role: 'hide', label: m('hide') },
      { role: 'hideOthers', label: m('hideOthers') },
      { role: 'unhide', label: m('showAll') },
      separator,
      restart,
      quit,
    ],
  };
  const fileMenu: MenuItemConstructorOptions = {
    label: m('file'),
    submenu: [
      chat,
      health,
      inbox,
      separator,
      reconnect,
      log,
      separator,
      ...(isMac ? [close] : [settings, restart, separator, close, quit]),
    ],
  };
  const editMenu: MenuItemConstructorOptions = {
    label: m('edit'),
    submenu: [
      { role: 'undo', label: m('undo') },
      { role: 'redo', label: m('redo') },
      separator,
      { role: 'cut', label: m('cut') },
      { role: 'copy', label: m('copy') },
      { role: 'paste', label: m('paste') },
      { role: 'pasteAndMatchStyle', label: m('pastePlain') },
      { role: 'selectAll', label: m('selectAll') },
    ],
  };
  const viewMenu: MenuItemConstructorOptions = {
    label: m('view'),
    submenu: [
      { role: 'zoomIn', label: m('zoomIn') },
      { role: 'zoomOut', label: m('zoomOut') },
      { role: 'resetZoom', label: m('zoomReset') },
      separator,
      { role: 'togglefullscreen', label: m('fullScreen') },
      ...(allowDevtools ? [separator, { role: 'toggleDevTools', label: m('devtools') } as const] : []),
    ],
  };
  const windowMenu: MenuItemConstructorOptions = {
    label: m('window'),
    role: 'windowMenu',
    submenu: [{ role: 'minimize', label: m('minimise') }, ...(isMac ? [] : [close])],
  };
  const menus = [...(isMac ? [appMenu] : []), fileMenu, editMenu, viewMenu, windowMenu];
  Menu.setApplicationMenu(Menu.buildFromTemplate(menus));
}
