import { useId, type ReactElement } from 'react';
import { useTranslate } from '../gangway-context.ts';
import { useSecretsAreInMemory } from '../secrets-in-memory.ts';

interface RememberChoiceProps {
  readonly isChecked: boolean;
  readonly onChange: (isChecked: boolean) => void;
}

/** Whether the keychain keeps the answer; where there is no keychain, how long it is kept instead. */
export function RememberChoice({ isChecked, onChange }: RememberChoiceProps): ReactElement {
  const t = useTranslate();
  const id = useId();
  if (useSecretsAreInMemory()) return <p className="field__hint">{t('prompts.rememberUntilQuit')}</p>;
  return (
    <div className="check">
      <input
        className="check__input"
        type="checkbox"
        id={id}
        checked={isChecked}
        onChange={(event) => onChange(event.target.checked)}
      />
      <label htmlFor={id}>{t('prompts.remember')}</label>
    </div>
  );
}
