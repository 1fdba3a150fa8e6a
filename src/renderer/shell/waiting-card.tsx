import { useId, useState, type ReactElement } from 'react';
import type { UserPrompt } from '../../shared/connection-state.ts';
import { gatewayLabel } from '../../shared/gateway-label.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import { Button } from '../design/button.tsx';
import { StateIcon } from '../design/icons.tsx';
import { useCommands, useShown, useTranslate } from '../gangway-context.ts';
import { settle } from '../settle.ts';

/** A question that came while nobody was there: what it is, and the button that has it asked. Nothing pops up before. */
export function WaitingCard(): ReactElement | null {
  const { connection } = useShown().gateway;
  if (connection.status !== 'waiting-for-user' || connection.attended) return null;
  return <Waiting key={connection.prompt.id} prompt={connection.prompt} />;
}

function Waiting({ prompt }: { readonly prompt: UserPrompt }): ReactElement {
  const t = useTranslate();
  const { api, reportCommandError } = useCommands();
  const { gateway } = useShown();
  const [isAsked, setIsAsked] = useState(false);
  const titleId = useId();
  const { title, text, button } = wordsOf(prompt, gatewayLabel(gateway.profile, t), t);
  const attend = (): void => {
    setIsAsked(true);
    void settle(api.connection.attend({ gatewayId: gateway.profile.id })).then((result) => {
      if (result.ok) return;
      setIsAsked(false);
      reportCommandError(result.error);
    });
  };
  return (
    <section className="notices notices--waiting" aria-labelledby={titleId}>
      <div className="card card--waiting">
        <span className="card__icon">
          <StateIcon state="waiting" />
        </span>
        <div className="card__content">
          <h2 className="card__title selectable" id={titleId}>
            {title}
          </h2>
          <p className="card__body selectable">{text}</p>
          <div className="card__actions">
            <Button look="primary" disabled={isAsked} onClick={attend}>
              {button}
            </Button>
          </div>
        </div>
      </div>
    </section>
  );
}

interface Words {
  readonly title: string;
  readonly text: string;
  readonly button: string;
}

function wordsOf(prompt: UserPrompt, gateway: string, t: Translate): Words {
  const say = (question: string, params: Readonly<Record<string, string>>): Words => ({
    title: t(`prompts.waiting.${question}.title`, params),
    text: t(`prompts.waiting.${question}.text`, { ...params, gateway }),
    button: t(`prompts.waiting.${question}.button`),
  });
  switch (prompt.type) {
    case 'host-key':
      return say('hostKey', { host: prompt.host });
    case 'passphrase':
      return say('passphrase', { path: prompt.keyPath });
    case 'password':
    case 'keyboard-interactive':
      return say('signIn', { host: prompt.host, user: prompt.user });
    case 'confirm':
      return say('confirm', { host: prompt.host });
    case 'notice':
      return say('touch', { host: prompt.host });
  }
}
