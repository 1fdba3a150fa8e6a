import {
  Component,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type ReactElement,
  type ReactNode,
} from 'react';
import { inboxKey, type InboxItem, type InboxOutcome } from '../../shared/inbox.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import { visibleText } from '../../shared/visible-text.ts';
import { Notice } from '../design/notice.tsx';
import { useShown, useTranslate } from '../gangway-context.ts';
import { ApprovalCard } from './approval-card.tsx';
import { QuestionCard } from './question-card.tsx';
import type { Deciding } from './use-decision.ts';

/** A card that has just come, or moved under the pointer, cannot be decided by a click that was on its way already. */
const STEADY_AFTER_MS = 500;

/** Items that wait, each with its buttons, and what became of the last one: it stays where the list is empty. */
export function InboxList({ items }: { readonly items: readonly InboxItem[] }): ReactElement {
  const t = useTranslate();
  const { gateway } = useShown();
  const [said, setSaid] = useState('');
  const keys = items.map(inboxKey).join(' ');
  const isSteady = useSteady(keys);
  const list = useFocusKept(keys);
  const isConnected = gateway.connection.status === 'connected';
  const deciding: Deciding = {
    isPossible: isConnected && isSteady,
    onBegun: () => setSaid(''),
    onDecided: (outcome, saying) => setSaid(outcomeText(outcome, saying, t)),
  };
  return (
    <div className="inbox-list" ref={list} tabIndex={-1} role="group" aria-label={t('inbox.title')}>
      {items.length > 0 && !isConnected ? <Notice tone="info">{t('inbox.notConnected')}</Notice> : null}
      {items.map((item) => (
        <CardBoundary key={inboxKey(item)} text={t('inbox.unreadable')}>
          {item.type === 'question' ? (
            <QuestionCard item={item} deciding={deciding} />
          ) : (
            <ApprovalCard approval={item} deciding={deciding} />
          )}
        </CardBoundary>
      ))}
      <p className={said === '' ? 'visually-hidden' : 'inbox-list__said'} role="status">
        {said}
      </p>
    </div>
  );
}

function outcomeText(outcome: InboxOutcome, saying: string, t: Translate): string {
  switch (outcome.type) {
    case 'applied':
      return saying;
    case 'over':
      return t(`inbox.over.${outcome.how ?? 'unknown'}`);
    case 'gone':
      return visibleText(t('inbox.gone', { detail: outcome.detail }));
  }
}

/** True once `keys` have stood for a moment. */
function useSteady(keys: string): boolean {
  const [steadyKeys, setSteadyKeys] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setSteadyKeys(keys), STEADY_AFTER_MS);
    return () => clearTimeout(timer);
  }, [keys]);
  return steadyKeys === keys;
}

/** When the card that had the focus goes, the list has it, so that the keyboard goes on from there. */
function useFocusKept(keys: string): (list: HTMLDivElement | null) => (() => void) | undefined {
  const held = useRef<{ list: HTMLDivElement | null; hadFocus: boolean }>({ list: null, hadFocus: false });
  useLayoutEffect(() => {
    const { list, hadFocus } = held.current;
    if (hadFocus && document.activeElement === document.body) list?.focus({ preventScroll: true });
  }, [keys]);
  return (list) => {
    held.current.list = list;
    if (list === null) return undefined;
    const enter = (): void => {
      held.current.hadFocus = true;
    };
    const leave = ({ relatedTarget }: FocusEvent): void => {
      // An element that is taken away gives its focus to nobody.
      if (relatedTarget instanceof Node && !list.contains(relatedTarget)) held.current.hadFocus = false;
    };
    list.addEventListener('focusin', enter);
    list.addEventListener('focusout', leave);
    return () => {
      list.removeEventListener('focusin', enter);
      list.removeEventListener('focusout', leave);
    };
  };
}

/** What one item does to its card, it does to no other: the rest can still be decided. */
class CardBoundary extends Component<
  { readonly text: string; readonly children: ReactNode },
  { readonly isBroken: boolean }
> {
  static getDerivedStateFromError(): { readonly isBroken: boolean } {
    return { isBroken: true };
  }

  override readonly state = { isBroken: false };

  override render(): ReactNode {
    return this.state.isBroken ? <Notice tone="warning">{this.props.text}</Notice> : this.props.children;
  }
}
