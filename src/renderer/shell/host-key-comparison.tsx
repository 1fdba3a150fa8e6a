import { useId, type ReactElement } from 'react';
import type { FailureFacts } from '../../shared/connection-failure.ts';
import { useTranslate } from '../gangway-context.ts';

/** The key on file and the one that the server shows now, side by side, to be compared letter by letter. */
export function HostKeyComparison({
  facts,
}: {
  readonly facts: FailureFacts['host-key-changed'];
}): ReactElement {
  const t = useTranslate();
  return (
    <div className="keys">
      {facts.known.map((key) => (
        <Key
          key={`${key.file}:${key.line}`}
          title={t('hostKeyChanged.onFile')}
          keyType={key.keyType}
          fingerprint={key.fingerprint}
          place={t('hostKeyChanged.line', { file: key.file, line: key.line })}
        />
      ))}
      <Key
        title={t('hostKeyChanged.offered')}
        keyType={facts.keyType}
        fingerprint={facts.offeredFingerprint}
        place={facts.port === 22 ? facts.host : `${facts.host}:${facts.port}`}
      />
    </div>
  );
}

interface KeyProps {
  readonly title: string;
  readonly keyType: string;
  readonly fingerprint: string;
  readonly place: string;
}

function Key({ title, keyType, fingerprint, place }: KeyProps): ReactElement {
  const titleId = useId();
  return (
    <div className="key" role="group" aria-labelledby={titleId}>
      <h3 className="key__title" id={titleId}>
        {title}
      </h3>
      {/* ssh names the line of the old key, but not what is on it. */}
      {fingerprint === '' ? null : <p className="key__fingerprint mono selectable">{fingerprint}</p>}
      <p className="key__place mono selectable">{keyType === '' ? place : `${keyType} · ${place}`}</p>
    </div>
  );
}
