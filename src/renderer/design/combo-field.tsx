import { useId, useState, type KeyboardEvent, type ReactElement } from 'react';
import { TextField, type TextFieldProps } from './text-field.tsx';

export interface ComboOption {
  /** What the box holds once it is picked. */
  readonly value: string;
  readonly label: string;
  /** Said beside it; '' for nothing. */
  readonly detail: string;
}

interface ComboFieldProps extends Omit<TextFieldProps, 'popup' | 'trailing' | 'masked'> {
  /** Name of the list. */
  readonly listLabel: string;
  /** What fits what is typed now, best first. */
  readonly options: readonly ComboOption[];
}

/**
 * A text box that offers values while it is typed into (WAI-ARIA combobox with a list). Nothing is picked by itself: Enter
 * picks only what the arrow keys chose, else it does what it does in any box.
 */
export function ComboField({ listLabel, options, onBlur, ...rest }: ComboFieldProps): ReactElement {
  const listId = useId();
  const [isOpen, setIsOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const isShown = isOpen && options.length > 0;
  const chosen = isShown ? options[active] : undefined;
  const optionId = (index: number): string => `${listId}-${index}`;

  const close = (): void => {
    setIsOpen(false);
    setActive(-1);
  };
  const pick = (option: ComboOption): void => {
    rest.onChange(option.value);
    close();
  };
  const move = (by: 1 | -1): void => {
    setIsOpen(true);
    // One place more than there are options: the typed text itself.
    const places = options.length + 1;
    setActive(((active + 1 + by + places) % places) - 1);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    // While an input method composes, the keys belong to it.
    if (event.nativeEvent.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && options.length > 0) {
      event.preventDefault();
      move(event.key === 'ArrowDown' ? 1 : -1);
    } else if (event.key === 'Enter' && chosen !== undefined) {
      event.preventDefault();
      pick(chosen);
    } else if (event.key === 'Enter') close();
    else if (event.key === 'Escape' && isShown) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  };
  return (
    <TextField
      {...rest}
      role="combobox"
      aria-autocomplete="list"
      aria-haspopup="listbox"
      aria-expanded={isShown}
      aria-controls={isShown ? listId : undefined}
      aria-activedescendant={chosen === undefined ? undefined : optionId(active)}
      onChange={(value) => {
        rest.onChange(value);
        setIsOpen(true);
        setActive(-1);
      }}
      onBlur={(event) => {
        close();
        onBlur?.(event);
      }}
      onKeyDown={onKeyDown}
      popup={
        isShown ? (
          <ul
            className="options"
            role="listbox"
            id={listId}
            aria-label={listLabel}
            // The box keeps the focus; a press on the list must not take it.
            onPointerDown={(event) => event.preventDefault()}
            onMouseDown={(event) => event.preventDefault()}
          >
            {options.map((option, index) => (
              <li
                key={option.value}
                ref={index === active ? intoView : undefined}
                className="option"
                role="option"
                id={optionId(index)}
                aria-selected={index === active}
                onClick={() => pick(option)}
              >
                <span className="option__label">{option.label}</span>
                {option.detail === '' ? null : <span className="option__detail">{option.detail}</span>}
              </li>
            ))}
          </ul>
        ) : null
      }
    />
  );
}

function intoView(option: HTMLLIElement | null): void {
  option?.scrollIntoView({ block: 'nearest' });
}
