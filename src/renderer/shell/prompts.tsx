import { useState, type ReactElement } from 'react';
import type { PromptAnswer, UserPrompt } from '../../shared/connection-state.ts';
import { Button } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { SecretField } from '../design/secret-field.tsx';
import { useCommands, useRunCommand, useShown, useTranslate } from '../gangway-context.ts';
import { CopyButton } from './copy-button.tsx';

/** Asks what only the person can answer, in whichever window is open. Main drops an answer that comes too late. */
export function Prompts(): ReactElement | null {
  const { api } = useCommands();
  const { gateway } = useShown();
  const run = useRunCommand();
  if (gateway.connection.status !== 'waiting-for-user') return null;
  const { prompt } = gateway.connection;
  const onAnswer = (answer: PromptAnswer): void =>
    run(api.connection.answerPrompt({ gatewayId: gateway.profile.id, promptId: prompt.id, answer }));
  switch (prompt.type) {
    case 'host-key':
      return <HostKeyDialog key={prompt.id} prompt={prompt} onAnswer={onAnswer} />;
    case 'passphrase':
      return <PassphraseDialog key={prompt.id} prompt={prompt} onAnswer={onAnswer} />;
  }
}

interface PromptProps<Type extends UserPrompt['type']> {
  readonly prompt: Extract<UserPrompt, { readonly type: Type }>;
  readonly onAnswer: (answer: PromptAnswer) => void;
}

function HostKeyDialog({ prompt, onAnswer }: PromptProps<'host-key'>): ReactElement {
  const t = useTranslate();
  const [hasAnswered, setHasAnswered] = useState(false);
  const answer = (value: PromptAnswer): void => {
    setHasAnswered(true);
    onAnswer(value);
  };
  const cancel = (): void => answer({ type: 'cancel' });
  const command = `ssh-keygen -lf ${publicKeyFile(prompt.keyType)}`;
  const types = prompt.otherKnownTypes.join(', ');
  return (
    <Dialog
      role="alertdialog"
      title={t('prompts.hostKey.title')}
      onCancel={cancel}
      actions={
        <>
          <Button data-autofocus="" disabled={hasAnswered} onClick={cancel}>
            {t('common.cancel')}
          </Button>
          <Button
            look="primary"
            disabled={hasAnswered}
            onClick={() => answer({ type: 'trust-host-key', fingerprint: prompt.fingerprint })}
          >
            {t('prompts.hostKey.trust')}
          </Button>
        </>
      }
    >
      <p className="dialog__text">
        {prompt.otherKnownTypes.length === 0
          ? t('prompts.hostKey.intro', { host: prompt.host })
          : t('prompts.hostKey.introNewType', { host: prompt.host, types })}
      </p>
      <p className="fingerprint mono selectable">
        <span className="visually-hidden">{t('prompts.hostKey.fingerprint')} </span>
        {prompt.fingerprint}
      </p>
      <dl className="facts">
        <dt>{t('prompts.hostKey.host')}</dt>
        <dd className="mono">{prompt.port === 22 ? prompt.host : `${prompt.host}:${prompt.port}`}</dd>
        <dt>{t('prompts.hostKey.keyType')}</dt>
        <dd className="mono">{prompt.keyType}</dd>
        <dt>{t('prompts.hostKey.writtenTo')}</dt>
        <dd className="mono">{prompt.knownHostsFile}</dd>
      </dl>
      <div className="compare">
        <p className="muted">{t('prompts.hostKey.compare')}</p>
        <div className="copy-line">
          <code className="code-line">{command}</code>
          <CopyButton text={command} size="normal" />
        </div>
      </div>
    </Dialog>
  );
}

/** Where OpenSSH's sshd keeps the public half of a host key by default (sshd_config(5), HostKey). */
function publicKeyFile(keyType: string): string {
  const family = keyType.includes('ecdsa') ? 'ecdsa' : keyType.includes('rsa') ? 'rsa' : 'ed25519';
  return `/etc/ssh/ssh_host_${family}_key.pub`;
}

function PassphraseDialog({ prompt, onAnswer }: PromptProps<'passphrase'>): ReactElement {
  const t = useTranslate();
  const [passphrase, setPassphrase] = useState('');
  const [isEmptyRefused, setIsEmptyRefused] = useState(false);
  const [hasAnswered, setHasAnswered] = useState(false);
  const error = isEmptyRefused
    ? t('prompts.passphrase.required')
    : prompt.wasWrong && passphrase === ''
      ? t('prompts.passphrase.wrong')
      : null;
  const answer = (value: PromptAnswer): void => {
    setHasAnswered(true);
    setPassphrase('');
    onAnswer(value);
  };
  return (
    <Dialog
      title={t('prompts.passphrase.title')}
      onCancel={() => answer({ type: 'cancel' })}
      onSubmit={() => {
        if (hasAnswered) return;
        if (passphrase === '') setIsEmptyRefused(true);
        else answer({ type: 'passphrase', passphrase });
      }}
      actions={
        <>
          <Button disabled={hasAnswered} onClick={() => answer({ type: 'cancel' })}>
            {t('common.cancel')}
          </Button>
          <Button look="primary" type="submit" disabled={hasAnswered}>
            {t('prompts.passphrase.unlock')}
          </Button>
        </>
      }
    >
      <p className="dialog__text selectable">{t('prompts.passphrase.intro', { path: prompt.keyPath })}</p>
      <SecretField
        data-autofocus=""
        label={t('prompts.passphrase.label')}
        placeholder=" "
        value={passphrase}
        onChange={(value) => {
          setPassphrase(value);
          setIsEmptyRefused(false);
        }}
        error={error}
        showText={t('common.show')}
        hideText={t('common.hide')}
      />
    </Dialog>
  );
}
