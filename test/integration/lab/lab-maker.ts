/**
 * Makes a lab with an sshd, a session on it and a command whose children leave their group, prints one JSON line
 * `{ dir, pids }` and then waits to be killed. A process of its own for the tests of this folder.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../../support/lab/child.ts';
import { createLab } from '../../support/lab/lab.ts';
import { waitFor } from '../../support/lab/wait.ts';

const lab = await createLab({ label: 'maker' });
const sshd = await lab.startSshd();
const folder = lab.folder('client');
const key = join(folder, 'key');
writeFileSync(key, sshd.clientKey.privateKey, { mode: 0o600 });
writeFileSync(join(folder, 'known_hosts'), sshd.knownHostsLine());

const ssh = lab.own(
  await startChild({
    command: 'ssh',
    args: [
      ...['-F', 'none', '-N', '-i', key, '-p', String(sshd.port), '-o', 'IdentitiesOnly=yes'],
      ...['-o', `UserKnownHostsFile=${join(folder, 'known_hosts')}`, '-o', 'StrictHostKeyChecking=yes'],
      `${sshd.user}@127.0.0.1`,
    ],
  }),
);
await sshd.waitForLog(/^Accepted publickey for /m);

const script =
  'setsid sleep 1000 & (setsid sh -c "sleep 1000 & sleep 1000" &) ; trap "" TERM; echo ready; sleep 1000';
const stubborn = lab.own(await startChild({ command: 'sh', args: ['-c', script] }));
await stubborn.waitForLine(/^ready$/);
await waitFor(() => stubborn.descendants().length === 6, { what: 'all six processes' });

const pids = [ssh, stubborn].flatMap((child) => [
  child.guardPid,
  ...child.descendants().map((info) => info.pid),
]);
const sessions = sshd.sessions().flatMap((session) => session.pids);
process.stdout.write(
  `${JSON.stringify({ dir: lab.dir, port: sshd.port, user: sshd.user, pids: [...pids, ...sessions] })}\n`,
);
setInterval(() => undefined, 60_000);
