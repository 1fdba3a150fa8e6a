// @ts-check
import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { run } from './processes.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * The npm to use: the one that runs this command, else the one beside this Node, else the one on the PATH.
 * @returns {{ command: string, args: string[] }}
 */
function npmCommand() {
  const running = process.env['npm_execpath'];
  const beside = join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  const script = [running, beside].find(
    (path) => path !== undefined && basename(path) === 'npm-cli.js' && existsSync(path),
  );
  return script === undefined ? { command: 'npm', args: [] } : { command: process.execPath, args: [script] };
}

/**
 * The environment for a second npm inside an npm script: the person's npm settings stay, what the outer npm says about
 * its own package and folder goes.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function innerNpmEnvironment(env) {
  const outer =
    /^(npm_package_|npm_lifecycle_|npm_command$|npm_config_local_prefix$|npm_config_argv$|npm_config_loglevel$|INIT_CWD$)/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !outer.test(name)));
}

/**
 * @param {readonly string[]} args
 * @param {string} cwd
 * @param {string} purpose What fails with it: `The dependencies could not be installed`.
 * @returns {Promise<string>} Its stdout.
 * @throws {SetupError}
 */
export async function npm(args, cwd, purpose) {
  const { command, args: first } = npmCommand();
  const settings = await run(
    command,
    [...first, 'config', 'get', 'registry', 'proxy', 'https-proxy', '--loglevel=error'],
    {
      cwd,
      env: innerNpmEnvironment(process.env),
    },
  );
  await requireRegistryHost(settings.stdout, purpose);
  const { code, output, stdout } = await run(
    command,
    [...first, ...args, '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'],
    {
      cwd,
      env: innerNpmEnvironment(process.env),
    },
  );
  if (code !== 0) throw explainNpmFailure(output, purpose);
  return stdout;
}

/**
 * Asks for the address of the registry before npm does: without a network npm tries again and again for minutes.
 * Where a proxy is set, the proxy looks up addresses, so nothing is asked.
 * @param {string} settings `npm config get registry proxy https-proxy`: a line `name=value` each.
 * @param {string} purpose
 * @param {(host: string) => Promise<unknown>} [resolve] For tests.
 * @throws {SetupError}
 */
export async function requireRegistryHost(settings, purpose, resolve = lookup) {
  const value = (/** @type {string} */ name) =>
    new RegExp(`^${name}=(.*)$`, 'm').exec(settings)?.[1] ?? 'null';
  const registry = value('registry');
  if (value('proxy') !== 'null' || value('https-proxy') !== 'null' || !URL.canParse(registry)) return;
  const host = new URL(registry).hostname;
  try {
    await resolve(host.replace(/^\[|\]$/g, ''));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no address';
    throw new SetupError(
      `${purpose}: the npm registry ${host} cannot be found (${code}).`,
      'Check the network, the proxy and "npm config get registry", then run the same command again.',
    );
  }
}

const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|E5\d\d|E40[1347]|CERT_\w+|UNABLE_TO_\w+|SELF_SIGNED\w+|EIDLETIMEOUT|ERR_INVALID_PROTOCOL)\b/;

/**
 * Turns what npm printed into one sentence and its remedy.
 * @param {string} output
 * @param {string} purpose `The dependencies could not be installed`
 * @returns {SetupError}
 */
export function explainNpmFailure(output, purpose) {
  const code = /npm (?:error|ERR!) code (\S+)/.exec(output)?.[1] ?? '';
  if (code === 'ENOSPC' || code === 'EDQUOT' || /\bENOSPC\b/.test(output)) {
    return new SetupError(
      `${purpose}: the disk is full.`,
      'Free some space, then run the same command again.',
    );
  }
  if (code === 'EINTEGRITY') {
    return new SetupError(
      `${purpose}: a downloaded package is not the one that the lockfile names (its checksum differs).`,
      'Run "npm cache clean --force" and then the same command again; if it happens twice, the registry or a proxy changes packages.',
    );
  }
  if (code === 'EUSAGE') {
    return new SetupError(
      `${purpose}: package.json and package-lock.json do not agree.`,
      'Run "npm install --ignore-scripts" to bring the lockfile up to date, then the same command again.',
    );
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new SetupError(
      `${purpose}: a file may not be written (${code}).`,
      'Make the checkout and the npm cache (npm config get cache) writable for you, then run the same command again.',
    );
  }
  const unreachable = UNREACHABLE.exec(code) ?? UNREACHABLE.exec(output);
  if (unreachable !== null) {
    return new SetupError(
      `${purpose}: the npm registry did not answer as it should (${unreachable[0]}).`,
      'Check the network, the proxy and "npm config get registry", then run the same command again: it goes on where it stopped.',
    );
  }
  const said = output
    .split('\n')
    .filter((line) => /^npm (error|ERR!) /.test(line) && !/complete log|_logs\//.test(line))
    .slice(0, 6)
    .map((line) => line.replace(/^npm (error|ERR!) /, ''))
    .join(' ');
  return new SetupError(
    `${purpose}: npm failed${said === '' ? '' : ` (${said})`}.`,
    'Put that right, then run the same command again.',
  );
}
