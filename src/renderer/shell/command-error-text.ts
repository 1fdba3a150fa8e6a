import type { Translate } from '../../shared/i18n/index.ts';
import type { CommandError } from '../../shared/ipc-contract.ts';

/** Why a command was not carried out, as one sentence; failures of a connection have a card. */
export function commandErrorText(
  error: Exclude<CommandError, { readonly type: 'failure' }>,
  t: Translate,
): string {
  return error.type === 'bug'
    ? t('notices.commandBug', { detail: error.detail })
    : t('notices.commandRefused', { reason: error.reason });
}
