# Runs one command and ends everything that it started when its lifeline closes.
#
#   perl guard.pl -- COMMAND [ARG...]                 run a command
#   perl guard.pl --remove DIR                        run nothing; remove DIR when the lifeline closes
#   perl guard.pl --socket PATH LOG -- COMMAND [ARG...]
#       for a command that somebody else spawns: the lifeline is a connection to PATH, both output streams go to
#       standard error and to the file LOG, and the guard ends with the command
#
# The lifeline (else file descriptor 3) is a socket to the process that made the lab. To it go "pid N" and "exit CODE SIGNAL". When it
# reads end-of-file (an orderly close, or the maker's death of any kind), the tree below this process is ended.
# Being the subreaper (prctl(2), PR_SET_CHILD_SUBREAPER) it also inherits daemons that left their parent and group.
use strict;
use warnings;
use POSIX qw(:sys_wait_h :errno_h setpgid);
use Socket qw(AF_UNIX SOCK_STREAM pack_sockaddr_un);

my %PRCTL = (x86_64 => 157, aarch64 => 167);
my ($PR_SET_PDEATHSIG, $PR_SET_CHILD_SUBREAPER) = (1, 36);
my $GRACE_S = 1;
my $LIMIT_S = 20;

my $machine = (POSIX::uname())[4];
my $prctl = $^O eq 'linux' ? $PRCTL{$machine} : undef;

$SIG{$_} = 'IGNORE' for qw(INT TERM HUP PIPE QUIT);
$SIG{CHLD} = sub { };    # only to wake select
my ($lifeline, $log);
my $last_words = '';
my $ends_with_command = $ARGV[0] eq '--socket';
if ($ends_with_command) {
  shift @ARGV;
  socket($lifeline, AF_UNIX, SOCK_STREAM, 0) or die "guard: no socket: $!\n";
  connect($lifeline, pack_sockaddr_un(shift @ARGV)) or die "guard: nobody holds the lifeline: $!\n";
  $log = shift @ARGV;
} else {
  open($lifeline, '+<&=', 3) or die "guard: no lifeline on descriptor 3: $!\n";
}
syswrite($lifeline, "guard $$\n");

sub tell_maker { my ($line) = @_; syswrite($lifeline, "$line\n"); return; }

# Runs in a process of its own until every writer has gone.
sub copy_output {
  my ($from, $to) = @_;
  close $to;
  close $lifeline;
  open(my $file, '>>', $log) or die "guard: cannot write $log: $!\n";
  while (1) {
    my $got = sysread($from, my $piece, 65536);
    next if !defined $got && $! == EINTR;
    last if !$got;
    syswrite($file, $piece);
    syswrite(STDERR, $piece);
  }
  POSIX::_exit(0);
}

sub wait_for_end_of_file {
  my ($on_tick) = @_;
  while (1) {
    return if $on_tick->();
    my $bits = '';
    vec($bits, fileno($lifeline), 1) = 1;
    my $ready = select($bits, undef, undef, 0.25);
    next if $ready <= 0;
    my $got = sysread($lifeline, my $words, 4096);
    $last_words = $words if $got;
    return if defined $got ? $got == 0 : $! != EINTR;
  }
}

if ($ARGV[0] eq '--remove') {
  my $dir = $ARGV[1];
  wait_for_end_of_file(sub { 0 });
  # After a crash the lab's processes are ending while this runs, and may write once more.
  my $orderly = $last_words =~ /^all parts have ended/;
  my $until = time + ($orderly ? 0 : 3);
  my $limit = time + $LIMIT_S;
  do {
    system('rm', '-rf', '--', $dir);
    select(undef, undef, undef, 0.2) if -e $dir || time < $until;
  } while (time < $limit && (-e $dir || time < $until));
  exit 0;
}

shift @ARGV if $ARGV[0] eq '--';
syscall($prctl, $PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) if defined $prctl;

my $copier = 0;
if (defined $log) {
  pipe(my $from_command, my $to_copier) or die "guard: no pipe: $!\n";
  $copier = fork() // die "guard: cannot fork: $!\n";
  copy_output($from_command, $to_copier) if $copier == 0;
  open(STDOUT, '>&', $to_copier);
  open(STDERR, '>&', $to_copier);
}

my $main = fork();
die "guard: cannot fork: $!\n" if !defined $main;
if ($main == 0) {
  $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE QUIT);
  setpgid(0, 0);
  syscall($prctl, $PR_SET_PDEATHSIG, 9, 0, 0, 0) if defined $prctl;
  POSIX::close(fileno($lifeline));
  exec { $ARGV[0] } @ARGV or do { print STDERR "guard: cannot run $ARGV[0]: $!\n"; POSIX::_exit(127); };
}
# The guard's own copies would keep the child's streams open for the maker after the child's end.
open(STDIN, '<', '/dev/null');
open(STDOUT, '>', '/dev/null');
open(STDERR, '>', '/dev/null');
tell_maker("pid $main");

my $main_ended = 0;
my ($code, $signal) = (0, 0);

sub reap {
  while ((my $pid = waitpid(-1, WNOHANG)) > 0) {
    next if $pid != $main;
    ($code, $signal) = ($? >> 8, $? & 127);
    $main_ended = 1;
    tell_maker("exit $code $signal");
  }
  return;
}

# What a command leaves behind is worth a test's attention, so it is told before it is ended.
sub tell_leftovers {
  for (1 .. $GRACE_S * 20) {
    reap();
    last if !descendants();
    select(undef, undef, undef, 0.05);
  }
  for my $pid (descendants()) {
    tell_maker("left $pid " . command_of($pid));
  }
  return;
}

sub command_of {
  my ($pid) = @_;
  open(my $file, '<', "/proc/$pid/cmdline") or return '';
  my $command = <$file> // '';
  close $file;
  $command =~ tr/\0\n/  /;
  return $command;
}

sub is_janitor {
  my ($pid) = @_;
  return command_of($pid) =~ /guard\.pl --remove /;
}

# All processes below this one, from /proc/PID/stat; on other systems only the child's group is known.
sub descendants {
  my %children;
  opendir(my $proc, '/proc') or return ();
  for my $pid (grep { /^\d+$/ } readdir $proc) {
    open(my $stat, '<', "/proc/$pid/stat") or next;
    my $line = <$stat>;
    close $stat;
    next if !defined $line || $line !~ /^\d+ \(.*\) (\S) (\d+)/s || $1 eq 'Z';
    push @{ $children{$2} }, $pid;
  }
  closedir $proc;
  $children{$$} = [grep { $_ != $copier } @{ $children{$$} // [] }];
  my (@found, @queue);
  @queue = ($$);
  while (defined(my $pid = shift @queue)) {
    my @next = @{ $children{$pid} // [] };
    push @found, @next;
    push @queue, @next;
  }
  return @found;
}

wait_for_end_of_file(sub { reap(); return $ends_with_command && $main_ended; });

reap();
if (!$main_ended) {
  kill 'TERM', $main;
  for (1 .. $GRACE_S * 20) {
    select(undef, undef, undef, 0.05);
    reap();
    last if $main_ended;
  }
}
tell_leftovers() if $ends_with_command && $main_ended;
my $until = time + $LIMIT_S;
while (time < $until) {
  kill 'KILL', -$main;
  my @left = descendants();
  # The janitor of a lab that the command made ends by itself, when it has removed the lab's folder.
  kill 'KILL', grep { !is_janitor($_) } @left;
  reap();
  last if !@left && ($main_ended || $^O ne 'linux');
  select(undef, undef, undef, 0.02);
}
waitpid($copier, 0) if $copier;
exit($signal ? 128 + $signal : $code);
