import type { CommandHandlers, WindowKind } from '../../shared/ipc-contract.ts';
import { isConfigured } from '../../shared/gateway-profile.ts';
import { withProfile, type Settings } from '../core/settings/schema.ts';
import type { GatewayRegistry } from './gateway-registry.ts';
import type { CommandContext } from './ports.ts';
import type { TrayAction } from './tray-model.ts';

export interface TrayActionPorts {
  readonly settings: {
    readonly current: Settings;
    update(change: (settings: Settings) => Settings): void;
  };
  readonly registry: GatewayRegistry;
  readonly handlers: CommandHandlers<CommandContext>;
  readonly open: (window: WindowKind) => void;
  /** Shows the gateway's question as soon as there is one. */
  readonly showQuestion: (gatewayId: string) => void;
}

/** The menu belongs to no window. */
const NO_WINDOW: CommandContext = { windowId: 0 };

/** Does what the tray's menu says, for the primary gateway, by the same commands as windows use. */
export async function performTrayAction(action: TrayAction, ports: TrayActionPorts): Promise<void> {
  const { settings, registry, handlers, open, showQuestion } = ports;
  const forGateway = { gatewayId: settings.current.primaryGatewayId };
  switch (action.type) {
    case 'open':
      open(action.window);
      return;
    case 'set-mode': {
      const gateway = registry.get(forGateway.gatewayId);
      if (gateway === null || gateway.connection.profile.mode === action.mode) return;
      const profile = { ...gateway.connection.profile, mode: action.mode };
      settings.update((current) => withProfile(current, profile));
      gateway.connection.setProfile(profile, false);
      // Also where nothing is set up yet: the old way must not go on under the new one's name.
      if (profile.wanted === 'connected') gateway.connection.connect();
      if (!isConfigured(profile)) open('settings');
      return;
    }
    case 'attend':
      await handlers['connection.attend'](forGateway, NO_WINDOW);
      showQuestion(forGateway.gatewayId);
      return;
    case 'connect':
      await handlers['connection.connect'](forGateway, NO_WINDOW);
      return;
    case 'reconnect-now':
      await handlers['connection.reconnectNow'](forGateway, NO_WINDOW);
      return;
    case 'pause':
      await handlers['connection.pause'](forGateway, NO_WINDOW);
      return;
    case 'resume':
      await handlers['connection.resume'](forGateway, NO_WINDOW);
      return;
    case 'show-log':
    case 'restart':
    case 'quit':
      // The application's own business.
      return;
  }
}
