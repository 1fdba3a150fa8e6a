import { BrowserWindow, Notification } from 'electron';
import type { DesktopNotification, Notifications } from '../app/inbox-notifier.ts';
import type { Disposable } from '../core/lifecycle.ts';

/** Notifications of the desktop; where it has none, the tray and the windows say the same. */
export class SystemNotifications implements Notifications {
  isAppFocused(): boolean {
    return BrowserWindow.getFocusedWindow() !== null;
  }

  show({ title, body, onClick }: DesktopNotification): Disposable {
    if (!Notification.isSupported()) return { dispose: () => undefined };
    const notification = new Notification({ title, body });
    notification.on('click', onClick);
    notification.show();
    return { dispose: () => notification.close() };
  }
}
