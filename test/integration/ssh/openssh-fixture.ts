import { join } from 'node:path';
import type { TunnelConfig } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { descendantsOf } from '../../support/lab/child.ts';
import type { Lab } from '../../support/lab/lab.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { tunnelTo, type SshServerLike, type TunnelFixture } from './tunnel-fixture.ts';

export interface OpensshFixtureOptions {
  readonly port?: number;
  readonly trusted?: boolean;
  /** Instead of the server's own client key; an empty list for none. */
  readonly identityFiles?: readonly string[];
  /** `-o` options before the others. */
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: string;
}

/** As `tunnelTo`, by the system's ssh, which reads no configuration but what is given here. */
export async function opensshTo(
  lab: Lab,
  server: SshServerLike,
  gatewayPort: number,
  options: OpensshFixtureOptions = {},
): Promise<TunnelFixture> {
  const { port, trusted } = options;
  const tunnel = await tunnelTo(lab, server, gatewayPort, {
    ...(port === undefined ? {} : { port }),
    ...(trusted === undefined ? {} : { trusted }),
  });
  const { target } = tunnel.config;
  const identityFiles = options.identityFiles ?? [tunnel.file('id_test')];
  tunnel.set({
    transport: 'openssh',
    openssh: {
      command: options.command ?? 'ssh',
      targetArgs: [
        '-F',
        'none',
        ...(options.options ?? []).flatMap((option) => ['-o', option]),
        ...['-o', `UserKnownHostsFile=${tunnel.file('known_hosts')}`],
        ...['-o', 'GlobalKnownHostsFile=none'],
        ...['-o', 'IdentitiesOnly=yes'],
        ...identityFiles.flatMap((file) => ['-i', file]),
        ...['-p', String(target.port), '-l', target.user, '--', target.host],
      ],
      env: environment(tunnel, options.env),
    },
  });
  return tunnel;
}

/** Runs `ssh -F FILE HOST` with this configuration. */
export function useConfigFile(tunnel: TunnelFixture, lines: readonly string[], host: string): void {
  const file = tunnel.write('config', `${lines.join('\n')}\n`);
  const openssh: TunnelConfig['openssh'] = {
    command: 'ssh',
    targetArgs: ['-F', file, '--', host],
    env: environment(tunnel),
  };
  tunnel.set({ transport: 'openssh', openssh });
  tunnel.setTarget({ name: host });
}

function environment(
  tunnel: TunnelFixture,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: join(tunnel.sshDir, '..'),
    ...more,
  };
}

/** All processes below this one whose command line names ssh's guard or ssh itself. */
export function sshProcesses(pid = process.pid): readonly string[] {
  return descendantsOf(pid)
    .filter((info) => /gangway-ssh|ssh .*-M -S|^ssh /.test(info.command))
    .map((info) => `${info.pid} ${info.command}`);
}

export async function noSshLeft(): Promise<void> {
  await waitFor(() => sshProcesses().length === 0, {
    what: 'no ssh to be left',
    detail: () => sshProcesses().join('\n'),
  });
}
