import { useState, type ReactElement } from 'react';
import { Button } from './button.tsx';
import { TextField, type TextFieldProps } from './text-field.tsx';

type SecretFieldProps = Omit<TextFieldProps, 'masked' | 'mono'> & {
  readonly showText: string;
  readonly hideText: string;
};

/** A text box whose letters show as dots until the person asks to see them; what is masked cannot be copied out. */
export function SecretField({ showText, hideText, trailing, ...rest }: SecretFieldProps): ReactElement {
  const [isShown, setIsShown] = useState(false);
  return (
    <TextField
      {...rest}
      mono
      masked={!isShown}
      trailing={
        <>
          {rest.value === '' ? null : (
            <Button aria-pressed={isShown} onClick={() => setIsShown(!isShown)}>
              {isShown ? hideText : showText}
            </Button>
          )}
          {trailing}
        </>
      }
    />
  );
}
