# Statements that find rows by their keys do so whatever the tables hold: the plans of a session whose first statements found
# every table empty, vacuumed and analysed, and of one that found them filled, use whole keys. What is read is what the server
# says of every statement that the functions run, by auto_explain.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('keyed_plans');
$node->init;
$node->append_conf('postgresql.conf', "log_statement = none\nlog_min_messages = panic\nautovacuum = off");
$node->start;

# Columns of keys whose values grow in number with the business: none of them may be compared behind an index, only in it.
my $growing = join '|', qw(member buyer profile order_id line seq hold code sku id);
my $program = q{
    CREATE EXTENSION loyalty;
    SELECT loyalty_create_schema();
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
    INSERT INTO loyalty.point_types (program, external_id, name, ratio, scale, active) VALUES ('main', 'bonus', 'Bonus', 1, 2, true);
    INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('main', 'club', 'Club', 'dynamic');
    INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate)
    VALUES ('main', 'regular', 'club', 'Regular', '$.orders.count > 1');
    INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind) VALUES ('main', 'all', 'For all', 'universal');
    INSERT INTO loyalty.promo_codes (code, program, pool) VALUES ('ALL', 'main', 'all');
    INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience, promo_code_pool, max_uses_per_member)
    VALUES
        ('main', 'code', 'Behind the code', 'discount', 'active', 'everyone', 'all', NULL),
        ('main', 'some', 'Ten orders', 'discount', 'active', 'members', NULL, 10),
        ('main', 'earn', 'Points', 'points', 'active', 'members', NULL, NULL),
        ('main', 'pay', 'Pay with points', 'points', 'active', 'members', NULL, NULL);
    INSERT INTO loyalty.promotion_conditions (program, promotion) SELECT program, external_id FROM loyalty.promotions;
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES
        ('main', 'code', 1, 'discount', '{"amount": 1}'),
        ('main', 'some', 1, 'discount', '{"percent": 7}'),
        ('main', 'earn', 1, 'accrue_points', '{"point_type": "bonus", "percent": 10}'),
        ('main', 'pay', 1, 'points_discount', '{"point_type": "bonus", "percent": 50}');
    SELECT loyalty_apply('main');
    CREATE FUNCTION basket(id text, who text) RETURNS jsonb LANGUAGE sql AS $$
        SELECT jsonb_build_object('external_id', id, 'member', who, 'promo_codes', '["all"]'::jsonb,
            'redeem', '[{"points": "bonus", "amount": "max"}]'::jsonb,
            'lines', '[{"id": "a", "product": "cup", "quantity": 2, "price": 30}, {"id": "b", "product": "pot", "quantity": 1, "price": 40}]'::jsonb)
    $$;
};

# A day of the shop, for one member.
sub day
{
    my ($who) = @_;
    return qq{
        INSERT INTO loyalty.profiles (key) VALUES ('$who');
        SELECT loyalty_enrol('$who', 'main');
        SELECT loyalty_accrue('$who', 'main', 'bonus', 100, external_id => '$who-1');
        INSERT INTO loyalty.transactions (member, program, point_type, type, value) VALUES ('$who', 'main', 'bonus', 'accrual', 10);
        SELECT loyalty_redeem('$who', 'main', 'bonus', 5, external_id => '$who-2');
        SELECT count(*) FROM loyalty_book('main', '[{"member": "$who", "point_type": "bonus", "type": "accrual", "value": 9, "external_id": "$who-5"},
            {"member": "$who", "point_type": "bonus", "type": "redemption", "value": -2, "external_id": "$who-6"}]');
        SELECT loyalty_hold('$who', 'main', 'bonus', 'redemption', 20, '1 hour', external_id => '$who-3');
        SELECT loyalty_commit('$who', 'main', external_id => '$who-3');
        SELECT loyalty_hold('$who', 'main', 'bonus', 'redemption', 10, '1 hour', external_id => '$who-4');
        SELECT loyalty_rollback('$who', 'main', external_id => '$who-4');
        SELECT loyalty_cancel('$who', 'main', external_id => '$who-2');
        SELECT loyalty_calculate(basket('quote', '$who'));
        SELECT loyalty_place_order(basket('$who-order', '$who'));
        SELECT loyalty_place_order(basket('$who-order', '$who'));
        SELECT loyalty_place_order(basket('$who-other', '$who'));
        SELECT loyalty_set_order_status('main', '$who-order', 'delivered');
        SELECT loyalty_return_items('main', '$who-order', '[{"id": "a", "quantity": 1}]', '$who-return');
        SELECT loyalty_cancel_order('main', '$who-other');
        SELECT * FROM loyalty_balance('$who', 'main');
        SELECT * FROM loyalty_tier('$who', 'main');
    };
}

# What auto_explain says of each statement within these: [its text, its plan].
sub plans
{
    my ($database, $statements) = @_;
    my $settings = q{
        LOAD 'auto_explain';
        SET auto_explain.log_min_duration = 0;
        SET auto_explain.log_nested_statements = on;
        SET client_min_messages = log;
    };
    my ($status, undef, $said) = $node->psql($database, $settings . $statements, on_error_stop => 1);
    is($status, 0, "$database: the day passes") or diag($said =~ /(^.*ERROR:.*$)/m);
    my @plans;
    foreach my $report (split /^.*LOG:  duration: .*plan:\n/m, $said)
    {
        push @plans, [$1, $2] if $report =~ /\A\s*Query Text: (.*?)\n(\s*[A-Z].*)\z/s;
    }
    return @plans;
}

# What is wrong with a plan; nothing where all is well.
sub complaint
{
    my ($text, $plan) = @_;
    # What the test itself, or a customer, writes is planned as PostgreSQL likes.
    return if $text !~ /\bloyalty"?\."?\w/ || $text =~ /^\s*(INSERT INTO loyalty\.(profiles|transactions) .* VALUES \('|SELECT \* FROM loyalty_)/s;
    return "it reads a table from end to end: $1" if $plan =~ /(Seq Scan on (?!unnest)\w+.*)/;
    foreach my $filter ($plan =~ /(?:Join )?Filter: (.*)/g)
    {
        foreach my $column ($filter =~ /\b($growing)\)?(?:::text)? = /g)
        {
            # An id is a key by itself; the codes of one person are few.
            next if $plan =~ /Index Cond: \(id = /;
            next if $column eq 'order_id' && $plan =~ /using promo_codes_of_profile/;
            return "it compares $column behind the index: $filter" if $plan !~ /Index Cond: .*\b$column\)?(?:::text)? = /;
        }
    }
    return;
}

sub check
{
    my ($title, @plans) = @_;
    my %complaints;
    foreach my $plan (@plans)
    {
        my $complaint = complaint(@$plan);
        $complaints{"$complaint\n  in: " . substr($plan->[0], 0, 300)}++ if defined $complaint;
    }
    cmp_ok(scalar @plans, '>', 100, "$title: " . @plans . ' plans were seen');
    is(join("\n", sort keys %complaints), '', "$title: each reads by whole keys");
}

# The test can fail.
like(complaint('SELECT FROM loyalty.orders', 'Seq Scan on orders o'), qr/end to end/, 'a scan would be found');
like(complaint('SELECT FROM loyalty.orders o', "Nested Loop\n  Join Filter: (i.buyer = o.buyer)"), qr/behind the index/, 'half a key would be found');
like(complaint('SELECT 1 FROM ONLY "loyalty"."orders" x WHERE "buyer" = $1 FOR KEY SHARE OF x', 'Seq Scan on orders x'), qr/end to end/,
    'so would the scan of a foreign key');

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', $program);
check('never vacuumed', plans('fresh', day('m1')));

$node->safe_psql('postgres', 'CREATE DATABASE empty');
$node->safe_psql('empty', $program);
$node->safe_psql('empty', 'VACUUM ANALYZE');
check('vacuumed empty', plans('empty', day('m1')));

# A session that met small tables keeps to its plans when they have grown.
$node->safe_psql('fresh', join '', map { day("n$_") } 1 .. 60);
$node->safe_psql('fresh', 'VACUUM ANALYZE');
check('filled and analysed', plans('fresh', day('m2')));

# Many members are locked by their keys, too, although they are nearly all that there are.
my @locks = grep { $_->[0] =~ /loyalty\.members .*FOR NO KEY UPDATE/s } plans('fresh', q{
    SELECT count(*) FROM loyalty_book('main', (SELECT jsonb_agg(jsonb_build_object('member', 'n' || number, 'point_type', 'bonus',
        'type', 'accrual', 'value', 1)) FROM generate_series(1, 60) AS number));
});
cmp_ok(scalar @locks, '>', 0, 'many are locked');
is(join("\n", grep { defined } map { complaint(@$_) } @locks), '', 'they are locked by whole keys');
is($node->safe_psql('fresh', 'SELECT * FROM loyalty_verify()'), '', 'and all is as it should be');

# The statements of the second order of a session, those of PostgreSQL's foreign keys among them: with five lines, that pays with
# points and earns some; a code is used, uses are counted, a dynamic tier is judged.
my @orders = split /Query Text: SELECT loyalty_place_order/,
    join '', map { "Query Text: $_->[0]\n" } plans('fresh', join '', map {
        qq{SELECT loyalty_place_order(basket('count-$_', 'm2') || jsonb_build_object('lines', (SELECT jsonb_agg(jsonb_build_object('product', 'cup', 'quantity', 1, 'price', n)) FROM generate_series(1, 5) n)));\n}
    } 1, 2);
my $statements = () = $orders[1] =~ /Query Text: /g;
cmp_ok($statements, '<=', 33, "$statements statements place an order");

$node->stop;
done_testing();
