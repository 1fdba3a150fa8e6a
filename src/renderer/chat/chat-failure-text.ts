import type { ChatFailure } from '../../shared/chat.ts';
import type { Translate } from '../../shared/i18n/index.ts';

/** Codes that Gangway itself gives, with words of their own (src/main/core/chat/delivery-rules.ts). */
const OWN_CODES: ReadonlySet<string> = new Set(['TOO_LARGE', 'CANCELLED', 'OTHER_GATEWAY', 'UNCONFIRMED']);

/** What went wrong with a message or a conversation, as one or two sentences; failures of the connection have a card. */
export function chatFailureText(
  failure: Exclude<ChatFailure, { readonly type: 'connection' }>,
  t: Translate,
): string {
  const { detail } = failure;
  switch (failure.type) {
    case 'gateway': {
      const { code } = failure;
      if (OWN_CODES.has(code)) return t(`chat.verdicts.${code}`, { detail });
      return detail === ''
        ? t('chat.gatewayFailedUnsaid', { code })
        : t('chat.gatewayFailed', { detail, code });
    }
    case 'agent': {
      // The gateway often puts the reason into the message itself and leaves the fields for it empty.
      const reason = detail === '' && failure.kind !== 'unknown' ? failure.kind : detail;
      return reason === '' ? t('chat.agentFailedUnsaid') : t('chat.agentFailed', { detail: reason });
    }
  }
}
