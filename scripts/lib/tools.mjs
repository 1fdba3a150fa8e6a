// @ts-check
import { readFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';

/** The npm package of each tool whose package has another name than its command. */
const PACKAGES = new Map([
  ['tsc', 'typescript'],
  ['playwright', '@playwright/test'],
]);

/** One project a kind of code, as tsconfig.*.json. */
export const TYPE_PROJECTS = /** @type {const} */ (['core', 'main', 'renderer', 'test']);

/**
 * @param {string} name Command of a package in node_modules: `tsc`, `eslint`, `vitest`.
 * @returns {string} Its script, to run with `nodePath()`.
 */
export function toolScript(name) {
  const packageName = PACKAGES.get(name) ?? name;
  /** @type {{ bin: string | Record<string, string> }} */
  const { bin } = JSON.parse(readFileSync(inRoot('node_modules', packageName, 'package.json'), 'utf8'));
  const script = typeof bin === 'string' ? bin : bin[name];
  if (script === undefined) throw new Error(`The package ${packageName} has no command ${name}`);
  return inRoot('node_modules', packageName, script);
}
