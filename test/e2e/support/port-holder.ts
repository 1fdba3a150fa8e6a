import { asAppUser } from '../../support/lab/app-user.ts';
import { startChild } from '../../support/lab/child.ts';
import { freePort, waitForListening } from '../../support/lab/ports.ts';

/** Another program of the same person that listens on a port of 127.0.0.1. */
export interface PortHolder {
  readonly port: number;
  readonly pid: number;
  /** As the system names it. */
  readonly command: 'perl';
  alive(): boolean;
  close(): Promise<void>;
}

const LISTEN = `use IO::Socket::INET;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die $!;
sleep;`;

/** Starts a program that holds a free port, as the user that runs the app: the system tells only about one's own. */
export async function holdPort(): Promise<PortHolder> {
  const port = await freePort();
  const [command, ...args] = [...asAppUser(), 'perl', '-e', LISTEN, String(port)];
  const child = await startChild({ command, args, name: 'the program that holds a port' });
  await waitForListening(port);
  return {
    port,
    pid: child.pid,
    command: 'perl',
    alive: () => child.exited() === null,
    close: () => child.close(),
  };
}
