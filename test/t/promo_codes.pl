# Promo codes under concurrency: none is used more often than it may be, or attached to two profiles.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('promo_codes');
$node->init;
$node->append_conf('postgresql.conf', "log_statement = none\nlog_min_messages = panic\nfsync = off");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION loyalty;
    SELECT loyalty_create_schema();
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
    INSERT INTO loyalty.profiles (key) SELECT 'p' || number FROM generate_series(1, 60) AS number;
    INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, max_uses, max_uses_per_member)
    VALUES ('main', 'universal', 'Universal', 'universal', 100, 3), ('main', 'personal', 'Personal', 'personal', NULL, NULL);
    INSERT INTO loyalty.promo_codes (code, program, pool) VALUES ('ALL', 'main', 'universal');
    SELECT loyalty_generate_promo_codes('main', 'personal', '??????', 40);
    -- What a client got, or the SQLSTATE.
    CREATE TABLE answers (call text, profile text, answer text);
    CREATE FUNCTION try(call text, profile text) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        answer text;
    BEGIN
        IF call = 'activate' THEN
            answer := loyalty_activate_promo_code('main', profile, 'all');
        ELSIF call = 'repeat' THEN
            answer := loyalty_activate_promo_code('main', profile, 'all', 'once');
        ELSE
            answer := loyalty_attach_promo_code('main', profile, 'personal');
        END IF;
        INSERT INTO answers VALUES (call, profile, answer);
    EXCEPTION WHEN SQLSTATE 'LY637' OR SQLSTATE 'LY634' THEN
        INSERT INTO answers VALUES (call, profile, SQLSTATE);
    END
    $$;
});

for my $level ('read committed', 'repeatable read') {
    $node->pgbench(
        '--no-vacuum --client=32 --jobs=2 --time=4 --max-tries=1000 postgres', 0,
        [qr/number of failed transactions: 0 /], [qr/^$/],
        "32 clients, $level",
        {
            map { ("$_ $level" =~ s/ /_/gr) => qq{
                \\set profile random(1, 60)
                BEGIN ISOLATION LEVEL $level;
                SELECT try('$_', 'p' || :profile);
                COMMIT;
            } } qw(activate repeat attach)
        });
}

my $count = sub { $node->safe_psql('postgres', "SELECT $_[0]") };
is($count->("uses FROM loyalty.promo_codes WHERE code = 'ALL'"), 100, 'a code with 100 uses is used 100 times');
is($count->("count(*) FROM loyalty.promo_code_uses"), 100, 'each use is on record');
is($count->("count(*) FROM (SELECT FROM loyalty.promo_code_uses GROUP BY buyer HAVING count(*) > 3) AS more"), 0, 'none more than three by one profile');
is($count->("count(*) FROM (SELECT FROM loyalty.promo_code_uses WHERE external_id = 'once' GROUP BY buyer HAVING count(*) > 1) AS more"),
    0, 'a repeated use is one');
cmp_ok($count->("count(*) FROM answers WHERE answer = 'LY637'"), '>', 0, 'some came too late');
is($count->("count(*) FROM loyalty.promo_codes WHERE profile IS NOT NULL"), 40, 'all 40 personal codes are attached');
is($count->("count(*) FROM (SELECT FROM loyalty.promo_codes WHERE profile IS NOT NULL GROUP BY profile HAVING count(*) > 1) AS more"),
    0, 'one to a profile, however often it asked');
is($count->(q{count(*) FROM (SELECT FROM answers WHERE call = 'attach' AND answer <> 'LY634' GROUP BY profile HAVING count(DISTINCT answer) > 1) AS more}),
    0, 'and each answer told the same');
cmp_ok($count->("count(*) FROM answers WHERE answer = 'LY634'"), '>', 0, 'the others were told that none is left');

done_testing();
