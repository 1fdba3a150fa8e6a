import type { ConnectionFailure } from '../../../../shared/connection-failure.ts';
import type { Progress } from './openssh-progress.ts';
import type { OpensshSettings } from './openssh-settings.ts';

/** How an ssh process ended, and all that is known of it. */
export interface OpensshEnd {
  /** The target as typed. */
  readonly target: string;
  readonly settings: OpensshSettings;
  /** Name in known_hosts, as ssh writes it, of each hop: jumps in the order of connecting, then the target. */
  readonly hopNames: readonly string[];
  readonly progress: Progress;
  /** Lines of standard error without the `debug` ones but those of the server's greeting; the newest last. */
  readonly lines: readonly string[];
  /** Null after a signal. */
  readonly exitCode: number | null;
  readonly connectLimitMs: number;
  /** The identity file that the settings name; null without one. */
  readonly explicitKey: string | null;
  /** Secrets that ssh has asked for, in order. */
  readonly asked: readonly AskedSecret[];
  /** Key files that the user's configuration names and that do not exist. */
  readonly missingKeys: readonly string[];
}

/** A question of ssh for a secret, and how far it had come then. */
export interface AskedSecret {
  readonly type: 'passphrase' | 'password' | 'keyboard-interactive';
  /** Of a passphrase's key; empty for the others. */
  readonly keyPath: string;
  readonly at: Progress;
}

/** What a line of ssh's standard error means at its end. */
export interface EndRule {
  /** Tried on each line. */
  readonly line: RegExp;
  /** Null: this line decides nothing after all. */
  readonly failure: (end: OpensshEnd, match: RegExpExecArray) => ConnectionFailure | null;
}
