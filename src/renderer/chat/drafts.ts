import type { ForSession } from '../../shared/ipc-contract.ts';

/**
 * Texts that were begun and not sent, by gateway and session. They live as long as the window's page: closing the
 * window forgets them (main has no place for drafts yet).
 */
const drafts = new Map<string, string>();

function keyOf(session: ForSession): string {
  return JSON.stringify([session.gatewayId, session.sessionKey]);
}

export function readDraft(session: ForSession): string {
  return drafts.get(keyOf(session)) ?? '';
}

export function writeDraft(session: ForSession, text: string): void {
  if (text === '') drafts.delete(keyOf(session));
  else drafts.set(keyOf(session), text);
}
