import { useId, type ReactElement } from 'react';

export interface Choice<V extends string> {
  readonly value: V;
  readonly label: string;
  readonly hint?: string;
}

interface RadioGroupProps<V extends string> {
  readonly label: string;
  readonly choices: readonly Choice<V>[];
  readonly value: V;
  readonly onChange: (value: V) => void;
  readonly layout?: 'list' | 'inline';
}

/** One choice of several, all in view. Arrow keys move, as the platform does it for native radio buttons. */
export function RadioGroup<V extends string>({
  label,
  choices,
  value,
  onChange,
  layout = 'list',
}: RadioGroupProps<V>): ReactElement {
  const name = useId();
  const labelId = `${name}-label`;
  return (
    <div
      className={layout === 'inline' ? 'choices choices--inline' : 'choices'}
      role="radiogroup"
      aria-labelledby={labelId}
    >
      <div className="choices__legend" id={labelId}>
        {label}
      </div>
      <div className="choices__list">
        {choices.map((choice) => {
          const id = `${name}-${choice.value}`;
          return (
            <div className="choice" key={choice.value}>
              <input
                className="choice__input"
                type="radio"
                id={id}
                name={name}
                checked={choice.value === value}
                onChange={() => onChange(choice.value)}
                aria-describedby={choice.hint === undefined ? undefined : `${id}-hint`}
              />
              <label className="choice__label" htmlFor={id}>
                {choice.label}
              </label>
              {choice.hint === undefined ? null : (
                <span className="choice__hint" id={`${id}-hint`}>
                  {choice.hint}
                </span>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
