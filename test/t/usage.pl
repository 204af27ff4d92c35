# Promo codes and usage limits of orders under concurrency: 32 sessions place and cancel orders that want the same code and
# the same budget. USAGE_SECONDS says how long each level takes; default 10.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use LedgerClients;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{USAGE_SECONDS} // 10;
my $node = PostgreSQL::Test::Cluster->new('usage');
$node->init;
$node->append_conf('postgresql.conf', "log_statement = none\nlog_min_messages = panic\nfsync = off\nmax_connections = 100");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION loyalty;
    SELECT loyalty_create_schema();
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
    INSERT INTO loyalty.point_types (program, external_id, name, ratio, scale, active) VALUES ('main', 'bonus', 'Bonus', 1, 2, true);
    INSERT INTO loyalty.profiles (key) SELECT 'm' || number FROM generate_series(0, 39) AS number;
    INSERT INTO loyalty.members (member, program, enrolled_at) SELECT key, 'main', loyalty.clock() FROM loyalty.profiles;
    INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, max_uses)
    VALUES ('main', 'all', 'For all', 'universal', 100), ('main', 'own', 'Personal', 'personal', NULL);
    INSERT INTO loyalty.promo_codes (code, program, pool) VALUES ('ALL', 'main', 'all'), ('MINE', 'main', 'own');
    SELECT loyalty_attach_promo_code('main', 'm1', 'own', 'MINE');
    INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience, promo_code_pool, max_uses, max_uses_per_member, money_budget, points_budget)
    VALUES
        ('main', 'code', 'Behind the code', 'discount', 'active', 'everyone', 'all', NULL, NULL, NULL, NULL),
        ('main', 'own', 'Behind a code of his own', 'discount', 'active', 'everyone', 'own', NULL, NULL, NULL, NULL),
        ('main', 'money', '500.05 in all', 'discount', 'active', 'everyone', NULL, NULL, NULL, 500.05, NULL),
        ('main', 'points', '333 points in all', 'points', 'active', 'members', NULL, NULL, NULL, NULL, 333),
        ('main', 'uses', '77 orders, two of each member', 'discount', 'active', 'everyone', NULL, 77, 2, NULL, NULL);
    INSERT INTO loyalty.promotion_conditions (program, promotion) SELECT program, external_id FROM loyalty.promotions;
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES
        ('main', 'code', 1, 'discount', '{"amount": 1}'),
        ('main', 'own', 1, 'discount', '{"amount": 1}'),
        ('main', 'money', 1, 'discount', '{"percent": 7}'),
        ('main', 'points', 1, 'accrue_points', '{"point_type": "bonus", "percent": 10}'),
        ('main', 'uses', 1, 'discount', '{"amount": 1}');
    SELECT loyalty_apply('main');
    CREATE SEQUENCE order_number;
    CREATE FUNCTION place(who integer) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
        number CONSTANT bigint := nextval('order_number');
    BEGIN
        PERFORM loyalty_place_order(jsonb_strip_nulls(jsonb_build_object(
            'external_id', 'O-' || number, 'member', CASE WHEN who < 40 THEN 'm' || who END, 'promo_codes', '["all"]'::jsonb,
            'lines', jsonb_build_array(jsonb_build_object('product', 'x', 'quantity', 1 + number % 3, 'price', 12.34)))));
        RETURN number;
    END
    $$;
    -- Half of an order, or all of it, comes back: one of those that were placed, however few a busy machine has managed.
    CREATE FUNCTION give_back(any_number bigint) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        number CONSTANT bigint := 1 + any_number % (SELECT last_value FROM order_number);
    BEGIN
        IF number % 2 = 0 THEN
            PERFORM loyalty_cancel_order('main', 'O-' || number);
        ELSE
            PERFORM loyalty_return_items('main', 'O-' || number, '[{"id": "00001", "quantity": 0.5}]', 'R-1');
        END IF;
    -- It is not there, or was cancelled.
    EXCEPTION WHEN SQLSTATE 'LY604' OR SQLSTATE 'LY605' OR SQLSTATE 'LY607' THEN
        NULL;
    END
    $$;
});

my $one = sub { $node->safe_psql('postgres', "SELECT $_[0]") };
my @limits = (
    [ 'uses of the code', "uses <= 100 FROM loyalty.promo_codes WHERE code = 'ALL'" ],
    [ 'money', "money <= 500.05 FROM loyalty.promotion_counters WHERE promotion = 'money'" ],
    [ 'points', "points <= 333 FROM loyalty.promotion_counters WHERE promotion = 'points'" ],
    [ 'uses', "uses <= 77 FROM loyalty.promotion_counters WHERE promotion = 'uses'" ],
    [ 'uses by one member', q{coalesce(max(count), 0) <= 2 FROM (
        SELECT count(*) FROM loyalty.promotion_uses WHERE promotion = 'uses' AND freed_at IS NULL GROUP BY buyer) AS of_buyer} ]);

for my $level ('read committed', 'repeatable read') {
    my %scripts = (
        'place@3' => "BEGIN ISOLATION LEVEL $level; SELECT place(:who); COMMIT;",
        'back@2' => "BEGIN ISOLATION LEVEL $level; SELECT give_back(:number); COMMIT;");
    $node->pgbench(
        "--no-vacuum --client=32 --jobs=2 --time=$seconds --max-tries=10000 postgres", 0,
        [qr/number of failed transactions: 0 /], [qr/^$/], "32 clients, $level",
        { map { ($_ =~ s/^/substr($level, 0, 4) . '_'/er => "\\set who random(0, 44)\n\\set number random(1, 4000)\n$scripts{$_}\n") } keys %scripts });
    is($one->($_->[1]), 't', "$level: $_->[0] within the limit") for @limits;
    is($node->safe_psql('postgres', 'SELECT * FROM loyalty_verify()'), '', "$level: every invariant holds");
    cmp_ok($one->("count(*) FROM loyalty.promo_code_uses WHERE freed_at IS NOT NULL"), '>', 0, "$level: uses came back");
}

# With nothing coming back any more, everything is used up, to the last use, cent and point.
$node->pgbench('--no-vacuum --client=32 --jobs=2 --transactions=10 postgres', 0, [qr{processed: 320/320}], [qr/^$/],
    'more orders than there are uses', { '003_fill' => "\\set who random(0, 44)\nSELECT place(:who);\n" });
is($one->("uses FROM loyalty.promo_codes WHERE code = 'ALL'"), 100, 'a code with 100 uses is used exactly 100 times');
is($one->("money FROM loyalty.promotion_counters WHERE promotion = 'money'"), '500.05', 'a budget of money is used to the cent');
is($one->("points FROM loyalty.promotion_counters WHERE promotion = 'points'"), '333.00', 'a budget of points to the point');
is($one->("uses FROM loyalty.promotion_counters WHERE promotion = 'uses'"), 77, '77 orders had the promotion for 77');
is($node->safe_psql('postgres', 'SELECT * FROM loyalty_verify()'), '', 'every invariant holds');
is($one->("bool_and(loyalty_reprice_order('main', external_id) = result) FROM loyalty.orders"), 't',
    'every order is priced again as it was, whatever was left at its time');

# One personal code in two connections: one order, one clear error.
my $clients = LedgerClients->new($node, 2);
my $order = q~SELECT loyalty_place_order('{"external_id": "P-%s", "member": "m1", "promo_codes": ["mine"], "expected_total": 9,~
    . q~ "lines": [{"product": "x", "quantity": 1, "price": 10}]}')~;
$clients->ask_all(map { { sql => sprintf($order, $_), expects => { LY602 => 1 } } } 1 .. 2);
is(join("\n", @{ $clients->{surprises} }), '', 'nothing else was raised');
is($clients->{told}{LY602}, 1, 'one is told that the total is another');
is($one->("count(*) FROM loyalty.orders WHERE external_id LIKE 'P-%'"), 1, 'one order has the code');
is($one->("uses FROM loyalty.promo_codes WHERE code = 'MINE'"), 1, 'which is used once');
$clients->close_all;
$node->stop;

done_testing();
