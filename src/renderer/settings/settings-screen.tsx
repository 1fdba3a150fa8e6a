import { useEffect, useRef, useState, type ReactElement } from 'react';
import type { SaveError } from '../../shared/ipc-contract.ts';
import { isConfigured } from '../../shared/gateway-profile.ts';
import type { ConnectionFailure } from '../../shared/connection-failure.ts';
import { profileOfDraft } from '../../shared/profile-of-draft.ts';
import { Button } from '../design/button.tsx';
import { Notice } from '../design/notice.tsx';
import { useCommands, useShown, useTranslate } from '../gangway-context.ts';
import { settle } from '../settle.ts';
import { connectionFailureOf } from '../../shared/connection-state.ts';
import { FailureCard } from '../shell/failure-card.tsx';
import { Appearance } from './appearance.tsx';
import { ConnectionFormFields } from './connection-form-fields.tsx';
import { ConnectionTestPanel } from './connection-test.tsx';
import { useConnectionForm } from './use-connection-form.ts';
import { useConnectionTest } from './use-connection-test.ts';

/** Where OpenClaw runs and how to reach it, tried before it is saved; below it, how the app looks. */
export function SettingsScreen(): ReactElement {
  const t = useTranslate();
  const { api, reportCommandError } = useCommands();
  const { gateway } = useShown();
  const isFirstRun = !isConfigured(gateway.profile);
  const form = useConnectionForm();
  const test = useConnectionTest();
  const top = useRef<HTMLDivElement>(null);
  const [isSaving, setIsSaving] = useState(false);
  const [saveFailure, setSaveFailure] = useState<ConnectionFailure | null>(null);

  const failure = connectionFailureOf(gateway.connection);
  const failureCode = failure?.code ?? null;
  const wasJustSaved = useRef(false);
  useEffect(() => {
    if (failureCode === null || !wasJustSaved.current) return;
    wasJustSaved.current = false;
    top.current?.scrollIntoView({ block: 'start' });
  }, [failureCode]);

  const [startsEmpty] = useState(isFirstRun);
  useEffect(() => {
    if (startsEmpty) top.current?.querySelector<HTMLElement>('[data-field]')?.focus({ preventScroll: true });
  }, [startsEmpty]);

  const showSaveError = (error: SaveError): void => {
    if (error.type === 'fields') form.refuse(error.fields);
    else setSaveFailure(error.failure);
  };

  const saveAndConnect = async (): Promise<void> => {
    if (isSaving || !form.check()) return;
    setIsSaving(true);
    setSaveFailure(null);
    test.clear();
    const result = await settle(api.settings.saveAndConnect(form.draft));
    setIsSaving(false);
    if (!result.ok) reportCommandError(result.error);
    else if (!result.value.ok) showSaveError(result.value.error);
    else {
      form.markSaved();
      // What comes of it shows at the top, now or after a question to the person.
      wasJustSaved.current = true;
      top.current?.scrollIntoView({ block: 'start' });
    }
  };

  const startTest = async (): Promise<void> => {
    if (!form.check()) return;
    setSaveFailure(null);
    const error = await test.start(form.draft);
    if (error !== null) showSaveError(error);
  };

  const wrongFields = Object.keys(form.errors).length;
  return (
    <div className="settings" ref={top}>
      <header className="settings__head">
        <h1 className="screen-title">{t('settings.title')}</h1>
        {isFirstRun ? <p className="muted">{t('settings.welcome')}</p> : null}
      </header>
      {gateway.restartNeeded ? <Notice tone="info">{t('settings.restartNeeded')}</Notice> : null}
      {failure === null ? null : <FailureCard failure={failure} />}
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void saveAndConnect();
        }}
      >
        <ConnectionFormFields form={form} />
        {test.progress === null ? null : (
          <ConnectionTestPanel
            progress={test.progress}
            profile={profileOfDraft(gateway.profile, form.draft)}
            onStop={test.stop}
            onRetry={() => void startTest()}
            onUsePort={(port) => form.set('localPort', String(port))}
          />
        )}
        {saveFailure === null ? null : <FailureCard failure={saveFailure} isFinal />}
        <div className="settings__actions">
          <p className="settings__state" aria-live="polite">
            {wrongFields > 0 ? (
              <span className="settings__wrong">{t('settings.fixFields', { count: wrongFields })}</span>
            ) : form.isDirty && !isFirstRun ? (
              t('settings.unsaved')
            ) : null}
          </p>
          <Button disabled={test.isRunning} onClick={() => void startTest()}>
            {t('settings.test')}
          </Button>
          <Button look="primary" type="submit" aria-busy={isSaving}>
            {isSaving ? t('settings.saving') : t('settings.saveAndConnect')}
          </Button>
        </div>
      </form>
      <Appearance />
    </div>
  );
}
