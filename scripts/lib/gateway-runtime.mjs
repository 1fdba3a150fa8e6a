// @ts-check
import { existsSync, readFileSync, copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { requireSpace } from './disk.mjs';
import { npm } from './npm.mjs';
import { inRoot, inRuntime } from './paths.mjs';
import { SetupError } from './setup-error.mjs';
import { readStamp, writeAtomically } from './stamp.mjs';
import { step } from './terminal.mjs';

const NEEDED_BYTES = 1_200_000_000;
const source = inRoot('test', 'support', 'lab', 'gateway-runtime');
const target = inRuntime('gateway');
const stampPath = inRuntime('gateway', '.lock-hash');

/** @returns {string} Path of the lab's `openclaw` command, a script to run with `nodePath()`; installed or not. */
export function gatewayEntry() {
  return inRuntime('gateway', 'node_modules', 'openclaw', 'openclaw.mjs');
}

/**
 * Installs the pinned OpenClaw Gateway of the lab into .runtime/gateway, apart from the product's own packages, if its
 * lockfile has changed since the last success.
 * @returns {Promise<string>} `gatewayEntry()`
 * @throws {SetupError}
 */
export async function ensureGatewayRuntime() {
  const wanted = createHash('sha256')
    .update(readFileSync(inRoot('test', 'support', 'lab', 'gateway-runtime', 'package-lock.json')))
    .digest('hex');
  if (readStamp(stampPath) === wanted && existsSync(gatewayEntry())) return gatewayEntry();
  requireSpace(target, NEEDED_BYTES, 'the OpenClaw Gateway for tests and demo');
  await step('Installing the OpenClaw Gateway for tests and demo (npm ci)', async () => {
    mkdirSync(target, { recursive: true });
    rmSync(stampPath, { force: true });
    for (const name of ['package.json', 'package-lock.json'])
      copyFileSync(`${source}/${name}`, `${target}/${name}`);
    await npm(
      ['ci', '--ignore-scripts', '--omit=dev'],
      target,
      'The OpenClaw Gateway for tests and demo could not be installed',
    );
  });
  if (!existsSync(gatewayEntry())) {
    throw new SetupError(
      'The OpenClaw Gateway was installed, but its command is not where it should be.',
      `Delete ${target}, then run the same command again.`,
    );
  }
  writeAtomically(stampPath, wanted);
  return gatewayEntry();
}
