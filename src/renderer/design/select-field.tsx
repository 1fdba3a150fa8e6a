import { useId, type ReactElement } from 'react';
import type { Choice } from './radio-group.tsx';

interface SelectFieldProps<V extends string> {
  readonly label: string;
  /** What the chosen one means. */
  readonly hint: string;
  readonly choices: readonly Choice<V>[];
  readonly value: V;
  readonly onChange: (value: V) => void;
  readonly 'data-field'?: string;
}

/** One choice of several where only the chosen one need be in view. */
export function SelectField<V extends string>({
  label,
  hint,
  choices,
  value,
  onChange,
  ...rest
}: SelectFieldProps<V>): ReactElement {
  const id = useId();
  const hintId = `${id}-hint`;
  return (
    <div className="field">
      <label className="field__label" htmlFor={id}>
        {label}
      </label>
      <select
        {...rest}
        id={id}
        className="select select--field"
        value={value}
        aria-describedby={hintId}
        onChange={(event) => {
          const chosen = choices.find((choice) => choice.value === event.target.value);
          if (chosen !== undefined) onChange(chosen.value);
        }}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
      <p className="field__hint" id={hintId}>
        {hint}
      </p>
    </div>
  );
}
