import type { Page } from '@playwright/test';
import { ChatScreen } from '../../support/screens/chat-screen.ts';
import type { HistoryRow } from '../../support/lab/gateway-client.ts';
import type { Stage } from './stage.ts';

/** The chat window that is already open, or a new one. */
export async function chatPage(stage: Stage): Promise<ChatScreen> {
  return new ChatScreen(await stage.show('chat'));
}

/** What the Gateway itself holds of the main session, read by a client of its own. */
export async function mainHistory(stage: Stage): Promise<readonly HistoryRow[]> {
  return stage.withClient(async (client) => {
    const key = client.hello.snapshot.sessionDefaults?.mainSessionKey;
    if (key === undefined) throw new Error('The Gateway names no main session');
    return client.history(key);
  });
}

export function rowsWith(history: readonly HistoryRow[], role: string, text: string): readonly HistoryRow[] {
  return history.filter((row) => row.role === role && row.text.includes(text));
}

/** The draft of the main session as main holds it; null while no session is known. */
export function keptDraft(page: Page): Promise<string | null> {
  return page.evaluate(async () => {
    const answer = await window.gangway.app.getSnapshot(null);
    const gateway = answer.ok ? answer.value.gateways[0] : undefined;
    const sessionKey = gateway?.mainSessionKey ?? null;
    if (gateway === undefined || sessionKey === null) return null;
    const draft = await window.gangway.chat.readDraft({ gatewayId: gateway.profile.id, sessionKey });
    return draft.ok ? draft.value.text : null;
  });
}
