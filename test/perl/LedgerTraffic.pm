# What customers do to a ledger, at random: requests for LedgerClients, for a few members of one program. External ids are
# counted; what was acknowledged is there to be cancelled, refunded, committed by whichever client comes next.
package LedgerTraffic;

use strict;
use warnings;

use Time::HiRes 'time';

our $setup = q{
    CREATE EXTENSION loyalty;
    SELECT loyalty_create_schema();
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
    INSERT INTO loyalty.point_types (program, external_id, name, ratio, scale, active) VALUES ('main', 'bonus', 'Bonus', 10, 2, true);
    INSERT INTO loyalty.members (member, program, enrolled_at) SELECT 'm' || number, 'main', loyalty.clock() FROM generate_series(0, 9) AS number;
};

my %too_few = (LY510 => 1);
my %nothing_left = (LY516 => 1);
my %hold_has_ended = (LY518 => 1);
my %job_is_running = (LY524 => 1);

sub new
{
    my ($class, $clients) = @_;
    return bless { clients => $clients, last_id => 0, bookings => [], redemptions => [], holds => [], twins => [] }, $class;
}

my @kinds = (
    [ 24, \&accrue ], [ 30, \&redeem ], [ 10, \&hold ], [ 10, \&end_hold ], [ 6, \&cancel ], [ 6, \&refund ],
    [ 5, \&insert ], [ 5, \&many ], [ 5, \&both ], [ 4, \&look ], [ 2, \&expire ],
);
my $weight = 0;
$weight += $_->[0] for @kinds;

sub next_request
{
    my ($self) = @_;
    return pop @{ $self->{twins} } if @{ $self->{twins} };
    my $at = rand $weight;
    foreach my $kind (@kinds)
    {
        $at -= $kind->[0];
        next if $at >= 0;
        my $request = $kind->[1]->($self);
        # Two clients at once with the very same request, as after a time-out of the network.
        push @{ $self->{twins} }, $request if $request && rand() < 0.05;
        return $request;
    }
}

sub member { return 'm' . int rand 10 }
sub amount { my ($most) = @_; return sprintf '%.2f', (1 + int rand 100 * $most) / 100 }
sub pick { my ($from) = @_; return @$from ? $from->[ rand @$from ] : undef }

# What came last is what others are still busy with.
sub pick_recent { my ($from) = @_; return pick([ @$from > 50 ? @$from[ -50 .. -1 ] : @$from ]) }

sub new_id
{
    my ($self) = @_;
    return 'X' . ++$self->{last_id};
}

# A request whose answer is booked; what it is about may be undone by others afterwards.
sub request
{
    my ($self, $sql, $expects, @keep) = @_;
    return {
        sql => $sql,
        expects => $expects,
        done => sub {
            $self->{clients}->book(@_);
            push @{ $_->[0] }, $_->[1] for @keep;
        },
    };
}

# Most points begin and end while this runs: absolute moments, because a request asked again must be the same.
sub dates
{
    my $begin = pick([ undef, -1, -1, 1 ]) // return '';
    return sprintf ', active_from => to_timestamp(%.3f), expires_at => to_timestamp(%.3f)', time + $begin, time + 1.5 + rand 3;
}

sub accrue
{
    my ($self, $member) = @_;
    $member //= member();
    my $id = $self->new_id;
    my $call = sprintf "loyalty_accrue('%s', 'main', 'bonus', %s, external_id => '%s'%s)", $member, amount(60), $id, dates();
    return $self->request($self->{clients}->booking($call), {}, [ $self->{bookings}, [ $member, $id ] ]);
}

sub redeem
{
    my ($self, $member) = @_;
    $member //= member();
    my $id = $self->new_id;
    my $call = sprintf "loyalty_redeem('%s', 'main', 'bonus', %s, external_id => '%s')", $member, amount(70), $id;
    return $self->request($self->{clients}->booking($call), \%too_few, map { [ $self->{$_}, [ $member, $id ] ] } qw(bookings redemptions));
}

# Some holds time out before anyone ends them.
sub hold
{
    my ($self) = @_;
    my ($member, $id) = (member(), $self->new_id);
    my $type = pick([qw(redemption redemption accrual)]);
    my $sql = sprintf "SELECT 'held' FROM loyalty_hold('%s', 'main', 'bonus', '%s', %s, '%.2f s', external_id => '%s')",
        $member, $type, amount(30), 0.2 + rand 2, $id;
    return { sql => $sql, expects => \%too_few, done => sub { push @{ $self->{holds} }, [ $member, $id ] } };
}

sub end_hold
{
    my ($self) = @_;
    my $hold = pick_recent($self->{holds}) or return;
    my ($member, $id) = @$hold;
    return rand() < 0.6
        ? $self->request($self->{clients}->booking("loyalty_commit('$member', 'main', external_id => '$id')"), \%hold_has_ended)
        : { sql => "SELECT 'ended' FROM loyalty_rollback('$member', 'main', external_id => '$id')", expects => \%hold_has_ended };
}

sub cancel
{
    my ($self) = @_;
    my $booking = pick_recent($self->{bookings}) or return;
    my ($member, $id) = @$booking;
    return $self->request($self->{clients}->booking("loyalty_cancel('$member', 'main', external_id => '$id')"), \%nothing_left);
}

sub refund
{
    my ($self) = @_;
    my $redemption = pick_recent($self->{redemptions}) or return;
    my ($member, $id) = @$redemption;
    my $call = sprintf "loyalty_refund('%s', 'main', %s, redemption => '%s', external_id => '%s')", $member, amount(10), $id, $self->new_id;
    return $self->request($self->{clients}->booking($call), \%nothing_left);
}

# Rows of one plain INSERT. Where they were booked before it adds none, so they are looked up.
sub insert
{
    my ($self) = @_;
    my ($member, $first, $second) = (member(), $self->new_id, $self->new_id);
    my $insert = 'INSERT INTO loyalty.transactions (member, program, point_type, type, value, external_id) VALUES '
        . sprintf "('$member', 'main', 'bonus', 'accrual', %s, '$first'), ('$member', 'main', 'bonus', 'redemption', -%s, '$second')", amount(30), amount(30);
    my $look_up = "SELECT concat_ws('|', id, type, value::numeric(20, 2), external_id) FROM loyalty.transactions"
        . " WHERE member = '$member' AND program = 'main' AND external_id IN ('$first', '$second')";
    return $self->request("$insert \\; $look_up", \%too_few, [ $self->{bookings}, [ $member, $first ] ]);
}

# Rows for several members in one call, in any order: it locks them by their keys itself. All or none.
sub many
{
    my ($self) = @_;
    my %ids;
    my @rows = map {
        my ($member, $id) = (member(), $self->new_id);
        $ids{$id} = $member;
        my ($type, $sign) = rand() < 0.7 ? ('accrual', '') : ('redemption', '-');
        sprintf '{"member": "%s", "point_type": "bonus", "type": "%s", "value": %s%s, "external_id": "%s"}', $member, $type, $sign, amount(20), $id;
    } 1 .. 4;
    my $book = sprintf "SELECT count(*) FROM loyalty_book('main', '[%s]')", join ', ', @rows;
    my $look_up = "SELECT concat_ws('|', id, type, value::numeric(20, 2), external_id) FROM loyalty.transactions WHERE "
        . join ' OR ', map { "(member = '$ids{$_}' AND program = 'main' AND external_id = '$_')" } sort keys %ids;
    return $self->request("DO \$\$ BEGIN PERFORM * FROM ($book) AS b; END \$\$ \\; $look_up", \%too_few, map { [ $self->{bookings}, [ $ids{$_}, $_ ] ] } sort keys %ids);
}

# Bookings for two members in one transaction, in the order of their keys as everyone who books for several must, so that
# no two wait for each other. A refusal of the second takes back the first.
sub both
{
    my ($self) = @_;
    my ($first, $second) = sort (member(), member());
    my ($accrual, $redemption) = ($self->accrue($first), $self->redeem($second));
    return {
        sql => "$accrual->{sql} \\; $redemption->{sql}",
        expects => \%too_few,
        done => sub { $_->{done}->() for $accrual, $redemption; $self->{clients}->book(@_) },
    };
}

sub look
{
    my $member = member();
    return { sql => "SELECT 'wrong balance', total, active, held FROM loyalty_balance('$member', 'main', 'bonus')"
            . ' WHERE NOT (active >= 0 AND held >= 0 AND active + held <= total)' };
}

sub expire
{
    return { sql => 'CALL loyalty_expire_points(3)', expects => \%job_is_running };
}

1;
