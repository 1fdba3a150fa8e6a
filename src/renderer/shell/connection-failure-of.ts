import type { ConnectionFailure } from '../../shared/connection-failure.ts';
import type { ConnectionState } from '../../shared/connection-state.ts';

/** What keeps a connection from being there, also while it is tried again: so that its card does not come and go. */
export function connectionFailureOf(connection: ConnectionState): ConnectionFailure | null {
  switch (connection.status) {
    case 'blocked':
      return connection.failure;
    case 'backing-off':
    case 'connecting':
      return connection.lastFailure;
    case 'unconfigured':
    case 'disconnected':
    case 'paused':
    case 'waiting-for-user':
    case 'connected':
    case 'disconnecting':
      return null;
  }
}
