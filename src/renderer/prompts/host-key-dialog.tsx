import type { ReactElement } from 'react';
import { Button } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { useTranslate } from '../gangway-context.ts';
import { CopyButton } from '../shell/copy-button.tsx';
import { AskingJump } from './asking-jump.tsx';
import { useAskingPlace } from './asking-place.ts';
import { usePromptAnswer, type PromptProps } from './prompt-answer.ts';

/** Whether a host key that nobody has trusted yet is the server's: with all that is needed to compare it. */
export function HostKeyDialog({ prompt, isInterrupting }: PromptProps<'host-key'>): ReactElement {
  const t = useTranslate();
  const { hasAnswered, answer } = usePromptAnswer(prompt);
  const host = useAskingPlace(prompt)();
  const cancel = (): void => answer({ type: 'cancel' });
  const command = `ssh-keygen -lf ${publicKeyFile(prompt.keyType)}`;
  const types = prompt.otherKnownTypes.join(', ');
  return (
    <Dialog
      role="alertdialog"
      title={t('prompts.hostKey.title')}
      isInterrupting={isInterrupting}
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
          ? t('prompts.hostKey.intro', { host })
          : t('prompts.hostKey.introNewType', { host, types })}
      </p>
      <AskingJump jump={prompt.jump} />
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
