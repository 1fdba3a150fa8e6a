/**
 * The fault matrix: what can go wrong between a person and their gateway, and what they may see of it. Each row is proved by
 * tests that call `recordFault` (evidence.ts); `npm test` fails for a row without evidence. docs/faults.md is made from both.
 */
export interface FaultRow {
  /** Stable: tests, notes and the documentation refer to it. */
  readonly row: number;
  readonly area: FaultArea;
  readonly fault: string;
  /** What a person sees, and what must not happen. */
  readonly shown: string;
  /** Time limit, from the fault or from its healing; empty where time plays no part. */
  readonly bound: string;
  /** Why it is not, or not wholly, run here. */
  readonly notRun?: string;
}

export const FAULT_AREAS = [
  'SSH link',
  'Gateway',
  'Forward and local port',
  'Host keys',
  'Sign-in',
  'Sleep, clock, network',
  'Gateway sign-in and protocol',
  'Messages',
  'Data on disk',
  'Processes of the app',
] as const;
export type FaultArea = (typeof FAULT_AREAS)[number];

const link = (
  row: number,
  fault: string,
  shown: string,
  bound = '',
  more: Partial<FaultRow> = {},
): FaultRow => ({
  row,
  area: 'SSH link',
  fault,
  shown,
  bound,
  ...more,
});
const of =
  (area: FaultArea) =>
  (row: number, fault: string, shown: string, bound = '', more: Partial<FaultRow> = {}): FaultRow => ({
    ...link(row, fault, shown, bound, more),
    area,
  });
const gateway = of('Gateway');
const forward = of('Forward and local port');
const hostKey = of('Host keys');
const signIn = of('Sign-in');
const time = of('Sleep, clock, network');
const protocol = of('Gateway sign-in and protocol');
const messages = of('Messages');
const disk = of('Data on disk');
const app = of('Processes of the app');

export const FAULT_ROWS: readonly FaultRow[] = [
  link(1, 'The listening sshd dies, our session lives on', 'nothing', 'no reconnect'),
  link(2, 'The server process of our session is killed', 'Reconnecting, then Connected', '3 s'),
  link(
    3,
    'The host restarts: connections are refused for a minute',
    'the server refuses, with a countdown',
    '31 s after it is back, 2 s after “Reconnect now”',
  ),
  link(4, 'sshd stops for 5 s', 'slow, no drop', 'shown at 6 s at most; no reconnect'),
  link(5, 'sshd stops for good', 'the link is dead', 'shown at 9.5 s; back 3 s after it goes on'),
  link(6, 'The connection is reset (RST)', 'Reconnecting, then Connected', '3 s'),
  link(7, 'Something between closes the connection (FIN)', 'Reconnecting, then Connected', '3 s'),
  link(8, 'Black hole both ways', 'the link is dead', 'shown at 9.5 s; back 3 s after it heals'),
  link(9, 'Black hole one way, up or down', 'the link is dead', 'shown at 9.5 s; back 3 s after it heals'),
  link(10, 'Black hole of 4 s', 'nothing', 'no reconnect'),
  link(11, 'Round trips of 200 ms, with loss', 'connected, no false drop', 'first connection 5 s', {
    notRun: 'Loss needs netem, which is not everywhere: the delay alone is run.',
  }),
  link(12, 'A 3 MB transfer over 1 Mbit/s', 'connected, no false drop', 'no reconnect'),
  gateway(13, 'A frame of 25 MiB at a round trip of 200 ms', 'it arrives; nothing is closed meanwhile', ''),
  link(14, 'Bytes that trickle in one by one', 'connected'),
  link(15, 'A bit flips on the way', 'the link was corrupted; nothing garbled in the conversation', '3 s'),
  link(
    16,
    'The SSH port answers with something else, or not at all',
    'not an SSH server, or no answer',
    '10.5 s',
  ),
  link(
    17,
    'The server turns connections away (MaxStartups, fail2ban)',
    'the server rejects connections, with a countdown',
    '30 s or more between attempts from the third on',
  ),
  link(18, 'New keys every MiB while 64 MiB go through', 'nothing, no question', 'no reconnect'),
  gateway(19, 'The gateway restarts', 'the Gateway restarts; the tunnel stays', '2 s after it is up'),
  gateway(20, 'The gateway is killed', 'the Gateway does not run; SSH stays as it is', '3 s after it is up'),
  gateway(
    21,
    'Nothing listens on the gateway’s port',
    'nothing listens, with the port and how to start it',
    '5 s after it is up',
  ),
  gateway(
    22,
    'The gateway is still starting',
    'starting; waits as long as the gateway says',
    '2 s after it is ready',
  ),
  gateway(
    23,
    'The gateway hangs',
    'SSH is well, the Gateway does not answer',
    'shown at 15 s; 3 s after it goes on',
  ),
  forward(24, 'The server forbids the forward', 'forwarding is forbidden, with the line to change; no retry'),
  forward(25, 'The server allows no session (MaxSessions 0)', 'connected'),
  forward(
    26,
    'Another program holds the local port',
    'another port is taken, and said so with the program’s name',
    '1 s',
  ),
  forward(
    27,
    'Somebody wants the local port while SSH reconnects',
    'they do not get it; clients are held, then let go',
    '10 s',
  ),
  forward(28, 'Local clients that are half open, or do not read', 'nothing; nothing is left of them', '1 s'),
  hostKey(29, 'The host key changed', 'refused, with both fingerprints; nothing was offered'),
  hostKey(30, 'The server has a further host key of another type', 'nothing: the known one is asked for'),
  hostKey(
    31,
    'The known host key is gone, another type is there',
    'a new key is asked about; it is not called changed',
  ),
  hostKey(
    32,
    'A host that is not known',
    'its fingerprint is asked about, with the connection closed',
    '2 s after the answer',
  ),
  hostKey(33, 'A revoked host key', 'refused'),
  hostKey(34, 'The host key changes in mid-life', 'as 29; the old tunnel is gone'),
  signIn(35, 'A user that the server does not let in', 'refused, naming the user and the methods'),
  signIn(36, 'The key is no longer accepted', 'refused; three attempts at most'),
  signIn(
    37,
    'An encrypted key',
    'its passphrase is asked for; a wrong one is said so',
    'the main process is never held up for 50 ms',
  ),
  signIn(38, 'Keys that the built-in SSH cannot use', 'the reason, or the system’s OpenSSH takes over'),
  signIn(39, 'The agent is gone, locked, or full of other keys', 'the key file gets its turn', '3 s'),
  signIn(40, 'The agent waits for a touch', 'cancelling works at once'),
  signIn(
    41,
    'A one-time code at every login',
    'asked once an attempt; in the background it waits for the person',
  ),
  signIn(42, 'The server does not wait for the answer', 'a fresh attempt after the answer', '3 s'),
  link(43, 'The jump host dies, or the target behind it', 'named: which of them', '3 s'),
  time(
    44,
    'Eight hours of sleep',
    'checking, then connected',
    'checking within 2 s; 5 s after the network is there',
  ),
  time(45, 'The computer wakes for 30 s, and the link still works', 'nothing', 'no reconnect'),
  time(46, 'Awake before the network is', 'waiting for the network', '3 s after the network is there'),
  time(47, 'A sleep that no event tells of', 'found by the clock', '5 s'),
  time(48, 'The clock is set by a day', 'nothing; nothing runs out early', 'no reconnect'),
  time(
    49,
    'Another address of our own',
    'Reconnecting, then Connected',
    '5 s, or 9.5 s more where the old path is silent',
  ),
  time(
    50,
    'Names: not found, changed, or not answered',
    'the name is not found; it is looked up anew at each attempt',
    'a lookup is given up at 5 s',
  ),
  time(51, 'IPv6 only, broken IPv6 beside IPv4, 400 ms on both', 'connected', '6 s'),
  protocol(
    52,
    'The gateway’s token was changed',
    'the device’s own token is tried once; else the token is asked for',
  ),
  protocol(53, 'This device was removed', 'said so; its stored token is deleted when the person says so'),
  protocol(
    54,
    'The device must be approved',
    'the request and the command to approve it; connects by itself',
    '5 s after the approval',
  ),
  protocol(55, 'Too many wrong tries', 'a countdown, then one try', '2 s after the countdown'),
  protocol(56, 'A right that was not granted', 'what is missing; the rest works'),
  protocol(57, 'A gateway of another protocol version', 'which of the two to update; no retry'),
  protocol(58, 'A frame that is too large comes in', 'said so; the history is read in smaller pages', '3 s'),
  protocol(59, 'A message that is too large to go out', 'refused with its size before anything is sent'),
  protocol(60, 'Frames that are no frames', 'nothing; what was lost is read again', '2 s'),
  protocol(61, '5,000 events a second', 'the app stays responsive; few patches'),
  messages(62, 'The answer to a sent message is lost', 'one row, one run', '5 s'),
  messages(
    63,
    'The gateway dies between taking a message and answering',
    'one row, or “delivery unconfirmed”; never two',
    '5 s',
  ),
  messages(64, 'A retry when the gateway has forgotten the key', 'the history decides; no second run', '5 s'),
  messages(
    65,
    'Random faults while messages are sent',
    'each accepted message once, in order',
    '35 s after the last fault',
  ),
  messages(
    66,
    'The app is killed while it sends',
    'the message is there after the start, and runs once',
    '5 s after the app is up',
  ),
  disk(67, 'Killed at any moment of writing a file', 'the old or the new content, never a part'),
  disk(
    68,
    'Broken files',
    'put aside and said so; known_hosts that cannot be read trusts nobody',
    '2 s after the app is up',
  ),
  disk(
    69,
    'A disk that is full or read-only',
    'changes cannot be saved; messages are refused, their text is kept',
    '',
  ),
  disk(70, 'No keychain, or a locked one', 'secrets live in memory, and that is said'),
  app(71, 'Started twice', 'the first one comes to the front; one tunnel', '1 s'),
  app(72, 'A window crashes or hangs', 'it comes back with its draft; the tunnel lives on', '2 s'),
  app(73, 'The graphics process dies three times', 'windows go on', '3 s'),
  app(
    74,
    'The tunnel process is killed, or hangs',
    'Reconnecting, then Connected; no storm of restarts',
    '4 s when killed',
  ),
  app(75, 'An exception that nobody caught', 'said, with a restart; the log holds no secret', '5 s'),
  app(76, 'A window floods the main process', 'refused; the main process stays responsive', '100 ms'),
  app(
    77,
    'A local gateway that fails, loops, or is there already',
    'one that runs already is used, never stopped',
    '',
    {
      notRun: 'Running a gateway of our own comes with the local mode; attaching to one that runs is tested.',
    },
  ),
  app(78, 'Quit while reconnecting', 'gone, with all processes and the port', '2 s'),
  app(79, 'Fifty changes of the profile while connecting', 'the last one wins, with one session', '3 s'),
  app(
    80,
    'The microphone goes, or a phrase comes while the tunnel is down',
    'said so; nothing is sent late',
    '',
    { notRun: 'There is no voice wake yet.' },
  ),
];
