/**
 * A test process in small, for the test of hygiene: everything that a test may start, the Gateway excepted (it is a
 * child like the others and takes 10 s). Prints `ready DIR` and waits for its end.
 */
import { createLab } from '../../support/lab/lab.ts';

const lab = await createLab({ label: 'hygiene' });
const [desktop, sshd] = await Promise.all([lab.startDesktop({ tray: true }), lab.startSshd()]);
const home = await lab.createAppHome();
home.writeKey('id_ed25519', sshd.clientKey);
const app = await lab.startApp({ desktop, home });
await app.window('settings');
process.stdout.write(`ready ${lab.dir}\n`);
setInterval(() => undefined, 1_000_000);
