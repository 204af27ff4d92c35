# Every function for orders, called for the same orders by many sessions at once, while the server is stopped in the middle
# and started again; then everything is asked once more. Whatever was answered or lost, each request has one effect.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('orders');
$node->init;
$node->append_conf('postgresql.conf', "log_statement = none\nfsync = on\nsynchronous_commit = on\nrecovery_init_sync_method = syncfs");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION loyalty;
    SELECT loyalty_create_schema();
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
    INSERT INTO loyalty.point_types (program, external_id, name, ratio, scale, active) VALUES ('main', 'bonus', 'Bonus', 1, 2, true);
    INSERT INTO loyalty.profiles (key) SELECT 'm' || number FROM generate_series(0, 4) AS number;
    INSERT INTO loyalty.members (member, program, enrolled_at) SELECT key, 'main', loyalty.clock() FROM loyalty.profiles;
    INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('main', 'pay', 'Pay', 'points', 'active'), ('main', 'earn', 'Earn', 'points', 'active');
    INSERT INTO loyalty.promotion_conditions (program, promotion, level)
    VALUES ('main', 'pay', 'order'), ('main', 'earn', 'product'), ('main', 'earn', 'order');
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'pay', 1, 'points_discount', '{"point_type": "bonus", "percent": 30}'),
        ('main', 'earn', 1, 'accrue_points', '{"point_type": "bonus", "percent": 10, "credit_on": "delivered"}'),
        ('main', 'earn', 2, 'accrue_points', '{"point_type": "bonus", "points": 1}');
    SELECT loyalty_apply('main');
    SELECT loyalty_accrue(member, 'main', 'bonus', 5000) FROM loyalty.members;

    -- Request number n is always the same: one of six for an order of n / 6. What it meets depends on who came first.
    CREATE FUNCTION ask(number integer) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
        id CONSTANT text := 'O-' || number / 6;
    BEGIN
        CASE number % 6
            WHEN 0 THEN
                PERFORM loyalty_place_order(jsonb_strip_nulls(jsonb_build_object(
                    'external_id', id, 'shipping', 5,
                    'member', CASE WHEN number / 6 % 4 > 0 THEN 'm' || number / 6 % 5 END,
                    'redeem', '[{"points": "bonus", "amount": "max"}]'::jsonb,
                    'lines', '[{"id": "a", "product": "x", "quantity": 3, "price": 3.33}, {"id": "b", "product": "y", "quantity": 7, "price": 0.99}]'::jsonb
                )));
            WHEN 1 THEN PERFORM loyalty_set_order_status('main', id, 'delivered');
            WHEN 2 THEN PERFORM loyalty_return_items('main', id, '[{"id": "a", "quantity": 1}, {"id": "b", "quantity": 2}]', 'R-1');
            WHEN 3 THEN PERFORM loyalty_return_items('main', id, '[{"id": "b", "quantity": 4}]', 'R-2', true);
            WHEN 4 THEN
                IF number / 6 % 3 = 0 THEN
                    PERFORM loyalty_cancel_order('main', id);
                END IF;
            ELSE PERFORM loyalty_import_orders(format(
                '[{"external_id": "I-%s", "member": "m1", "lines": [{"product": "x", "quantity": 1, "price": 2}]}]', number)::jsonb);
        END CASE;
        RETURN 'done';
    EXCEPTION
        -- There is no order yet, it is closed, or it has too little left.
        WHEN SQLSTATE 'LY604' OR SQLSTATE 'LY605' OR SQLSTATE 'LY607' THEN
            RETURN SQLSTATE;
    END
    $$;
});

sub check
{
    my ($when) = @_;
    is($node->safe_psql('postgres', 'SELECT * FROM loyalty_verify()'), '', "$when: every invariant holds");
    is($node->safe_psql('postgres', q{
        SELECT count(*) FROM (
            SELECT data ->> 'order' FROM loyalty.events WHERE type = 'order_placed' GROUP BY 1 HAVING count(*) > 1) AS twice}),
        0, "$when: each order was placed once");
    is($node->safe_psql('postgres', q{
        SELECT count(*) FROM loyalty.orders WHERE origin = 'placed' AND NOT EXISTS (
            SELECT FROM loyalty.events WHERE type = 'order_placed' AND data ->> 'order' = external_id)}),
        0, "$when: and is known to the outbox");
}

my $script = $node->basedir . '/ask.sql';
append_to_file($script, '\set number random(0, 299)' . "\n" . 'SELECT ask(:number);' . "\n");
for my $round (1 .. 3)
{
    my ($in, $out, $err) = ('', '', '');
    my $load = IPC::Run::start(
        [ 'pgbench', '--no-vacuum', '--client=8', '--jobs=2', '--time=30', "--file=$script", $node->connstr('postgres') ],
        \$in, \$out, \$err);
    $node->poll_query_until('postgres', "SELECT count(*) >= 30 * $round FROM loyalty.orders") or die 'the load does not get on';
    $node->stop('immediate');
    $load->finish;
    $node->start;
    unlike($err, qr/ERROR:  (?!.*(?:terminat|shut))/, "round $round: nothing but the stop disturbed the load");
    check("after stop $round");
}

# All at once, once more, until everything has been asked: the answers of those who come second are the first ones.
$node->pgbench('--no-vacuum --client=8 --jobs=2 --transactions=120 postgres', 0,
    [qr{processed: 960/960}], [qr{^(?!.*ERROR)}s], 'everything is asked again', { '001_ask' => '\set number random(0, 299)' . "\nSELECT ask(:number);" });
$node->safe_psql('postgres', 'SELECT ask(number) FROM generate_series(0, 299) AS number');
my $count = q{SELECT (SELECT count(*) FROM loyalty.transactions), (SELECT count(*) FROM loyalty.order_returns), (SELECT count(*) FROM loyalty.events)};
my $before = $node->safe_psql('postgres', $count);
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT ask(number), ' ') FROM generate_series(0, 299, 6) AS number}),
    'done', 'every order was placed');
$node->safe_psql('postgres', 'SELECT ask(number) FROM generate_series(0, 299) AS number');
is($node->safe_psql('postgres', $count), $before, 'asked once more, nothing changes');
check('in the end');
is($node->safe_psql('postgres', q{SELECT count(*) FROM loyalty.orders}), 100, 'fifty orders were placed, fifty imported');
$node->stop;

done_testing();
