import type { ReactElement } from 'react';
import type { JumpName } from '../../shared/connection-state.ts';
import { useTranslate } from '../gangway-context.ts';

/** Which server on the way asks: addresses of jump hosts may be alike. Nothing where it is the target. */
export function AskingJump({ jump }: { readonly jump: JumpName }): ReactElement | null {
  const t = useTranslate();
  return jump === null ? null : <p className="dialog__text selectable">{t('prompts.jumpAsks', { jump })}</p>;
}
