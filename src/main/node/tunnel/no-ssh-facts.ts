import type { RouteFacts } from '../../core/connection/ports.ts';

/** Facts of a route without SSH. */
export const NO_SSH_FACTS: RouteFacts = {
  server: null,
  hostKeyFingerprint: null,
  keyExchange: null,
  cipher: null,
  authenticatedWith: null,
  credentialFingerprint: null,
  transport: null,
  via: [],
};
