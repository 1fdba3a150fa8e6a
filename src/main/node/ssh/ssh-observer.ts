import type { Client } from 'ssh2';

export interface LoginObserver {
  /** SSH_MSG_USERAUTH_FAILURE (RFC 4252, section 5.1). */
  onFailure(methods: readonly string[], isPartial: boolean): void;
  /** `server-sig-algs` of RFC 8308. */
  onSignatureAlgorithms(names: readonly string[]): void;
}

/** Private parts of ssh2 1.17.0's protocol object (lib/protocol/Protocol.js). */
interface Handlers {
  USERAUTH_FAILURE?: (protocol: unknown, methods: unknown, isPartial: unknown) => void;
  EXT_INFO?: (protocol: unknown, extensions: unknown) => void;
}

/**
 * Listens to the server's answers during login. ssh2 itself keeps them back where a key was offered as an agent's: neither the
 * methods that are left nor a partial success reach its `authHandler`. False where ssh2 looks different inside.
 */
export function observeLogin(client: Client, observer: LoginObserver): boolean {
  const handlers = (client as unknown as { readonly _protocol?: { readonly _handlers?: Handlers } })._protocol
    ?._handlers;
  const { USERAUTH_FAILURE: onFailure, EXT_INFO: onExtensions } = handlers ?? {};
  if (handlers === undefined || onFailure === undefined || onExtensions === undefined) return false;
  handlers.USERAUTH_FAILURE = (protocol, methods, isPartial) => {
    observer.onFailure(strings(methods), isPartial === true);
    onFailure(protocol, methods, isPartial);
  };
  handlers.EXT_INFO = (protocol, extensions) => {
    const list = Array.isArray(extensions) ? (extensions as { name?: unknown; algs?: unknown }[]) : [];
    const found = list.find(({ name }) => name === 'server-sig-algs');
    if (found !== undefined) observer.onSignatureAlgorithms(strings(found.algs));
    onExtensions(protocol, extensions);
  };
  return true;
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
