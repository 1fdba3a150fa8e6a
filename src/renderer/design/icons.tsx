import type { ReactElement } from 'react';

/** How a connection, a rung or a channel stands; every one has a shape of its own, so that colour is not the only sign. */
export type StateShape =
  'connected' | 'connecting' | 'waiting' | 'attention' | 'degraded' | 'paused' | 'offline' | 'ok' | 'unknown';

/** The sign of a state, to stand beside words that say the same. */
export function StateIcon({ state }: { readonly state: StateShape }): ReactElement {
  return (
    <svg className="state-icon" data-state={state} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {stateShape(state)}
    </svg>
  );
}

function stateShape(state: StateShape): ReactElement {
  const line = { fill: 'none', stroke: 'currentColor', strokeWidth: 1.75 } as const;
  switch (state) {
    case 'connected':
      return <circle cx="8" cy="8" r="5.5" fill="currentColor" />;
    case 'connecting':
      return (
        <>
          <circle cx="8" cy="8" r="5" {...line} />
          <path d="M8 3a5 5 0 0 1 0 10z" fill="currentColor" />
        </>
      );
    case 'waiting':
      return <path d="M12.3 5.5A5 5 0 1 1 8 3" {...line} strokeWidth={2.25} strokeLinecap="round" />;
    case 'attention':
      return (
        <>
          <path
            d="M8 2 14.6 13.6H1.4z"
            fill="currentColor"
            stroke="currentColor"
            strokeLinejoin="round"
            strokeWidth={1}
          />
          <path d="M8 6.2v3.6M8 11.4v.9" stroke="var(--surface-panel)" strokeWidth={1.5} fill="none" />
        </>
      );
    case 'degraded':
      return (
        <>
          <path d="M8 2.2 14.2 13.2H1.8z" {...line} strokeLinejoin="round" strokeWidth={1.5} />
          <path d="M8 6.6v3M8 10.7v1" {...line} strokeWidth={1.5} />
        </>
      );
    case 'paused':
      return <path d="M4 3h2.75v10H4zM9.25 3H12v10H9.25z" fill="currentColor" />;
    case 'offline':
      return <circle cx="8" cy="8" r="5" {...line} />;
    case 'ok':
      return (
        <path
          d="m3 8.5 3.4 3.4L13 4.8"
          {...line}
          strokeWidth={2}
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      );
    case 'unknown':
      return <path d="M3.5 8h9" {...line} strokeDasharray="2 2" />;
  }
}

export type GlyphName =
  | 'chat'
  | 'health'
  | 'inbox'
  | 'settings'
  | 'close'
  | 'copy'
  | 'down'
  | 'info'
  | 'tool'
  | 'plug'
  | 'send'
  | 'stop';

const GLYPHS: { readonly [N in GlyphName]: string } = {
  chat: 'M2.5 3.5h11v7.5H7l-3 2.5V11H2.5z',
  health: 'M1.5 8.5h3l1.75-4.5 3 8 1.75-3.5h3.5',
  inbox: 'M2.5 9.5 4.5 3h7l2 6.5v3.5h-11zM2.5 9.5h3.5c0 2 4 2 4 0h3.5',
  settings: 'M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6M10 2.75v3.5M6 9.75v3.5',
  close: 'm4 4 8 8M12 4l-8 8',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  down: 'M8 2.5v10.5M3.5 8.75 8 13.25l4.5-4.5',
  info: 'M8 1.75a6.25 6.25 0 1 0 0 12.5 6.25 6.25 0 0 0 0-12.5M8 7v4M8 4.5v1',
  tool: 'm3 5 3 3-3 3M8 11.5h5',
  plug: 'M3 8h3.5M9.5 8H13M5 8a1.5 1.5 0 1 0-3 0 1.5 1.5 0 0 0 3 0M14 8a1.5 1.5 0 1 0-3 0 1.5 1.5 0 0 0 3 0',
  send: 'M8 13V3.5M4 7.25 8 3.25l4 4',
  stop: 'M4.5 4.5h7v7h-7z',
};

/** A drawn sign for a control; always beside or inside something that has a name. */
export function Glyph({
  name,
  size = 16,
}: {
  readonly name: GlyphName;
  readonly size?: number;
}): ReactElement {
  return (
    <svg
      className="glyph"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill={name === 'stop' ? 'currentColor' : 'none'}
      stroke="currentColor"
      strokeWidth={1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={GLYPHS[name]} />
    </svg>
  );
}
