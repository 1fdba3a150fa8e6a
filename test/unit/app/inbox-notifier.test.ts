import { beforeEach, describe, expect, it } from 'vitest';
import { InboxNotifier, type DesktopNotification } from '../../../src/main/app/inbox-notifier.ts';
import type { AppSnapshot } from '../../../src/shared/app-snapshot.ts';
import { createTranslate } from '../../../src/shared/i18n/index.ts';
import type { ExecApproval } from '../../../src/shared/inbox.ts';
import { aGateway, aSnapshot } from '../renderer/fake-gangway.ts';

const approval = (id: string): ExecApproval => ({
  type: 'exec-approval',
  id,
  agentId: null,
  sessionKey: null,
  createdAtMs: null,
  expiresAtMs: null,
  command: 'curl -H "Authorization: secret"',
  cwd: null,
  host: null,
  nodeId: null,
  program: null,
  environment: [],
  warnings: [],
  scope: null,
  decisions: ['deny'],
});
const snapshotOf = (...ids: string[]): AppSnapshot =>
  aSnapshot({ gateways: [aGateway({ inbox: ids.map(approval) })] });

describe('notifications of what waits', () => {
  let shown: (DesktopNotification & { isClosed: boolean })[];
  let opened: string[];
  let isFocused: boolean;
  let notifier: InboxNotifier;

  beforeEach(() => {
    shown = [];
    opened = [];
    isFocused = false;
    notifier = new InboxNotifier({
      notifications: {
        isAppFocused: () => isFocused,
        show: (notification) => {
          const entry = { ...notification, isClosed: false };
          shown.push(entry);
          return { dispose: () => (entry.isClosed = true) };
        },
      },
      translate: () => createTranslate('en'),
      openInbox: (gatewayId) => opened.push(gatewayId),
    });
  });

  it('come once for each, lead to the inbox, and say nothing of what it is', () => {
    notifier.update(snapshotOf('a'));
    notifier.update(snapshotOf('a'));
    notifier.update(snapshotOf('a', 'b'));
    expect(shown).toHaveLength(2);
    expect(JSON.stringify(shown)).not.toContain('curl');
    shown[0]?.onClick();
    expect(opened).toEqual(['homelab']);
  });

  it('go when it is over, and do not come again with the next connection', () => {
    notifier.update(snapshotOf('a'));
    notifier.update(snapshotOf());
    expect(shown.map(({ isClosed }) => isClosed)).toEqual([true]);
    notifier.update(snapshotOf('a'));
    expect(shown).toHaveLength(1);
  });

  it('are not needed by somebody who is looking', () => {
    isFocused = true;
    notifier.update(snapshotOf('a'));
    isFocused = false;
    notifier.update(snapshotOf('a'));
    expect(shown).toEqual([]);
  });

  it('end with the app', () => {
    notifier.update(snapshotOf('a', 'b'));
    notifier.dispose();
    expect(shown.every(({ isClosed }) => isClosed)).toBe(true);
  });
});
