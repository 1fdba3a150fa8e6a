import { useId, type ReactElement } from 'react';
import { useTranslate } from '../gangway-context.ts';

interface ServerWordsProps {
  /** Whose words they are; shown above them. */
  readonly speaker: string;
  readonly text: string;
}

/** What a server or ssh says, as plain text in a frame of its own: it must not pass for the app's words. */
export function ServerWords({ speaker, text }: ServerWordsProps): ReactElement {
  const labelId = useId();
  return (
    <figure className="server-words" aria-labelledby={labelId}>
      <figcaption className="server-words__speaker" id={labelId}>
        {speaker}
      </figcaption>
      <p className="server-words__text selectable" tabIndex={0} role="group" aria-labelledby={labelId}>
        {text}
      </p>
    </figure>
  );
}

/** The name above a server's words. */
export function useServerSays(host: string): string {
  return useTranslate()('prompts.serverSays', { host });
}
