import { useId, useState, type KeyboardEvent, type ReactElement } from 'react';
import type { SlashCommand } from '../../shared/slash-commands.ts';
import { useTranslate } from '../gangway-context.ts';

export interface CommandMenu {
  readonly isOpen: boolean;
  /** For the text box that the list belongs to. */
  readonly boxProps: {
    readonly 'aria-autocomplete': 'list';
    readonly 'aria-controls': string | undefined;
    readonly 'aria-activedescendant': string | undefined;
  };
  readonly list: ReactElement | null;
  /** True when the key was for the list. */
  readonly onKeyDown: (event: KeyboardEvent<HTMLTextAreaElement>) => boolean;
}

/**
 * Commands offered above the box. The first one is chosen from the start: Tab takes it, and Enter as well while its name is
 * not written out; a name that is written out is sent by Enter as any message.
 */
export function useCommandMenu(
  offered: readonly SlashCommand[],
  text: string,
  onPick: (text: string) => void,
): CommandMenu {
  const t = useTranslate();
  const listId = useId();
  /** Of the text that it was moved in or closed for; another text begins anew. */
  const [state, setState] = useState({ text: '', active: 0, isClosed: false });
  const { active, isClosed } = state.text === text ? state : { active: 0, isClosed: false };
  const isOpen = offered.length > 0 && !isClosed;
  const chosen = isOpen ? offered[Math.min(active, offered.length - 1)] : undefined;
  const optionId = (command: SlashCommand): string => `${listId}-${command.name.slice(1)}`;
  const pick = ({ name, takesArguments }: SlashCommand): void => onPick(takesArguments ? `${name} ` : name);

  return {
    isOpen,
    boxProps: {
      'aria-autocomplete': 'list',
      'aria-controls': isOpen ? listId : undefined,
      'aria-activedescendant': chosen === undefined ? undefined : optionId(chosen),
    },
    onKeyDown(event) {
      if (chosen === undefined || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey)
        return false;
      switch (event.key) {
        case 'ArrowDown':
        case 'ArrowUp': {
          const by = event.key === 'ArrowDown' ? 1 : offered.length - 1;
          setState({ text, active: (active + by) % offered.length, isClosed: false });
          return true;
        }
        case 'Tab':
          pick(chosen);
          return true;
        case 'Enter':
          if (chosen.name === text) return false;
          pick(chosen);
          return true;
        case 'Escape':
          setState({ text, active: 0, isClosed: true });
          return true;
        default:
          return false;
      }
    },
    list: !isOpen ? null : (
      <ul
        className="options composer__commands"
        role="listbox"
        id={listId}
        aria-label={t('chat.commands')}
        // The box keeps the focus; a press on the list must not take it.
        onPointerDown={(event) => event.preventDefault()}
        onMouseDown={(event) => event.preventDefault()}
      >
        {offered.map((command) => (
          <li
            key={command.name}
            ref={command === chosen ? intoView : undefined}
            className="option"
            role="option"
            id={optionId(command)}
            aria-selected={command === chosen}
            onClick={() => pick(command)}
          >
            <span className="option__label">
              {command.name} <span className="composer__usage">{command.usage}</span>
            </span>
            <span className="option__detail">{command.description}</span>
          </li>
        ))}
      </ul>
    ),
  };
}

function intoView(option: HTMLLIElement | null): void {
  option?.scrollIntoView({ block: 'nearest' });
}
