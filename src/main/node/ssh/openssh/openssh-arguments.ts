import type { OpensshSettings } from './openssh-settings.ts';

/** ConnectTimeout where the user's configuration names none, in ms. */
export const CONNECT_LIMIT_MS = 10_000;

/**
 * What we say before the user's own arguments, so that it wins over their configuration: an ssh that only authenticates and
 * keeps the connection, whose channels are asked for by its control socket. Of the user's own forwards of that host none is
 * opened (their ports belong to the ssh in the terminal), and nothing is run.
 */
export function opensshArguments(settings: OpensshSettings, controlSocket: string): readonly string[] {
  const options = [
    'ControlPersist=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
    'RemoteCommand=none',
    'Tunnel=no',
    'EscapeChar=none',
    // A `yes` would forbid every question, and there is somebody to answer.
    'BatchMode=no',
    'VisualHostKey=no',
    // Always ours: a link is dead after 9 s, whatever else the terminal puts up with.
    'ServerAliveInterval=3',
    'ServerAliveCountMax=3',
    ...(settings.connectTimeoutMs === null ? [`ConnectTimeout=${CONNECT_LIMIT_MS / 1_000}`] : []),
    // As everywhere in this app: a changed key is never accepted.
    ...(settings.takesAnyHostKey ? ['StrictHostKeyChecking=accept-new'] : []),
    // Known since OpenSSH 8.7; an older one would refuse it.
    ...(settings.forkAfterAuthentication === 'yes' ? ['ForkAfterAuthentication=no'] : []),
  ];
  return [
    '-v',
    '-N',
    '-T',
    '-x',
    '-a',
    '-M',
    '-S',
    controlSocket.replaceAll('%', '%%'),
    ...options.flatMap((option) => ['-o', option]),
  ];
}
