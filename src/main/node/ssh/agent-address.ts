import { readdirSync } from 'node:fs';
import { userInfo } from 'node:os';

const PIPES = '\\\\.\\pipe\\';

/**
 * Where an agent is really reached. Pageant listens on a named pipe since PuTTY 0.75, whose name only its own process can compute; but
 * the system lists it. An older Pageant is left to ssh2, which talks to its window.
 */
export function agentAddress(configured: string): string {
  if (process.platform !== 'win32' || configured !== 'pageant') return configured;
  try {
    return pageantPipe(readdirSync(PIPES), userInfo().username) ?? configured;
  } catch {
    return configured;
  }
}

/** `pageant.USER.HASH` of this user among all pipes' names. */
export function pageantPipe(names: readonly string[], user: string): string | null {
  const prefix = `pageant.${user}.`.toLowerCase();
  const name = names.find((candidate) => candidate.toLowerCase().startsWith(prefix));
  return name === undefined ? null : `${PIPES}${name}`;
}
