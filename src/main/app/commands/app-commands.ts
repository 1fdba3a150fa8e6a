import { err, ok } from '../../../shared/result.ts';
import { done, withGateway, type CommandPorts, type GroupHandlers } from './command-ports.ts';

/** What the commands of `app` do. */
export function createAppCommands(ports: CommandPorts): GroupHandlers<'app'> {
  const { model, settings, desktop } = ports;

  return {
    'app.getSnapshot': () => Promise.resolve(ok(model.current())),
    'app.openWindow': ({ window, gatewayId }) => {
      const id = gatewayId ?? settings.current.primaryGatewayId;
      return withGateway(ports, { gatewayId: id }, () => {
        desktop.openWindow(window, id);
        return done;
      });
    },
    'app.openExternal': async ({ url }, { windowId }) => {
      const opened = await desktop.openExternal(url, windowId);
      return opened.ok ? done : err({ type: 'refused', reason: 'payload' });
    },
    'app.copyText': ({ text }) => {
      desktop.copyText(text);
      return Promise.resolve(done);
    },
    'app.setPreferences': (preferences) => {
      settings.update((current) => ({ ...current, preferences: { ...current.preferences, ...preferences } }));
      return Promise.resolve(done);
    },
    'app.showLog': () => {
      desktop.showLog();
      return Promise.resolve(done);
    },
    'app.dismissNotice': ({ key }) => {
      ports.dismissNotice(key);
      return Promise.resolve(done);
    },
  };
}
