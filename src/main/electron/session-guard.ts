import { app, session, type Session } from 'electron';
import type { Logger } from '../core/ports.ts';

/**
 * Locks down every session that exists or will exist: no permission, no device, no screen capture, no download, and no
 * request that leaves the app. Must run before the first window.
 */
export function guardSessions(logger: Logger, allowDevtools: boolean): void {
  app.on('session-created', (created) => guardSession(created, logger, allowDevtools));
  guardSession(session.defaultSession, logger, allowDevtools);
}

const guarded = new WeakSet<Session>();

function guardSession(target: Session, logger: Logger, allowDevtools: boolean): void {
  if (guarded.has(target)) return;
  guarded.add(target);

  target.setPermissionRequestHandler((_contents, permission, callback) => {
    logger.log('warn', 'security.permission-denied', { permission });
    callback(false);
  });
  target.setPermissionCheckHandler(() => false);
  target.setDevicePermissionHandler(() => false);
  target.setUSBProtectedClassesHandler(({ protectedClasses }) => protectedClasses);
  target.setBluetoothPairingHandler((_details, callback) => callback({ confirmed: false }));
  target.setDisplayMediaRequestHandler((_request, callback) => callback(null));

  const allowed = new Set(['app:', 'blob:', 'data:', ...(allowDevtools ? ['devtools:'] : [])]);
  target.webRequest.onBeforeRequest((details, callback) => {
    const scheme = details.url.slice(0, details.url.indexOf(':') + 1).toLowerCase();
    const cancel = !allowed.has(scheme);
    if (cancel) logger.log('warn', 'security.request-cancelled', { scheme, type: details.resourceType });
    callback({ cancel });
  });
  target.on('will-download', (event) => {
    logger.log('warn', 'security.download-denied');
    event.preventDefault();
  });
  target.setSpellCheckerEnabled(false);
}
