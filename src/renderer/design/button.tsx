import type { ButtonHTMLAttributes, ReactElement, Ref } from 'react';

interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'className'> {
  readonly look?: 'primary' | 'normal' | 'quiet' | 'danger';
  readonly tone?: 'accent' | 'neutral';
  readonly size?: 'normal' | 'small' | 'icon';
  readonly ref?: Ref<HTMLButtonElement>;
}

/** Does something now; a link to somewhere is not a button. `type` is "button" unless told otherwise. */
export function Button({
  look = 'normal',
  tone = 'accent',
  size = 'normal',
  type = 'button',
  ...rest
}: ButtonProps): ReactElement {
  const classes = ['button'];
  if (look !== 'normal') classes.push(`button--${look}`);
  if (size !== 'normal') classes.push(`button--${size}`);
  return <button type={type} className={classes.join(' ')} data-tone={tone} {...rest} />;
}
