import { existsSync } from 'node:fs';

/** One configuration of the differential test. `@SSH@` stands for the folder `.ssh` of the lab's home. */
export interface CorpusCase {
  readonly name: string;
  readonly config: string;
  readonly targets: readonly string[];
  /** Further files below `.ssh`. */
  readonly files?: Readonly<Record<string, string>>;
  /**
   * What the ssh-config package cannot be trusted with there, as the failure names it; left out where it agrees with OpenSSH.
   */
  readonly needsOpenssh?: readonly string[];
  /** OpenSSH itself refuses the file. */
  readonly isInvalid?: true;
}

function lines(...all: string[]): string {
  return `${all.join('\n')}\n`;
}

export const CORPUS: readonly CorpusCase[] = [
  { name: 'nothing at all', config: '', targets: ['box', 'me@box:2200', '::1'] },
  { name: 'comments and empty lines only', config: '# a\n\n   # b\n\t\n', targets: ['box'] },
  {
    name: 'a plain block',
    config: lines('Host box', '  HostName box.internal', '  Port 2222', '  User deploy'),
    targets: ['box', 'other', 'root@box', 'box:22', 'ssh://u@box:99'],
  },
  {
    name: 'first match wins',
    config: lines('Host box', 'Port 1001', 'Host *', 'Port 1002', 'User all'),
    targets: ['box', 'x'],
  },
  {
    name: 'first match wins, general first',
    config: lines('Host *', 'Port 1002', 'Host box', 'Port 1001', 'User u'),
    targets: ['box'],
  },
  {
    name: 'first value wins within a block',
    config: lines('Host box', 'Port 1001', 'Port 1002'),
    targets: ['box'],
  },
  {
    name: 'options before any block',
    config: lines('User early', 'Host box', 'User late', 'Port 99'),
    targets: ['box', 'x'],
  },
  {
    name: 'the same host twice',
    config: lines('Host box', 'User a', 'Host box', 'User b', 'Port 99'),
    targets: ['box'],
  },
  { name: 'several names', config: lines('Host a b c', 'Port 99'), targets: ['a', 'c', 'd'] },
  { name: 'a comma is part of a name', config: lines('Host a,b', 'Port 99'), targets: ['a', 'b'] },
  {
    name: 'star',
    config: lines('Host *.example', 'Port 99'),
    targets: ['a.example', 'example', '.example.org'],
  },
  { name: 'question mark', config: lines('Host web?', 'Port 99'), targets: ['web1', 'web', 'web12'] },
  { name: 'several stars', config: lines('Host *a*b*', 'Port 99'), targets: ['xaybz', 'ba', 'ab'] },
  {
    name: 'signs of regular expressions',
    config: lines('Host a.c', 'Port 99', 'Host x+y', 'Port 98'),
    targets: ['abc', 'a.c', 'x+y', 'xxy'],
  },
  { name: 'negation', config: lines('Host * !box', 'Port 99'), targets: ['box', 'other'] },
  { name: 'negation first', config: lines('Host !box *', 'Port 99'), targets: ['box', 'other'] },
  { name: 'negation alone', config: lines('Host !box', 'Port 99'), targets: ['box', 'other'] },
  {
    name: 'negated pattern',
    config: lines('Host *.example !bad?.example', 'Port 99'),
    targets: ['a.example', 'bad1.example', 'bad.example'],
  },
  { name: 'names are case-sensitive', config: lines('Host Box', 'Port 99'), targets: ['box', 'Box'] },
  {
    name: 'keywords are not',
    config: lines('hOsT box', 'HOSTNAME b.internal', 'pOrT 99', 'user u'),
    targets: ['box'],
  },
  {
    name: 'upper case in HostName',
    config: lines('Host box', 'HostName BOX.Internal'),
    targets: ['box', 'UPPER'],
  },
  {
    name: 'equals signs',
    config: lines('Host=box', 'HostName=b.internal', 'Port = 99', 'User\t=\tu'),
    targets: ['box'],
  },
  {
    name: 'equals sign, spaces on one side',
    config: lines('Host box', 'Port =99', 'User= u'),
    targets: ['box'],
  },
  { name: 'two equals signs', config: lines('Host box', 'User == u'), targets: ['box'], isInvalid: true },
  { name: 'tabs and odd indents', config: 'Host box\n\t\tPort\t99\n \t User   u  \t\n', targets: ['box'] },
  {
    name: 'CRLF',
    config: 'Host box\r\n  HostName b.internal\r\n  Port 99\r\n\r\n# end\r\n',
    targets: ['box', 'x'],
  },
  { name: 'CRLF with patterns', config: 'Host a b\r\nUser u\r\nHost *\r\nPort 99\r\n', targets: ['b', 'x'] },
  { name: 'no newline at the end', config: 'Host box\nPort 99', targets: ['box'] },
  {
    name: 'trailing comments',
    config: lines('Host box # mine', 'Port 99 # not 22', 'User u #x'),
    targets: ['box', '#', 'mine'].slice(0, 1),
  },
  {
    name: 'a comment sign within a word',
    config: lines('Host box', 'User a#b'),
    targets: ['box'],
    needsOpenssh: ['User'],
  },
  {
    name: 'quoted values',
    config: lines('Host "box"', 'HostName "b.internal"', 'User "u"', 'Port "99"'),
    targets: ['box'],
  },
  { name: 'quoted patterns', config: lines('Host "a" "b*"', 'Port 99'), targets: ['a', 'bcd', 'c'] },
  {
    name: 'single quotes',
    config: lines('Host box', "IdentityFile '~/.ssh/a key'", "User 'u'"),
    targets: ['box'],
    needsOpenssh: ['IdentityFile', 'User'],
  },
  {
    name: 'quotes in the middle',
    config: lines('Host box', 'User a"b"c'),
    targets: ['box'],
    needsOpenssh: ['User'],
  },
  {
    name: 'escapes',
    config: lines('Host box', 'IdentityFile ~/.ssh/a\\ b'),
    targets: ['box'],
    needsOpenssh: ['IdentityFile'],
  },
  {
    name: 'odd writing of another host does not matter',
    config: lines('Host other', "User 'u'", 'Host box', 'Port 99'),
    targets: ['box'],
  },
  {
    name: 'a quoted keyword',
    config: lines('Host box', '"Port" 99'),
    targets: ['box'],
    needsOpenssh: ['Port'],
  },
  { name: 'an unclosed quote', config: lines('Host box', 'User "u'), targets: ['box'], isInvalid: true },
  {
    name: 'an empty value',
    config: lines('Host box', 'HostName', 'User u'),
    targets: ['box'],
    isInvalid: true,
  },
  {
    name: 'a file with blanks in its name',
    config: lines('Host box', 'IdentityFile "@SSH@/my key"', 'IdentityFile ~/.ssh/b'),
    targets: ['box'],
  },
  {
    name: 'several IdentityFile',
    config: lines(
      'Host box',
      'IdentityFile ~/.ssh/a',
      'IdentityFile ~/.ssh/b',
      'Host *',
      'IdentityFile ~/.ssh/c',
    ),
    targets: ['box', 'x'],
  },
  {
    name: 'the same IdentityFile twice',
    config: lines('Host box', 'IdentityFile ~/.ssh/a', 'IdentityFile ~/.ssh/a'),
    targets: ['box'],
  },
  { name: 'IdentityFile none', config: lines('Host box', 'IdentityFile none'), targets: ['box'] },
  {
    name: 'public keys as selectors',
    config: lines('Host box', 'IdentityFile ~/.ssh/a.pub', 'IdentitiesOnly yes'),
    targets: ['box'],
  },
  {
    name: 'tokens in IdentityFile',
    config: lines(
      'Host box',
      'HostName b.internal',
      'User u',
      'Port 99',
      'IdentityFile ~/.ssh/%h_%n_%p_%r_%%',
    ),
    targets: ['box', 'v@box:7'],
  },
  { name: '%d and %u', config: lines('IdentityFile %d/.ssh/%u'), targets: ['box'] },
  { name: 'a variable in IdentityFile', config: lines('IdentityFile ${HOME}/.ssh/env'), targets: ['box'] },
  { name: '%h in HostName', config: lines('Host db*', 'HostName %h.internal'), targets: ['db1', 'x'] },
  { name: '%% in HostName', config: lines('Host db*', 'HostName %h-%%.internal'), targets: ['db1'] },
  {
    name: 'a forbidden token in HostName',
    config: lines('Host db*', 'HostName %p.internal'),
    targets: ['db1'],
    isInvalid: true,
  },
  { name: 'IdentitiesOnly in capitals', config: lines('Host box', 'IdentitiesOnly YES'), targets: ['box'] },
  {
    name: 'HostKeyAlias',
    config: lines('Host box', 'HostKeyAlias real.example', 'HostName 10.0.0.1'),
    targets: ['box'],
  },
  {
    name: 'UserKnownHostsFile',
    config: lines('Host box', 'UserKnownHostsFile @SSH@/kh1 @SSH@/kh2'),
    targets: ['box', 'x'],
  },
  {
    name: 'UserKnownHostsFile with blanks',
    config: lines('Host box', 'UserKnownHostsFile "@SSH@/k h" @SSH@/kh2'),
    targets: ['box'],
  },
  {
    name: 'UserKnownHostsFile /dev/null',
    config: lines('Host box', 'UserKnownHostsFile /dev/null', 'StrictHostKeyChecking no'),
    targets: ['box'],
  },
  {
    name: 'tokens in UserKnownHostsFile',
    config: lines('Host box', 'UserKnownHostsFile @SSH@/kh_%h'),
    targets: ['box'],
  },
  {
    name: 'GlobalKnownHostsFile',
    config: lines('GlobalKnownHostsFile /etc/a /etc/b', 'GlobalKnownHostsFile /etc/c'),
    targets: ['box'],
  },
  { name: 'GlobalKnownHostsFile none', config: lines('GlobalKnownHostsFile none'), targets: ['box'] },
  ...['yes', 'no', 'off', 'ask', 'accept-new', 'true', 'false'].map((value) => ({
    name: `StrictHostKeyChecking ${value}`,
    config: lines('Host *', `StrictHostKeyChecking ${value}`),
    targets: ['box'],
  })),
  {
    name: 'a value that does not exist',
    config: lines('StrictHostKeyChecking maybe'),
    targets: ['box'],
    isInvalid: true,
  },
  {
    name: 'HashKnownHosts and UpdateHostKeys',
    config: lines('HashKnownHosts yes', 'UpdateHostKeys ask'),
    targets: ['box'],
  },
  {
    name: 'times',
    config: lines(
      'Host a',
      'ConnectTimeout 1m30s',
      'Host b',
      'ConnectTimeout 7',
      'ServerAliveInterval 2m',
      'ServerAliveCountMax 0',
    ),
    targets: ['a', 'b'],
  },
  { name: 'a bad time', config: lines('ConnectTimeout soon'), targets: ['box'], isInvalid: true },
  { name: 'a bad port', config: lines('Port 70000'), targets: ['box'], isInvalid: true },
  {
    name: 'a port by its service',
    config: lines('Port ssh'),
    targets: ['box'],
    // A system without the list of services knows no such port.
    ...(existsSync('/etc/services') ? { needsOpenssh: ['Port'] } : { isInvalid: true }),
  },
  {
    name: 'AddressFamily and BindAddress',
    config: lines('AddressFamily inet6', 'BindAddress ::1', 'TCPKeepAlive no'),
    targets: ['box'],
  },
  {
    name: 'authentication',
    config: lines(
      'PreferredAuthentications password,publickey',
      'PubkeyAuthentication no',
      'NumberOfPasswordPrompts 1',
    ),
    targets: ['box'],
  },
  {
    name: 'old names of directives',
    config: lines('ChallengeResponseAuthentication no', 'Protocol 2', 'PubkeyAcceptedKeyTypes ssh-ed25519'),
    targets: ['box'],
  },
  {
    name: 'one cipher',
    config: lines('Host box', 'Ciphers aes128-ctr', 'Host *', 'Ciphers aes256-ctr'),
    targets: ['box', 'x'],
  },
  {
    name: 'lists of algorithms',
    config: lines(
      'KexAlgorithms diffie-hellman-group14-sha1,curve25519-sha256',
      'MACs hmac-sha1,hmac-sha2-256',
      'HostKeyAlgorithms ssh-rsa,ssh-ed25519',
    ),
    targets: ['box'],
  },
  {
    name: 'one list added to',
    config: lines('HostKeyAlgorithms +ssh-rsa'),
    targets: ['box'],
    needsOpenssh: ['HostKeyAlgorithms'],
  },
  {
    name: 'one list taken from',
    config: lines('Ciphers -aes128*'),
    targets: ['box'],
    needsOpenssh: ['Ciphers'],
  },
  {
    name: 'one list put in front',
    config: lines('KexAlgorithms ^ecdh-sha2-nistp521'),
    targets: ['box'],
    needsOpenssh: ['KexAlgorithms'],
  },
  {
    name: 'a jump',
    config: lines('Host box', 'ProxyJump bastion', 'Host bastion', 'User b', 'Port 99', 'HostName b.example'),
    targets: ['box', 'bastion'],
  },
  {
    name: 'jumps',
    config: lines(
      'Host box',
      'ProxyJump a,u@b:2201,[::1]:24',
      'Host b',
      'User other',
      'Port 5',
      'ProxyJump nowhere',
    ),
    targets: ['box'],
  },
  {
    name: 'jumps of jumps',
    config: lines('Host c', 'ProxyJump b', 'Host b', 'ProxyJump a', 'Host a', 'User au'),
    targets: ['c', 'b', 'a'],
  },
  {
    name: 'the first of two jumps has its own',
    config: lines('Host d', 'ProxyJump b,c', 'Host b', 'ProxyJump a'),
    targets: ['d'],
  },
  { name: 'jump by uri', config: lines('Host box', 'ProxyJump ssh://j@bastion:2200'), targets: ['box'] },
  {
    name: 'ProxyJump none',
    config: lines('Host box', 'ProxyJump none', 'Host *', 'ProxyJump bastion'),
    targets: ['box'],
  },
  {
    name: 'jumps for all but the bastion',
    config: lines('Host * !bastion', 'ProxyJump bastion'),
    targets: ['box', 'bastion'],
  },
  {
    name: 'tokens in ProxyJump',
    config: lines('Host box', 'User u', 'ProxyJump %r@bastion'),
    targets: ['box'],
  },
  {
    name: 'ProxyCommand',
    config: lines('Host box', 'HostName b.internal', 'ProxyCommand nc %h %p'),
    targets: ['box', 'box:77'],
  },
  {
    name: 'ProxyCommand none',
    config: lines('Host box', 'ProxyCommand none', 'Host *', 'ProxyCommand nc %h %p'),
    targets: ['box', 'x'],
  },
  {
    name: 'ProxyCommand before ProxyJump',
    config: lines('Host box', 'ProxyCommand nc %h %p', 'Host *', 'ProxyJump b'),
    targets: ['box'],
  },
  {
    name: 'ProxyJump before ProxyCommand',
    config: lines('Host box', 'ProxyJump b', 'Host *', 'ProxyCommand nc %h %p'),
    targets: ['box'],
  },
  {
    name: 'ProxyCommand none before ProxyJump',
    config: lines('Host box', 'ProxyCommand none', 'Host *', 'ProxyJump b'),
    targets: ['box'],
  },
  {
    name: 'ProxyCommand with quotes',
    config: lines('Host box', 'ProxyCommand sh -c "nc  \'%h\' %p"'),
    targets: ['box'],
    needsOpenssh: ['ProxyCommand'],
  },
  {
    name: 'ProxyCommand with equals signs',
    config: lines('Host box', 'ProxyCommand=nc -o a=b --x=%h %p'),
    targets: ['box'],
  },
  {
    name: 'ProxyCommand with many blanks',
    config: lines('Host box', 'ProxyCommand  nc  %h   %p'),
    targets: ['box'],
    needsOpenssh: ['ProxyCommand'],
  },
  { name: 'Match all', config: lines('Host box', 'Port 99', 'Match all', 'User u'), targets: ['box', 'x'] },
  {
    name: 'Match host',
    config: lines(
      'Host box',
      'HostName b.internal',
      'Match host b.internal',
      'Port 99',
      'Match host box',
      'User never',
    ),
    targets: ['box', 'b.internal'],
  },
  {
    name: 'Match host before HostName',
    config: lines('Match host b.internal', 'Port 99', 'Host box', 'HostName b.internal'),
    targets: ['box'],
  },
  {
    name: 'Match host, list and negation',
    config: lines('Match host *.internal,!bad.internal', 'Port 99'),
    targets: ['a.internal', 'bad.internal'],
  },
  {
    name: 'Match host ignores case',
    config: lines('Match host A.Internal', 'Port 99'),
    targets: ['a.internal', 'A.INTERNAL'],
  },
  {
    name: 'Match originalhost',
    config: lines('Host box', 'HostName b.internal', 'Match originalhost box', 'Port 99'),
    targets: ['box', 'b.internal'],
  },
  {
    name: 'Match user',
    config: lines('Match user root,deploy', 'Port 99', 'Match user x*', 'Port 98'),
    targets: ['deploy@box', 'xy@box', 'Deploy@box'],
  },
  {
    name: 'Match user after User',
    config: lines('Host box', 'User deploy', 'Match user deploy', 'Port 99'),
    targets: ['box', 'x@box'],
  },
  {
    name: 'Match localuser',
    config: lines('Match localuser @USER@', 'Port 99', 'Match localuser nobody-else', 'User never'),
    targets: ['box'],
  },
  {
    name: 'Match with two criteria',
    config: lines('Match host box user u', 'Port 99'),
    targets: ['u@box', 'v@box'],
  },
  {
    name: 'Match with negated criteria',
    config: lines('Match !host box', 'Port 99', 'Match host box !user u', 'Port 98'),
    targets: ['box', 'u@box', 'x'],
  },
  {
    name: 'Match exec',
    config: lines('Match exec true', 'Port 99', 'Match exec false', 'User never'),
    targets: ['box'],
    needsOpenssh: ['Match exec'],
  },
  {
    name: 'Match exec with tokens',
    config: lines('Match exec "test %n = box"', 'Port 99'),
    targets: ['box', 'x'],
    needsOpenssh: ['Match exec'],
  },
  {
    name: 'Match exec of another host is not run',
    config: lines('Match originalhost other exec "touch @SSH@/ran"', 'Port 99'),
    targets: ['box'],
  },
  {
    name: 'Match final',
    config: lines('Host box', 'HostName b.internal', 'Match final host b.internal', 'Port 99'),
    targets: ['box'],
    needsOpenssh: ['Match final'],
  },
  {
    name: 'Match final all',
    config: lines('Match final all', 'User late', 'Host box', 'Port 99'),
    targets: ['box'],
    needsOpenssh: ['Match final'],
  },
  {
    name: 'Match canonical',
    config: lines('Match canonical host box', 'Port 99'),
    targets: ['box'],
    needsOpenssh: ['Match canonical'],
  },
  {
    name: 'CanonicalizeHostname',
    config: lines('CanonicalizeHostname always', 'CanonicalDomains invalid', 'Match canonical', 'Port 99'),
    targets: ['box'],
    needsOpenssh: ['Match canonical', 'CanonicalizeHostname'],
  },
  {
    name: 'Match without a value',
    config: lines('Match host', 'Port 99'),
    targets: ['box'],
    isInvalid: true,
  },
  {
    name: 'Match of an unknown kind',
    config: lines('Match weather fine', 'Port 99'),
    targets: ['box'],
    isInvalid: true,
  },
  {
    name: 'Include',
    config: lines('Include @SSH@/more', 'Host box', 'Port 98'),
    files: { more: lines('Host box', 'Port 99') },
    targets: ['box'],
  },
  {
    name: 'Include with a glob, in order',
    config: lines('Include @SSH@/conf.d/*.conf'),
    files: {
      'conf.d/b.conf': lines('Host box', 'Port 98', 'User b'),
      'conf.d/a.conf': lines('Host box', 'Port 97'),
      'conf.d/c.txt': lines('Host *', 'User c'),
      'conf.d/.d.conf': lines('Host *', 'User d'),
    },
    targets: ['box', 'x'],
  },
  {
    name: 'Include of several',
    config: lines('Include @SSH@/one @SSH@/two'),
    files: { one: lines('Host box', 'Port 97'), two: lines('Port 98', 'User two') },
    targets: ['box', 'x'],
  },
  { name: 'Include of nothing', config: lines('Include @SSH@/nowhere/*', 'Port 99'), targets: ['box'] },
  {
    name: 'Include of Include',
    config: lines('Include @SSH@/one'),
    files: { one: lines('Host box', 'Include @SSH@/two'), two: lines('Port 98') },
    targets: ['box', 'x'],
  },
  {
    name: 'Include of itself',
    config: lines('Include @SSH@/one'),
    files: { one: lines('Include @SSH@/one', 'Port 98') },
    targets: ['box'],
    isInvalid: true,
  },
  {
    name: 'Include within a block',
    config: lines('Host box', '  Include @SSH@/one', '  User after'),
    files: { one: lines('Port 98') },
    targets: ['box', 'x'],
  },
  {
    name: 'blocks of an include end with it',
    config: lines('Host box', 'Include @SSH@/one', 'User after'),
    files: { one: lines('Host nobody', 'Port 98') },
    targets: ['box', 'x'],
  },
  {
    name: 'blocks of an include within another host',
    config: lines('Host other', 'Include @SSH@/one', 'Host box', 'User u'),
    files: { one: lines('Host box', 'Port 98') },
    targets: ['box', 'other'],
  },
  {
    name: 'Include with brackets',
    config: lines('Include @SSH@/conf.d/[ab].conf'),
    files: { 'conf.d/a.conf': lines('Port 98') },
    targets: ['box'],
    needsOpenssh: ['Include'],
  },
  {
    name: 'a directive that does not exist',
    config: lines('Host other', 'NoSuchDirective yes'),
    targets: ['box'],
    isInvalid: true,
  },
  {
    name: 'IgnoreUnknown',
    config: lines('IgnoreUnknown NoSuch*', 'NoSuchDirective yes', 'Port 99'),
    targets: ['box'],
    needsOpenssh: ['nosuchdirective'],
  },
  {
    name: 'two values where there is one',
    config: lines('Host box', 'Port 99 98'),
    targets: ['box'],
    isInvalid: true,
  },
  {
    name: 'a byte order mark',
    config: `\ufeff${lines('Host box', 'Port 99')}`,
    targets: ['box'],
    isInvalid: true,
  },
  {
    name: 'IPv6',
    config: lines('Host ::1', 'Port 99', 'Host v6', 'HostName fe80::5'),
    targets: ['::1', 'v6', '[::1]:24'],
  },
  {
    name: 'IdentityAgent',
    config: lines(
      'Host none',
      'IdentityAgent none',
      'Host path',
      'IdentityAgent "@SSH@/a b.sock"',
      'Host sock',
      'IdentityAgent SSH_AUTH_SOCK',
    ),
    targets: ['none', 'path', 'sock'],
  },
  {
    name: 'a person’s real file',
    config: lines(
      '# work',
      'Host github.com',
      '  User git',
      '  IdentityFile ~/.ssh/id_github',
      '',
      'Host *.corp !public.corp',
      '  ProxyJump gate.corp.example',
      '  User w.orker',
      '',
      'Host gate.corp.example',
      '  Port 2222',
      '',
      'Host *',
      '  AddKeysToAgent yes',
      '  ServerAliveInterval 60',
      '  SendEnv LANG LC_*',
      '  LocalForward 8080 localhost:80',
      '  RemoteCommand tmux new "-A" -s x',
      '  HashKnownHosts yes',
    ),
    targets: ['github.com', 'db.corp', 'public.corp', 'gate.corp.example'],
  },
];
