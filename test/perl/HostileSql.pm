# Statements that attack: arguments and values of each type that nobody sane would pass, mixed with right ones, so that a
# statement gets past the first check. Everything comes from one seeded source of chance: a seed gives the same statements.
package HostileSql;
use strict;
use warnings;

use JSON::PP;

# What is right for an argument or a column of this name, as SQL.
my %right = (
    member => [qw('ann' 'bob' 'cat' 'guest')],
    profile => [qw('ann' 'bob')],
    program => [qw('main')],
    point_type => [qw('bonus' 'gift' 'status' 'month')],
    promotion => [qw('books' 'order' 'pay' 'earn' 'review' 'idle')],
    promotion_group => [qw('main' 'best')],
    parent => [qw('main' 'best')],
    tier_group => [qw('life' 'monthly' 'now')],
    tier => [qw('start' 'top' 'saver')],
    pool => [qw('birthday' 'summer')],
    code => ["'I-1'", "'SUMMER-11'", "(SELECT min(code) FROM loyalty.promo_codes)"],
    mask => [q('X-#####'), q('***')],
    external_id => [qw('A' 'B' 'H-1' 'F-1' 'new')],
    redemption => [qw('A' 'F-1')],
    line => [qw('b' 'p' 't')],
    status => [qw('delivered' 'cancelled' 'paid')],
    kind => [qw('discount' 'points' 'product' 'order' 'profile')],
    level => [qw('product' 'order')],
    benefit => [qw('discount' 'points_discount' 'accrue_points' 'price_from_field' 'round_price' 'partner_points')],
    type => [qw('redemption' 'accrual')],
    operation => [qw('accrual' 'deduction')],
    segment => [qw('books' 'picks' 'riga' 'large')],
    noun => [qw('product' 'order' 'profile')],
    rights => [qw('app' 'admin' 'report' 'jobs')],
    role => [qw('fuzz_app' 'fuzz_nobody')],
    job => [qw('expire_points' 'end_holds' 'review_tiers' 'judge_tiers' 'tell_expiring' 'delete_events')],
    relation => [qw('products' 'promotions' 'programs' 'promotion_conditions')],
    root => [qw('program' 'promotion')],
    report => [qw('breakage' 'liability' 'daily_activity')],
    consumer => [qw('worker')],
    field => [qw('key' 'city' 'email')],
    registered_field => [qw('city' 'registered_at')],
    code_column => [qw('code')],
    uses_column => [qw('uses')],
    expires_column => [qw('expires')],
    source => [qw('incoming' 'A')],
    time_zone => [qw('Europe/Berlin' 'UTC')],
    schedule => ["'15 3 * * *'"],
    transaction => ['(SELECT id FROM loyalty.transactions ORDER BY random() LIMIT 1)'],
    hold => ['(SELECT id FROM loyalty.holds ORDER BY random() LIMIT 1)'],
    currency_scale => [qw(2)],
    time_out => ["'1 hour'"],
);

# Hostile values by type, as SQL. What takes long comes seldom: see huge below.
my @texts = (
    q{''}, q{' '}, q{'nobody'}, q{E'\n\t'}, q{E'\x01'}, q{''''}, q{'"'}, q{'\\'}, q{'%s%n%1$s'}, q{'$.a'}, q{'null'}, q{'NaN'}, q{'infinity'},
    q{'-1'}, q{'1e400'}, q{'{}'}, q('{"a": '), q{'{NULL}'}, q{'ctid'}, q{'tableoid'}, q{'loyalty.programs'}, q{'pg_catalog'}, q{'a.b.c'},
    q{repeat('x', 1000)}, q{repeat('é', 500)}, q{'ä'}, q{chr(127)}, q{'2026-02-30'}, q{'main'';--'}, q{'<script>'}, q{'$1'}, q{'*'}, q{'#'}, q{'?'}
);
my @numbers = qw(0 -1 1 0.005 -0.01 1e17 999999999999999999 1e18 -1e30 1e30 1e-30 0.1234567890123456789 100 99.99);
my @moments = (
    q{'infinity'}, q{'-infinity'}, q{'4714-11-24 00:00+00 BC'}, q{'294276-12-31 23:59:59.999999+00'}, q{'epoch'}, q{'2026-01-15 12:00+00'},
    q{'2026-02-01 00:00+00'}, q{'0001-01-01 00:00+00'}, q{'2026-03-29 01:00+00'}, q{'200000-01-01 00:00+00'}, q{'9999-12-31 23:59:59+00'}
);
my %hostile = (
    text => \@texts,
    name => [q{''}, q{'x'}, q{'ctid'}, q{'code'}, q{repeat('n', 63)}, q{'a b'}, q{'"'}],
    numeric => [@numbers, qw('NaN' 'Infinity' '-Infinity' 1e1000 -1e1000 1e-1000), q{repeat('9', 100000)::numeric}],
    integer => [qw(0 -1 1 2 10 1000 2147483647 -2147483648)],
    smallint => [qw(0 -1 1 32767 -32768)],
    bigint => [qw(0 -1 1 1000 9223372036854775807 -9223372036854775808)],
    boolean => [qw(true false)],
    'timestamp with time zone' => \@moments,
    date => [q{'infinity'}, q{'-infinity'}, q{'4713-01-01 BC'}, q{'5874897-12-31'}, q{'2026-02-28'}, q{'0001-01-01'}, q{'200000-01-01'}],
    'time without time zone' => [q{'00:00'}, q{'24:00'}, q{'23:59:59.999999'}],
    interval => [
        q{'0'}, q{'-1 day'}, q{'1 hour'}, q{'1 mon -1 day 1 us'}, q{'178000000 years'}, q{'-178000000 years'}, q{'2147483647 days'},
        q{'1 us'}, q{'10000 years'}
    ],
    uuid => [q{'00000000-0000-0000-0000-000000000000'}, q{'ffffffff-ffff-ffff-ffff-ffffffffffff'}, q{gen_random_uuid()}],
    jsonpath => [
        q{'$'}, q{'$.a'}, q{'strict $.sku'}, q{'$[*]'}, q{'$.** ? (@ like_regex "(a+)+$")'}, q{'$.price >= 1e1000'}, q{'$.sku == "x"'},
        q{'$.segments[*] == "books"'}, q{'exists($.balances)'}, q{'-$.price / 0'}, q{'$.x.datetime() > $.y'}, q{'last'}, q{'$.keyvalue()'},
        q{('$' || repeat('.a', 5000) || ' == 1')::jsonpath}, q{(repeat('(', 500) || '$.a == 1' || repeat(')', 500))::jsonpath}
    ],
    regclass => [
        q{0}, q{999999999}, q{'pg_class'}, q{'loyalty.members'}, q{'loyalty.programs_pkey'}, q{'incoming'}, q{'pg_stat_activity'}, q{'times'}
    ],
    xid8 => [q{'0'}, q{'18446744073709551615'}, q{'1'}],
    bytea => [q{''}, q{'\x00ff'}],
    jsonb => [
        q{'null'}, q{'[]'}, q{'{}'}, q{'""'}, q{'true'}, q{'1e131071'}, q{'-1e-1000'}, q{'[[]]'}, q{'[null]'}, q{'{"lines": null}'}, q{'{"": {"": []}}'},
        q{(repeat('[', 1000) || repeat(']', 1000))::jsonb}, q{(repeat('{"a":', 1000) || '1' || repeat('}', 1000))::jsonb},
        q{jsonb_build_object('lines', (repeat('[', 60) || repeat(']', 60))::jsonb)}
    ],
);
$hostile{regrole} = $hostile{regclass};

# A value of 10 MB, or nearly.
my %huge = (
    text => [q{repeat('x', 10000000)}, q{repeat('ä', 3000000)}, q{repeat('[', 1000000)}],
    jsonb => [
        q{to_jsonb(repeat('x', 10000000))}, q{(SELECT jsonb_agg(n) FROM generate_series(1, 500000) AS n)},
        q{jsonb_build_object('lines', (SELECT jsonb_agg(jsonb_build_object('product', 'pen', 'quantity', 1, 'id', n::text)) FROM generate_series(1, 5000) AS n))},
        q{(SELECT jsonb_object_agg('key' || n, '{}'::jsonb) FROM generate_series(1, 100000) AS n)}
    ],
    'text[]' => [q{array_fill('x'::text, ARRAY[100000])}, q{ARRAY[repeat('x', 10000000)]}],
);

sub new
{
    my ($class, $seed, $encoding) = @_;
    my $self = bless {state => $seed & 0x7fffffff, encoding => $encoding, documents => []}, $class;
    $self->below(2) for 1 .. 10;
    return $self;
}

# The same numbers from the same seed wherever Perl was built.
sub below
{
    my ($self, $limit) = @_;
    $self->{state} = ($self->{state} * 1103515245 + 12345) & 0x7fffffff;
    return int(($self->{state} >> 8) % $limit);
}

sub one_of
{
    my ($self, @from) = @_;
    return $from[$self->below(scalar @from)];
}

# Documents that are right, which are damaged.
sub learn
{
    my ($self, %documents) = @_;
    $self->{documents} = \%documents;
    return;
}

sub text
{
    my ($self) = @_;
    # Bytes that are no text: only a database without an encoding takes them.
    return $self->one_of(q{E'\xff\xfe'}, q{E'a\xc3'}, q{E'\xed\xa0\x80'}) if $self->{encoding} eq 'SQL_ASCII' && $self->below(8) == 0;
    return $self->one_of(q{'😀'}, q{'Ω≈ç'}, q{chr(1114111)}) if $self->{encoding} eq 'UTF8' && $self->below(12) == 0;
    return $self->one_of(@texts);
}

sub array
{
    my ($self, $type) = @_;
    my $element = $self->value($type);
    return $self->one_of(
        "'{}'::${type}[]", "'{NULL}'::${type}[]", "ARRAY[$element, NULL]::${type}[]", "ARRAY[[$element, $element], [$element, NULL]]::${type}[]",
        "array_fill(($element)::$type, ARRAY[3], ARRAY[-5])", "ARRAY[$element]::${type}[]", "array_fill(NULL::$type, ARRAY[1000])"
    );
}

# A value of the type, as an SQL expression that casts itself.
sub value
{
    my ($self, $type) = @_;
    return "NULL::$type" if $self->below(10) == 0;
    my $cast = $type;
    # Domains: texts.
    $type = 'text' if $type =~ /external_id|character varying/;
    $type =~ s/^numeric.*/numeric/;
    return $self->one_of(@{$huge{$type}}) . "::$cast" if $huge{$type} && $self->below(150) == 0;
    return $self->document() if $type eq 'jsonb' && $self->below(3) > 0;
    return $self->array($1) if $type =~ /^(.*)\[\]$/;
    return '(' . $self->text() . ")::$cast" if $type eq 'text';
    return '(' . $self->one_of(@{$hostile{$type} || [q{''}]}) . ")::$cast";
}

# A value for an argument or a column: mostly right where it is known what is.
sub value_for
{
    my ($self, $name, $type) = @_;
    my $right = $right{$name};
    return $self->one_of(@$right) . "::$type" if $right && $type !~ /\[\]/ && $self->below(4) > 0;
    return $self->document($name) if $type eq 'jsonb' && $self->below(5) > 0;
    return $self->value($type);
}

# A document, damaged at some place or none.
sub document
{
    my ($self, $name) = @_;
    my $of = $self->{documents}{$name && $self->{documents}{$name} ? $name : $self->one_of(sort keys %{$self->{documents}})};
    my $json = JSON::PP->new->canonical->allow_nonref;
    my $value = $json->decode($of);
    foreach (1 .. $self->below(3))
    {
        $value = $self->damaged($value);
    }
    my $text = $json->encode($value);
    # Numbers that Perl would round.
    $text =~ s/"~([^"]*)"/$1/g;
    return "\$j\$$text\$j\$::jsonb";
}

sub leaf
{
    my ($self) = @_;
    return $self->one_of(
        undef, '', 'x', 'main', 'ann', '~-1', '~0', '~1e40', '~1e-9', '~99999999999999999999', '~0.001', '~1e131071', '~true', [], {}, [undef], [[]], ['a', 'a'],
        {a => undef}, 'infinity', '2026-02-30', '2026-01-15T12:00:00', '294276-01-01T00:00:00Z', '-1 day', '178000000 years', 'x' x 5000,
        [map { {id => "$_"} } 1 .. 100], [('a') x 300], 'nobody', '~2147483648', '%s', '$.a', 'max', 'all'
    );
}

# The value with one place of it changed: another value, a key more, one less, one twice.
sub damaged
{
    my ($self, $value) = @_;
    if (ref $value eq 'HASH' && %$value)
    {
        my $key = $self->one_of(sort keys %$value);
        my $what = $self->below(8);
        if ($what == 0) { delete $value->{$key}; }
        elsif ($what == 1) { $value->{$self->one_of('', 'x', 'id', 'lines', 'parameters', 'fields')} = $self->leaf(); }
        else { $value->{$key} = $self->damaged($value->{$key}); }
        return $value;
    }
    if (ref $value eq 'ARRAY' && @$value)
    {
        my $place = $self->below(scalar @$value);
        if ($self->below(6) == 0) { push @$value, $value->[$place]; }
        else { $value->[$place] = $self->damaged($value->[$place]); }
        return $value;
    }
    return $self->leaf();
}

# A call of a function or procedure: {name, kind, arguments: [[name, type, has_default]...]}.
sub call
{
    my ($self, $function) = @_;
    my @given;
    foreach my $argument (@{$function->{arguments}})
    {
        my ($name, $type, $has_default) = @$argument;
        next if $has_default && $self->below(3) > 0;
        push @given, sprintf '"%s" => %s', $name, $self->value_for($name, $type);
    }
    my $call = sprintf '%s(%s)', $function->{name}, join ', ', @given;
    return $function->{kind} eq 'p' ? "CALL $call" : "SELECT * FROM $call";
}

# A statement that writes a row, or a column of all rows: {name, columns: [[name, type]...]}.
sub write_row
{
    my ($self, $table) = @_;
    my @columns = @{$table->{columns}};
    if ($self->below(3) > 0)
    {
        my ($name, $type) = @{$self->one_of(@columns)};
        return sprintf 'UPDATE loyalty.%s SET "%s" = %s', $table->{name}, $name, $self->value($type);
    }
    return "DELETE FROM loyalty.$table->{name}" if $self->below(6) == 0;
    my @given = grep { $self->below(4) > 0 } @columns;
    @given = @columns if !@given;
    return sprintf 'INSERT INTO loyalty.%s (%s) VALUES (%s)', $table->{name}, join(', ', map { qq{"$_->[0]"} } @given),
        join(', ', map { $self->value_for(@$_) } @given);
}

# A value that is as right as can be.
sub right_for
{
    my ($self, $name, $type) = @_;
    return $right{$name}[0] . "::$type" if $right{$name};
    return "\$j\$$self->{documents}{$name}\$j\$::jsonb" if $type eq 'jsonb' && $self->{documents}{$name};
    return $hostile{$type} ? "($hostile{$type}[-1])::$type" : "NULL::$type";
}

1;
