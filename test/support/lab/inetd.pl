# Listens on a TCP port of 127.0.0.1 and runs a command for every connection, with the socket as its standard input and
# output: what inetd(8) does with "nowait". For servers that speak to their standard input only.
#
#   perl inetd.pl PORT COMMAND [ARG...]
#
# Prints "listening" once it does.
use strict;
use warnings;
use Socket qw(AF_INET SOCK_STREAM SOL_SOCKET SO_REUSEADDR IPPROTO_TCP TCP_NODELAY inet_aton pack_sockaddr_in);

my ($port, @command) = @ARGV;
$SIG{CHLD} = 'IGNORE';
socket(my $listener, AF_INET, SOCK_STREAM, 0) or die "inetd: no socket: $!\n";
setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
bind($listener, pack_sockaddr_in($port, inet_aton('127.0.0.1'))) or die "inetd: port $port: $!\n";
listen($listener, 128) or die "inetd: port $port: $!\n";
$| = 1;
print "listening\n";
while (1) {
  accept(my $connection, $listener) or next;
  setsockopt($connection, IPPROTO_TCP, TCP_NODELAY, 1);
  my $pid = fork;
  if (defined $pid && $pid == 0) {
    $SIG{CHLD} = 'DEFAULT';
    close $listener;
    open(STDIN, '<&', $connection) or die "inetd: $!\n";
    open(STDOUT, '>&', $connection) or die "inetd: $!\n";
    close $connection;
    exec { $command[0] } @command or exit 127;
  }
  close $connection;
}
