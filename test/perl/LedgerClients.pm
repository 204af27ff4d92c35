# Many clients of one ledger at once, and what they were told.
#
# Each client is a psql that gets one request after another; all are driven by one loop. A request is a hash:
#     sql      one line; a statement, or several with \; between them, which are one transaction
#     expects  the SQLSTATEs, as a hash, that are an answer as good as success
#     done     called with the lines of a successful answer
# A serialization failure is tried again, with the same request. Any other error is a surprise, and so is a line that
# begins with "wrong". A request whose client dies before it is told of the COMMIT is neither: it is lost.
#
# A booking answers with lines "id|type|value|external id", which book() keeps. So in the end what the ledger holds can be
# compared with what it has acknowledged.
package LedgerClients;

use strict;
use warnings;

use IO::Select;
use IPC::Open3;
use Symbol 'gensym';
use Time::HiRes 'time';

my $end = '== end of answer';

sub new
{
    my ($class, $node, $count) = @_;
    my $self = bless {
        node => $node,
        booked => {},
        told => {},
        surprises => [],
        retries => 0,
        lost => [],
    }, $class;
    $self->{clients} = [ map { $self->connect_client } 1 .. $count ];
    return $self;
}

sub connect_client
{
    my ($self) = @_;
    open(my $nowhere, '>', '/dev/null') or die $!;
    my ($to, $from) = (gensym, gensym);
    my $pid = open3($to, $from, '>&' . fileno($nowhere),
        'psql', '-X', '-q', '-A', '-t', '-d', $self->{node}->connstr('postgres'));
    $to->autoflush(1);
    return { to => $to, from => $from, pid => $pid, buffer => '', request => undef };
}

# Asks all clients for `seconds`, or as long as one of them lives, each as soon as it has its answer; `next` yields the
# request for a client, or nothing.
sub run
{
    my ($self, $seconds, $next) = @_;
    my $until = time + $seconds;
    while (1)
    {
        my $is_over = time >= $until || !grep { !$_->{dead} } @{ $self->{clients} };
        foreach my $client (@{ $self->{clients} })
        {
            next if $is_over || $client->{request} || $client->{dead};
            my $request = $next->();
            $self->ask($client, $request) if $request;
        }
        last if $is_over && !grep { $_->{request} } @{ $self->{clients} };
        $self->listen;
    }
}

# Asks each client its request, all at the same time, and waits for all answers.
sub ask_all
{
    my ($self, @requests) = @_;
    my @clients = @{ $self->{clients} };
    $self->ask($clients[$_], $requests[$_]) for 0 .. $#requests;
    $self->listen while grep { $_->{request} } @clients;
}

sub ask
{
    my ($self, $client, $request) = @_;
    local $SIG{PIPE} = 'IGNORE';
    $client->{request} = $request;
    print { $client->{to} } "$request->{sql};\n\\echo $end [:SQLSTATE] :LAST_ERROR_MESSAGE\n" or $self->lose($client);
}

sub listen
{
    my ($self) = @_;
    my %by_handle = map { fileno($_->{from}) => $_ } grep { !$_->{dead} } @{ $self->{clients} };
    foreach my $handle (IO::Select->new(map { $_->{from} } values %by_handle)->can_read(0.1))
    {
        my $client = $by_handle{ fileno($handle) };
        if (!sysread($handle, $client->{buffer}, 65536, length $client->{buffer}))
        {
            $self->lose($client);
        }
        elsif ($client->{buffer} =~ s/\A(.*?)^\Q$end\E \[(\w*)\]([^\n]*)\n//ms)
        {
            # Without a server there is no SQLSTATE; a server that ends says 57P.
            if ($2 eq '' || $2 =~ /^57P/) { $self->lose($client) }
            else { $self->take_answer($client, $1, $2, $3) }
        }
    }
}

sub take_answer
{
    my ($self, $client, $answer, $sqlstate, $message) = @_;
    my $request = $client->{request};
    $client->{request} = undef;
    if ($sqlstate eq '40001')
    {
        $self->{retries}++;
        $self->ask($client, $request);
    }
    elsif ($sqlstate ne '00000' && !$request->{expects}{$sqlstate})
    {
        push @{ $self->{surprises} }, "$sqlstate$message: $request->{sql}";
    }
    elsif ($sqlstate ne '00000')
    {
        $self->{told}{$sqlstate}++;
    }
    else
    {
        my @lines = split /\n/, $answer;
        push @{ $self->{surprises} }, map { "$_: $request->{sql}" } grep { /^wrong/ } @lines;
        $request->{done}->(@lines) if $request->{done};
    }
}

sub lose
{
    my ($self, $client) = @_;
    return if $client->{dead};
    $client->{dead} = 1;
    push @{ $self->{lost} }, $client->{request} if $client->{request};
    $client->{request} = undef;
    close $client->{to};
    close $client->{from};
    waitpid $client->{pid}, 0;
}

# Connects dead clients again, and returns the requests that were lost with them.
sub revive
{
    my ($self) = @_;
    $_ = $_->{dead} ? $self->connect_client : $_ for @{ $self->{clients} };
    return splice @{ $self->{lost} };
}

sub close_all
{
    my ($self) = @_;
    $self->lose($_) for @{ $self->{clients} };
}

# The call of a booking function as the text of a request.
sub booking
{
    my ($self, $call) = @_;
    return "SELECT concat_ws('|', a ->> 'id', a ->> 'type', (a ->> 'value')::numeric(20, 2), a ->> 'external_id') FROM $call AS a";
}

# Keeps what was acknowledged. The same transaction may be told of again, but only as the same.
sub book
{
    my ($self, @lines) = @_;
    foreach my $line (@lines)
    {
        my ($id, $rest) = split /\|/, $line, 2;
        my $known = $self->{booked}{$id} //= $rest;
        push @{ $self->{surprises} }, "transaction $id was $known, and is now $rest" if $known ne $rest;
    }
}

# What was acknowledged and the ledger does not hold, and what it holds and nobody was told of: the ledger's own rows
# (expirations, settlements) apart.
sub differences
{
    my ($self) = @_;
    my %held = map { split /\|/, $_, 2 } split /\n/, $self->{node}->safe_psql('postgres', q{
        SELECT concat_ws('|', id, type, value::numeric(20, 2), external_id) FROM loyalty.transactions
        WHERE type <> 'expiration' AND source_type IS DISTINCT FROM 'settlement'
    });
    my $booked = $self->{booked};
    my @missing = grep { ($held{$_} // '') ne $booked->{$_} } keys %$booked;
    my @unknown = grep { !exists $booked->{$_} } keys %held;
    return (\@missing, \@unknown);
}

1;
