import type { WindowKind } from './ipc-contract.ts';

/** The scheme and host that every page of the app is served from, and that IPC accepts messages from. */
export const APP_SCHEME = 'app';
export const APP_HOST = 'gangway';
export const APP_ORIGIN = `${APP_SCHEME}://${APP_HOST}`;

/**
 * What a window shows: one of the contract's windows, or `prompt`, the small window for a question (host key,
 * passphrase) that must be seen while no other window is open.
 */
export type PageKind = WindowKind | 'prompt';
export const PAGE_KINDS: readonly PageKind[] = ['settings', 'chat', 'inbox', 'health', 'prompt'];

export interface WindowAddress {
  readonly window: PageKind;
  readonly gatewayId: string;
}

/** `app://gangway/index.html?window=chat&gateway=ID`: the page of one window of one gateway. */
export function windowUrl(address: WindowAddress): string {
  const query = `window=${address.window}&gateway=${encodeURIComponent(address.gatewayId)}`;
  return `${APP_ORIGIN}/index.html?${query}`;
}

/** Reads the query of a page's own address (`location.search`); null where it names no window. */
export function parseWindowAddress(search: string): WindowAddress | null {
  const fields = new Map(
    search
      .replace(/^\?/, '')
      .split('&')
      .map((pair): readonly [string, string] => {
        const cut = pair.indexOf('=');
        return cut < 0 ? [pair, ''] : [pair.slice(0, cut), pair.slice(cut + 1)];
      }),
  );
  const kind = PAGE_KINDS.find((candidate) => candidate === fields.get('window'));
  const gateway = fields.get('gateway');
  if (kind === undefined || gateway === undefined || gateway === '') return null;
  try {
    return { window: kind, gatewayId: decodeURIComponent(gateway) };
  } catch {
    return null;
  }
}
