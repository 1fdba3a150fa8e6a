import { useId, type InputHTMLAttributes, type ReactElement, type ReactNode } from 'react';
import { StateIcon } from './icons.tsx';

export interface TextFieldProps extends Omit<
  InputHTMLAttributes<HTMLInputElement>,
  'className' | 'onChange' | 'value' | 'id'
> {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: ReactNode;
  /** Says what is wrong and what would be right; null while nothing is. */
  readonly error?: string | null;
  readonly optionalText?: string | undefined;
  /** For what people compare letter by letter: hosts, paths, ports. */
  readonly mono?: boolean;
  /** Shows dots for letters. The box stays a text box for assistive technology. */
  readonly masked?: boolean;
  /** Controls in the same row, after the box. */
  readonly trailing?: ReactNode;
  /** What hangs below the box, over what follows. */
  readonly popup?: ReactNode;
  readonly 'data-field'?: string;
  readonly 'data-autofocus'?: string;
}

/** A labelled text box with its hint and, beside the field, what is wrong with it. */
export function TextField({
  label,
  value,
  onChange,
  hint,
  error = null,
  optionalText,
  mono = false,
  masked = false,
  trailing,
  popup,
  ...rest
}: TextFieldProps): ReactElement {
  const id = useId();
  const hintId = `${id}-hint`;
  const errorId = `${id}-error`;
  const describedBy = [error === null ? null : errorId, hint === undefined ? null : hintId].filter(
    (part) => part !== null,
  );
  const classes = ['input', mono ? 'input--mono' : null, masked ? 'input--masked' : null];
  const keepMasked = masked
    ? (event: { preventDefault: () => void }): void => event.preventDefault()
    : undefined;
  return (
    <div className="field">
      <div className="field__label-row">
        <label className="field__label" htmlFor={id}>
          {label}
        </label>
        {optionalText === undefined ? null : <span className="field__optional"> {optionalText}</span>}
      </div>
      <div className="field__row">
        <input
          type="text"
          autoComplete="off"
          autoCorrect="off"
          autoCapitalize="off"
          spellCheck={false}
          {...rest}
          id={id}
          className={classes.filter((name) => name !== null).join(' ')}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          onCopy={keepMasked}
          onCut={keepMasked}
          aria-invalid={error === null ? undefined : true}
          aria-describedby={describedBy.length === 0 ? undefined : describedBy.join(' ')}
        />
        {trailing}
        {popup}
      </div>
      {error === null ? null : (
        <p className="field__error" id={errorId}>
          <StateIcon state="attention" />
          {error}
        </p>
      )}
      {hint === undefined ? null : (
        <p className="field__hint" id={hintId}>
          {hint}
        </p>
      )}
    </div>
  );
}
