import type { Disposable } from './lifecycle.ts';

/** Time as the core sees it. Delays run on the monotonic clock: a jump of the wall clock changes none. */
export interface Clock {
  /** Epoch milliseconds, for showing and storing only. */
  nowMs(): number;
  /** Milliseconds on a clock that never jumps. It may stand still while the computer sleeps. */
  monotonicMs(): number;
  /** Milliseconds since the computer started, sleep included; never jumps. For what ages elsewhere while we sleep. */
  uptimeMs(): number;
  /** Runs once after `delayMs`; disposing cancels. */
  setTimer(delayMs: number, run: () => void): Disposable;
}

/** A number in [0, 1), seedable in tests. */
export type Random = () => number;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** Facts of a log line; never a secret, never a payload. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

export interface Logger {
  /** `event` is a stable name such as `connection.transition`. */
  log(level: LogLevel, event: string, fields?: LogFields): void;
}

/** Whether the system has a network at all. A hint: being online proves nothing. */
export interface Connectivity {
  readonly isOnline: boolean;
  /** Also called where only the network is another one. */
  onChange(listener: (isOnline: boolean) => void): Disposable;
}

/** Sleep and wake. Hints: they may come twice, falsely, or not at all. */
export interface PowerEvents {
  onSuspend(listener: () => void): Disposable;
  onResume(listener: () => void): Disposable;
}

/** Where secrets live. Values stay in main; `persistence` says whether they survive a restart. */
export interface SecretStore {
  readonly persistence: 'keychain' | 'memory';
  /** Name of the backend for people, e.g. `gnome_libsecret`, `basic_text`. */
  readonly backend: string;
  get(name: string): Promise<string | null>;
  set(name: string, value: string): Promise<void>;
  delete(name: string): Promise<void>;
  /** Whether there is one, without decrypting it. */
  has(name: string): boolean;
}
