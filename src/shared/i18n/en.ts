/**
 * English, the reference language: every other language has the same shape (checked by its type).
 * One section a place; whoever writes a screen adds to its section only.
 */
export const en = {
  /** First words of the connection status; tests and screen readers know them. */
  status: {
    connected: 'Connected',
    connecting: 'Connecting',
    reconnecting: 'Reconnecting',
    waitingForUser: 'Waiting for you',
    paused: 'Paused',
    offline: 'Offline',
    needsAttention: 'Needs attention',
    disconnected: 'Disconnected',
  },
  /** Titles, explanations and action labels of failures (src/shared/failure-remedies.ts). */
  failures: {},
  failureActions: {},
  stages: {},
  prompts: {},
  tray: {},
  settings: {},
  fieldErrors: {},
  chat: {},
  health: {},
  notices: {},
  common: {},
} as const;

type Widen<T> = { readonly [K in keyof T]: T[K] extends string ? string : Widen<T[K]> };
/** The shape that every language fills. */
export type Messages = Widen<typeof en>;
