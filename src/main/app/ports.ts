import type { EventName, EventPayloadOf, WindowKind } from '../../shared/ipc-contract.ts';
import type { ConnectionFailure } from '../../shared/connection-failure.ts';
import type { SshSettings } from '../../shared/gateway-profile.ts';
import type { Result } from '../../shared/result.ts';
import type { HostSuggestion, SshResolution } from '../../shared/ssh-resolution.ts';

/** What commands need of the desktop. Electron implements it at the edge, tests with plain objects. */
export interface Desktop {
  openWindow(window: WindowKind, gatewayId: string): void;
  /** Opens an address in the system's browser; refuses everything but https and mailto, and floods. */
  openExternal(url: string, windowId: number): Promise<Result<null, 'refused'>>;
  copyText(text: string): void;
  /** The native file dialog; null when the person cancelled. */
  chooseFile(options: {
    readonly title: string;
    readonly startDir: string;
    readonly windowId: number;
  }): Promise<string | null>;
  /** Shows the log folder in the system's file manager. */
  showLog(): void;
}

/** What the user's SSH configuration says. */
export interface SshConfig {
  describe(settings: SshSettings): Promise<Result<SshResolution, ConnectionFailure>>;
  suggestHosts(): Promise<readonly HostSuggestion[]>;
}

/** Sends events of the contract to windows. */
export interface WindowEvents {
  toAll<N extends EventName>(name: N, payload: EventPayloadOf<N>): void;
  toWindow<N extends EventName>(windowId: number, name: N, payload: EventPayloadOf<N>): void;
  /** A page went away: its window closed, crashed, or loads anew. */
  onPageGone(listener: (windowId: number) => void): { dispose(): void };
}

/** Who sent a command. */
export interface CommandContext {
  readonly windowId: number;
}
