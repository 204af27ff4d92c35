#!/usr/bin/env perl
# What a cluster needs for so many orders a second, from what each call takes, and how long calls take there. Standard
# input has a line for each kind of call: its name, how many belong to an order, microseconds of a processor on the node
# that is called and at home, bytes of WAL and bytes stored, round trips between the two. The argument is the bytes
# stored for a member.
#
#   TOTAL_MEMBERS=100000000 ORDERS_A_SECOND=10000 CORES=32 MOST_BUSY=0.6 bench/queues.pl 6000
#   ... NETWORK_MS=0.2 COMMIT_MS=1 CALLS=100000
#
# The second part is a simulation. Calls arrive at random (Poisson), go to any front, whose processors take them in
# turn, and then to the home of their member, which is any of the homes. How long a call needs a processor is
# distributed exponentially about its mean; a round trip and a commit, which need none, take a fixed time.
use strict;
use warnings;

use POSIX ();

my ($bytes_a_member) = @ARGV;
my $members = $ENV{TOTAL_MEMBERS} // 100_000_000;
my $orders = $ENV{ORDERS_A_SECOND} // 10_000;
my $cores = $ENV{CORES} // 32;
my $network = ($ENV{NETWORK_MS} // 0.2) / 1000;
my $commit = ($ENV{COMMIT_MS} // 1) / 1000;
my $most_busy = $ENV{MOST_BUSY} // 0.6;
my $calls = $ENV{CALLS} // 100_000;

my @kinds;
while (my $line = <STDIN>)
{
    my %kind;
    @kind{qw(name weight front home wal stored trips)} = split ' ', $line;
    $kind{rate} = $kind{weight} * $orders;
    $kind{$_} /= 1e6 foreach qw(front home);
    $kind{apart} = $kind{trips} * $network + ($kind{wal} > 0 ? $commit : 0);
    push @kinds, \%kind;
}

sub sum
{
    my ($value) = @_;
    my $sum = 0;
    $sum += $value->($_) foreach @kinds;
    return $sum;
}
my $rate = sum(sub { $_[0]{rate} });
my %work = map { my $tier = $_; ($tier => sum(sub { $_[0]{rate} * $_[0]{$tier} })) } qw(front home);

# How many servers a tier needs to be at most so busy.
my %servers = map { ($_ => POSIX::ceil($work{$_} / $cores / $most_busy)) } keys %work;

sub print_arithmetic
{
    my $row = "%-8s %10s %12s %12s %12s %12s %12s %14s\n";
    printf "Orders a second: %d; processors a server: %d\n", $orders, $cores;
    printf $row, 'call', 'per s', 'front, us', 'busy there', 'home, us', 'busy there', 'WAL, MB/s', 'stored, MB/s';
    foreach my $kind (@kinds)
    {
        my ($front, $home, $wal, $stored) = map { $kind->{rate} * $kind->{$_} } qw(front home wal stored);
        printf $row, $kind->{name}, $kind->{rate}, map { sprintf '%.1f', $_ } $kind->{front} * 1e6, $front,
            $kind->{home} * 1e6, $home, $wal / 1e6, $stored / 1e6;
    }
    printf $row, 'all', $rate, '', sprintf('%.1f', $work{front}), '', sprintf('%.1f', $work{home}),
        map { my $what = $_; sprintf '%.1f', sum(sub { $_[0]{rate} * $_[0]{$what} }) / 1e6 } qw(wal stored);
    printf "round trips a second: %.0f\n", sum(sub { $_[0]{rate} * $_[0]{trips} });
    printf "at most %d %% busy: %d fronts (%.1f / %d / %g), %d homes (%.1f / %d / %g)\n", 100 * $most_busy,
        map { ($servers{$_}, $work{$_}, $cores, $most_busy) } qw(front home);
    my $gigabytes = $members * $bytes_a_member / 1e9;
    printf "members: %d x %d bytes = %.0f GB, %.0f GB at each home\n", $members, $bytes_a_member, $gigabytes,
        $gigabytes / $servers{home};
}

# serve TIER CALLS: each call, in the order of arrival there, goes to a server at random, and to its processor that is
# free first.
sub serve
{
    my ($tier, $all) = @_;
    my @free = map { [ (0) x $cores ] } 1 .. $servers{$tier};
    foreach my $call (sort { $a->{now} <=> $b->{now} } @$all)
    {
        my $processors = $free[ rand @free ];
        my $first = 0;
        foreach my $other (1 .. $#$processors) { $first = $other if $processors->[$other] < $processors->[$first] }
        my $begin = $processors->[$first] > $call->{now} ? $processors->[$first] : $call->{now};
        $call->{now} = $processors->[$first] = $begin - $call->{kind}{$tier} * log(1 - rand);
    }
}

# What calls of each kind took, in order; the first tenth, which finds the servers idle, is left out.
sub simulate
{
    my ($load) = @_;
    my @urn = map { ($_) x $_->{weight} } @kinds;
    my $time = 0;
    my @all;
    foreach (1 .. $calls)
    {
        $time -= log(1 - rand) / $rate / $load;
        push @all, { kind => $urn[ rand @urn ], arrival => $time, now => $time };
    }
    serve($_, \@all) foreach qw(front home);
    my %took;
    foreach my $call (@all[ $calls / 10 .. $calls - 1 ])
    {
        push @{ $took{ $call->{kind}{name} } }, $call->{now} - $call->{arrival} + $call->{kind}{apart};
    }
    return map { ($_ => [ sort { $a <=> $b } @{ $took{$_} } ]) } keys %took;
}

sub print_queues
{
    printf "\nThese servers under other loads; ms, a round trip takes %g, a commit %g\n",
        $network * 1000, $commit * 1000;
    printf "%12s %12s %12s  %-8s %10s %10s\n",
        'orders per s', 'fronts busy', 'homes busy', 'call', 'median', 'slowest 1 %';
    my ($full) = sort { $a <=> $b } map { $cores * $servers{$_} / $work{$_} } qw(front home);
    foreach my $load (map { $_ * $full } 0.5, 0.7, 0.8, 0.9, 0.95)
    {
        my %took = simulate($load);
        foreach my $kind (@kinds)
        {
            my $sorted = $took{ $kind->{name} };
            printf "%12d %10d %% %10d %%  %-8s %10.2f %10.2f\n", $orders * $load,
                (map { 100 * $load * $work{$_} / $cores / $servers{$_} } qw(front home)),
                $kind->{name}, map { $_ * 1000 } @$sorted[ @$sorted * 0.5, @$sorted * 0.99 ];
        }
    }
}

srand 1;
print_arithmetic();
print_queues();
