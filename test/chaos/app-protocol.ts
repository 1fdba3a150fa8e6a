import type { ChatMeta, ChatRow } from '../../src/shared/chat.ts';
import type { ConnectionState } from '../../src/shared/connection-state.ts';
import type { SshSettings } from '../../src/shared/gateway-profile.ts';
import type { RungVerdict } from '../../src/shared/health.ts';
import type { LogFields, LogLevel } from '../../src/main/core/ports.ts';

/** What the app under chaos is told and asked, a line of JSON each. The first one is `start`. */
export type AppCommand =
  | {
      readonly type: 'start';
      readonly ssh: Partial<SshSettings> & Pick<SshSettings, 'target' | 'gatewayPort' | 'localPort'>;
      readonly token: string;
      readonly home: string;
      /** Where the app keeps what must survive it. */
      readonly dataDir: string;
      /** What the system's keychain holds. */
      readonly secrets: Readonly<Record<string, string>>;
      /** How far the wall clock and the uptime are ahead of the machine's, by all the sleeps so far. */
      readonly aheadMs: number;
    }
  | { readonly type: 'ask'; readonly number: number; readonly question: AppQuestion };

export type AppQuestion =
  | { readonly type: 'show'; readonly sessionKey: string }
  | { readonly type: 'send'; readonly sessionKey: string; readonly messageId: string; readonly text: string }
  | { readonly type: 'rows'; readonly sessionKey: string }
  | {
      readonly type: 'decide';
      readonly sessionKey: string;
      readonly messageId: string;
      readonly choice: 'retry' | 'discard';
    }
  | { readonly type: 'press'; readonly press: 'pause' | 'resume' | 'disconnect' | 'connect' | 'reconnect' }
  | { readonly type: 'power'; readonly event: 'suspend' | 'resume' }
  | { readonly type: 'clock'; readonly aheadMs: number }
  | { readonly type: 'network'; readonly isOnline: boolean }
  | { readonly type: 'quit' };

/** What it says. */
export type AppReport =
  | {
      readonly type: 'state';
      readonly state: ConnectionState;
      readonly ssh: RungVerdict;
      readonly gateway: RungVerdict;
    }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly event: string;
      readonly fields: LogFields;
    }
  | { readonly type: 'tunnel'; readonly pid: number }
  /** The keychain is to hold this; null: no longer. */
  | { readonly type: 'secret'; readonly name: string; readonly value: string | null }
  /** The settings are to hold this port. */
  | { readonly type: 'local-port'; readonly port: number }
  | { readonly type: 'answer'; readonly number: number; readonly answer: AppAnswer };

export type AppAnswer =
  | { readonly ok: true; readonly rows?: readonly ChatRow[]; readonly meta?: ChatMeta }
  | { readonly ok: false; readonly why: string };
