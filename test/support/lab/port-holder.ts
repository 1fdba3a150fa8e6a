import { asAppUser } from './app-user.ts';
import { startChild } from './child.ts';
import { freePort, waitForListening } from './ports.ts';

/** Another program of the same person that listens on a port of 127.0.0.1, and notes what it is sent. */
export interface PortHolder {
  readonly port: number;
  readonly pid: number;
  /** As the system names it. */
  readonly command: 'perl';
  alive(): boolean;
  /** Everything that clients sent to it, as hexadecimal. */
  received(): string;
  close(): Promise<void>;
}

const LISTEN = `use IO::Socket::INET;
$| = 1;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die $!;
print "listening\\n";
while (my $client = $listener->accept()) {
  while (sysread($client, my $data, 4096)) { print 'received ' . unpack('H*', $data) . "\\n"; }
}`;

/** Starts a program that holds a port, as the user that runs the app: the system tells only about one's own. */
export async function holdPort(wanted?: number): Promise<PortHolder> {
  const port = wanted ?? (await freePort());
  const [command, ...args] = [...asAppUser(), 'perl', '-e', LISTEN, String(port)];
  const child = await startChild({ command, args, name: 'the program that holds a port' });
  await waitForListening(port);
  return {
    port,
    pid: child.pid,
    command: 'perl',
    alive: () => child.exited() === null,
    received: () =>
      child
        .output()
        .split('\n')
        .flatMap((line) => (line.startsWith('received ') ? [line.slice('received '.length)] : []))
        .join(''),
    close: () => child.close(),
  };
}
