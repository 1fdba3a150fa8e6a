import type { ChatSession } from './chat.ts';
import type { ConnectionState } from './connection-state.ts';
import type { GatewayMode, GatewayProfile } from './gateway-profile.ts';
import type { InboxFacts, InboxItem } from './inbox.ts';
import type { GatewayHealth, Ladder } from './health.ts';

export type ThemePreference = 'system' | 'light' | 'dark';
export type LanguagePreference = 'system' | 'en' | 'ko';

export interface Preferences {
  readonly theme: ThemePreference;
  readonly language: LanguagePreference;
}

/** Which secrets are stored for a gateway and one of its modes; never the secrets. */
export interface StoredSecrets {
  readonly token: boolean;
  readonly password: boolean;
}

export interface GatewaySnapshot {
  readonly profile: GatewayProfile;
  readonly connection: ConnectionState;
  readonly ladder: Ladder;
  readonly health: GatewayHealth | null;
  /** By mode: each way in has a token and a password of its own. */
  readonly secrets: Readonly<Record<GatewayMode, StoredSecrets>>;
  /** True where the keychain keeps a passphrase or password for SSH, by `remember`. */
  readonly hasSshSecrets: boolean;
  /** Session key that WebChat opens first, as hello-ok names it; null before the first hello. */
  readonly mainSessionKey: string | null;
  readonly sessions: readonly ChatSession[];
  /** What waits for the person at this gateway, oldest first; while there is no connection, as it was last told. */
  readonly inbox: readonly InboxItem[];
  readonly inboxFacts: InboxFacts;
  /** True when what is saved differs from what the live connection uses. */
  readonly restartNeeded: boolean;
}

/** Something that the person must know and that belongs to no connection. */
export type AppNotice =
  | { readonly type: 'secrets-in-memory'; readonly backend: string }
  /** Stored secrets that could not be read were put aside and count as none. */
  | { readonly type: 'secrets-quarantined'; readonly path: string }
  /** The file of secrets is there and may not be read; until then they live in memory. */
  | { readonly type: 'secrets-unreadable'; readonly path: string; readonly detail: string }
  /** The device's key pair was not readable and a new one was made: gateways may ask to pair again. */
  | { readonly type: 'device-identity-replaced' }
  | { readonly type: 'settings-quarantined'; readonly path: string; readonly detail: string }
  | { readonly type: 'settings-newer'; readonly path: string; readonly version: number }
  | { readonly type: 'settings-unwritable'; readonly path: string; readonly detail: string }
  /** The file of messages and drafts was not readable; `salvaged` of its messages were taken over. */
  | {
      readonly type: 'messages-quarantined';
      readonly path: string;
      readonly detail: string;
      readonly salvaged: number;
    }
  | { readonly type: 'messages-newer'; readonly path: string; readonly version: number }
  | { readonly type: 'messages-unwritable'; readonly path: string; readonly detail: string }
  /** Another program holds the local port of a gateway's tunnel, which took another one and keeps it. */
  | {
      readonly type: 'port-moved';
      readonly gatewayId: string;
      readonly from: number;
      readonly to: number;
      /** The program that holds it, where the system tells. */
      readonly owner: string | null;
    };

/** Names one notice among those that stand at a time: several gateways may each have one of a type. */
export function noticeKey(notice: AppNotice): string {
  return 'gatewayId' in notice ? `${notice.type}/${notice.gatewayId}` : notice.type;
}

/** Everything that windows, tray and command line show, pushed whole with a rising revision. */
export interface AppSnapshot {
  readonly revision: number;
  readonly appVersion: string;
  readonly platform: 'linux' | 'darwin' | 'win32';
  /** The language that is in force, after 'system' was resolved. */
  readonly language: 'en' | 'ko';
  readonly preferences: Preferences;
  readonly gateways: readonly GatewaySnapshot[];
  readonly primaryGatewayId: string;
  readonly notices: readonly AppNotice[];
  /** `memory`: there is no keychain that the app can use, and secrets last until it quits. */
  readonly secretPersistence: 'keychain' | 'memory';
}
