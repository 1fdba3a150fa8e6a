// @ts-check
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's top folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Everything set-up fetches or makes outside node_modules; may be deleted at any time. */
export const runtimeDir = join(root, '.runtime');

/**
 * @param {...string} parts
 * @returns {string} An absolute path in the checkout.
 */
export function inRoot(...parts) {
  return join(root, ...parts);
}

/**
 * @param {...string} parts
 * @returns {string} An absolute path under .runtime.
 */
export function inRuntime(...parts) {
  return join(runtimeDir, ...parts);
}
