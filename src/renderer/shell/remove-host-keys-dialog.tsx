import { useState, type ReactElement } from 'react';
import type { ConnectionFailure, FailureFacts } from '../../shared/connection-failure.ts';
import { describeFailure } from '../../shared/failure-remedies.ts';
import { failureTarget } from '../../shared/gateway-label.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import type { RemoveHostKeysError } from '../../shared/ipc-contract.ts';
import { Button } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { TextField } from '../design/text-field.tsx';
import { useCommands, useShown, useTranslate } from '../gangway-context.ts';
import { settle } from '../settle.ts';

interface RemoveHostKeysDialogProps {
  readonly facts: FailureFacts['host-key-changed'];
  readonly onClose: () => void;
}

/** Takes changed host keys out of known_hosts, but only for somebody who types the host's name: nobody does so by reflex. */
export function RemoveHostKeysDialog({ facts, onClose }: RemoveHostKeysDialogProps): ReactElement {
  const t = useTranslate();
  const { api, reportCommandError } = useCommands();
  const { gateway } = useShown();
  const [typedHost, setTypedHost] = useState('');
  const [isRemoving, setIsRemoving] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const { host } = facts;
  const isNamed = typedHost.trim() === host;
  const sayThatItDiffers = (): void => setError(t('hostKeyChanged.nameDiffers', { host }));

  const remove = async (): Promise<void> => {
    if (!isNamed || isRemoving) return;
    setIsRemoving(true);
    setError(null);
    const result = await settle(api.connection.removeHostKeys({ gatewayId: gateway.profile.id, typedHost }));
    if (result.ok && result.value.ok) {
      onClose();
      return;
    }
    setIsRemoving(false);
    if (!result.ok) {
      reportCommandError(result.error);
      onClose();
    } else if (!result.value.ok) {
      const words = (failure: ConnectionFailure): string => {
        const { title, body } = describeFailure(failure, failureTarget(gateway.profile, t), t, {
          isFinal: true,
        });
        return `${title}. ${body}`;
      };
      setError(errorText(result.value.error, host, words, t));
    }
  };
  return (
    <Dialog
      role="alertdialog"
      title={t('hostKeyChanged.removeTitle', { host })}
      onCancel={onClose}
      onSubmit={() => void remove()}
      actions={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button look="danger" type="submit" disabled={!isNamed || isRemoving}>
            {isRemoving ? t('hostKeyChanged.removing') : t('hostKeyChanged.remove')}
          </Button>
        </>
      }
    >
      <p className="dialog__text selectable">{t('hostKeyChanged.removeIntro', { host })}</p>
      <div className="compare">
        <p className="muted">{t('hostKeyChanged.removedFrom')}</p>
        <ul className="places mono selectable">
          {facts.known.map(({ file, line }) => (
            <li key={`${file}:${line}`}>{t('hostKeyChanged.line', { file, line })}</li>
          ))}
        </ul>
      </div>
      <TextField
        data-autofocus=""
        label={t('hostKeyChanged.typeName', { host })}
        value={typedHost}
        onChange={(value) => {
          setTypedHost(value);
          setError(null);
        }}
        // The button is off for a wrong name, and then Enter does not submit.
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.nativeEvent.isComposing && !isNamed) sayThatItDiffers();
        }}
        onBlur={({ relatedTarget }) => {
          // On the way to a button nothing may move from under the pointer.
          if (typedHost !== '' && !isNamed && !(relatedTarget instanceof HTMLButtonElement))
            sayThatItDiffers();
        }}
        hint={t('hostKeyChanged.removeNext')}
        error={error}
        mono
      />
    </Dialog>
  );
}

function errorText(
  error: RemoveHostKeysError,
  host: string,
  words: (failure: ConnectionFailure) => string,
  t: Translate,
): string {
  switch (error.type) {
    case 'name-differs':
      return t('hostKeyChanged.nameDiffers', { host });
    case 'nothing-to-remove':
      return t('hostKeyChanged.nothingToRemove');
    case 'failure':
      return words(error.failure);
  }
}
