import type { AppSnapshot } from '../../shared/app-snapshot.ts';
import { gatewayLabel } from '../../shared/gateway-label.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import { inboxKey, type InboxItemType } from '../../shared/inbox.ts';
import type { Disposable } from '../core/lifecycle.ts';

export interface DesktopNotification {
  readonly title: string;
  readonly body: string;
  readonly onClick: () => void;
}

/** The system's own notifications. */
export interface Notifications {
  /** True while the person is in one of our windows: what is shown there needs no notification. */
  isAppFocused(): boolean;
  /** Shows one; disposing takes it away. */
  show(notification: DesktopNotification): Disposable;
}

export interface InboxNotifierPorts {
  readonly notifications: Notifications;
  readonly translate: () => Translate;
  readonly openInbox: (gatewayId: string) => void;
}

const WORDS: Readonly<Record<InboxItemType, string>> = {
  'exec-approval': 'exec',
  'plugin-approval': 'plugin',
  question: 'question',
};
/** Ids that are remembered, so that a reconnect does not tell of the same again. */
const MAX_TOLD = 1_000;

/**
 * Tells once of each thing that begins to wait while the person is elsewhere, and takes it back when it is over. Screens may
 * be locked and shared, so it says that something waits and not what; deciding happens where everything of it is shown.
 */
export class InboxNotifier implements Disposable {
  readonly #ports: InboxNotifierPorts;
  readonly #told = new Set<string>();
  readonly #shown = new Map<string, Disposable>();

  constructor(ports: InboxNotifierPorts) {
    this.#ports = ports;
  }

  update({ gateways }: AppSnapshot): void {
    const waiting = new Set<string>();
    for (const { profile, inbox } of gateways) {
      for (const item of inbox) {
        const key = `${profile.id} ${inboxKey(item)}`;
        waiting.add(key);
        if (this.#told.has(key)) continue;
        this.#remember(key);
        if (this.#ports.notifications.isAppFocused()) continue;
        const t = this.#ports.translate();
        const notification = this.#ports.notifications.show({
          title: t(`inbox.notify.${WORDS[item.type]}`),
          body: t('inbox.notify.body', { gateway: gatewayLabel(profile, t) }),
          onClick: () => this.#ports.openInbox(profile.id),
        });
        this.#shown.set(key, notification);
      }
    }
    for (const [key, notification] of this.#shown) {
      if (waiting.has(key)) continue;
      this.#shown.delete(key);
      notification.dispose();
    }
  }

  dispose(): void {
    for (const notification of this.#shown.values()) notification.dispose();
    this.#shown.clear();
  }

  #remember(key: string): void {
    this.#told.add(key);
    const [oldest] = this.#told;
    if (this.#told.size > MAX_TOLD && oldest !== undefined) this.#told.delete(oldest);
  }
}
