# A program with names, keys and categories beyond ASCII, in databases of several encodings: the client sees the same.
use strict;
use warnings;
use utf8;

use Encode qw(encode);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('encodings');
$node->init;
$node->start;

# Everything here is in Latin 1.
my $script = encode('UTF-8', q{
    \set VERBOSITY verbose
    \set SHOW_CONTEXT never
    SET client_min_messages = warning;
    CREATE EXTENSION loyalty;
    SELECT loyalty_create_schema();
    -- Versions hold the moments of activation.
    SELECT loyalty_set_clock('2026-01-15 12:00+01');
    CREATE TABLE "Kunden" ("Schlüssel" text PRIMARY KEY);
    INSERT INTO "Kunden" VALUES ('Günter');
    INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column) VALUES ('Kunden-ä', 'Käufer', '"Kunden"', 'Schlüssel');
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('Treueprämie', 'Prämie', 'Kunden-ä', 'EUR', 'Europe/Berlin', true);
    INSERT INTO loyalty.point_types (program, external_id, name, ratio, active) VALUES ('Treueprämie', 'Öre', 'Öre', 100, true);
    INSERT INTO loyalty.order_statuses (external_id, name, position, kind) VALUES ('später', 'Später', 10, 'open');
    INSERT INTO loyalty.channels (program, external_id, name) VALUES ('Treueprämie', 'Straße', 'Straße');
    INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('Günter', 'Treueprämie', loyalty.clock());
    INSERT INTO loyalty.products (program, sku, name, price, categories, fields)
    VALUES ('Treueprämie', 'Größe-XL', 'Hemd Größe XL', 50, '{Wäsche}', '{"Maß": "groß"}'), ('Treueprämie', 'Groesse-L', 'Hemd', 40, '{}', '{"Maß": "groß"}');
    INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('Treueprämie', 'Wäsche', 'Wäsche', '$.categories[*] == "Wäsche" || $.fields."Maß" == "klein"');
    INSERT INTO loyalty.product_segments (program, external_id, name, kind) VALUES ('Treueprämie', 'Müll', 'Müll', 'static');
    INSERT INTO loyalty.product_segment_members (program, segment, sku) VALUES ('Treueprämie', 'Müll', 'Tüte');
    INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('Treueprämie', 'Frühling', 'Frühlingsrabatt', 'discount', 'active', 'everyone'), ('Treueprämie', 'Öre', 'Öre für alle', 'points', 'active', 'members');
    INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
    VALUES ('Treueprämie', 'Frühling', 'in', '{Wäsche,Müll}'), ('Treueprämie', 'Öre', 'all', '{}');
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('Treueprämie', 'Frühling', 1, 'discount', '{"percent": 10}'), ('Treueprämie', 'Öre', 1, 'accrue_points', '{"point_type": "Öre", "percent": 1, "credit_on": "später"}');
    SELECT loyalty_apply('Treueprämie');
    CREATE TABLE orders AS SELECT '{"external_id": "Bestellung №", "program": "Treueprämie", "member": "Günter", "channel": "Straße", "redeem": [{"points": "Öre", "amount": "max"}], "promo_codes": ["Ü30"],
        "lines": [{"id": "ß", "product": "Größe-XL", "quantity": 2}, {"id": "Z", "product": "Groesse-L", "quantity": 1}, {"id": "é", "product": "Tüte", "quantity": 1, "price": 0.1},
            {"id": "ÿ", "product": "Groesse-L", "quantity": 1, "fields": {"Maß": "klein"}}]}'::jsonb AS document;
    SELECT loyalty_calculate(document) FROM orders;
    SELECT loyalty_explain(document) FROM orders;
    -- Line order is that of the bytes in UTF-8, whatever the database's encoding.
    SELECT jsonb_path_query_array(loyalty_calculate(document), '$.operations[*].line') FROM orders;
    SELECT loyalty_calculate(document || '{"member": "Günther"}') FROM orders;
    SELECT loyalty_calculate(document || '{"channel": "Strasse"}') FROM orders;
    SELECT loyalty_calculate(document || '{"Währung": "EUR"}') FROM orders;
    SELECT loyalty_calculate(document || '{"program": "Prämie"}') FROM orders;
    SELECT loyalty_calculate(document || jsonb_build_object('time', repeat('ä', 100))) FROM orders;
    SELECT loyalty_calculate(document || jsonb_build_object('status', repeat('ä', 5000))) FROM orders;
    SELECT loyalty_calculate('{"lines": [{"product": "Nürnberg", "quantity": 1}]}');
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters) VALUES ('Treueprämie', 'Frühling', 1, 'discount', '{"Prozent": "fünf", "percent": 5}');
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters) VALUES ('Treueprämie', 'Frühling', 1, 'Rabätt', '{}');
    SELECT loyalty_apply('Prämie');
    SELECT loyalty_product_document('Größe', 'Größe', 1, 2, '{Wäsche,NULL}', 'Müller', '{"Maß": "groß"}');
    SELECT tree FROM loyalty.promotion_drafts;
});
# Latin 1 has no numero sign.
$script =~ s/ \xe2\x84\x96//;

my %seen;
foreach my $encoding ('UTF8', 'LATIN1', 'LATIN9', 'WIN1252', 'SQL_ASCII')
{
    $node->safe_psql('postgres', qq{CREATE DATABASE "$encoding" ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0});
    # A database without an encoding takes the client's bytes as they are.
    my $client = $encoding eq 'SQL_ASCII' ? '' : "SET client_encoding = 'UTF8';\n";
    my ($status, $output, $errors) = $node->psql($encoding, $client . $script, on_error_stop => 0);
    $errors =~ s/^psql:<stdin>:\d+: //mg;
    # The place in the server's source.
    $errors =~ s/^LOCATION:.*\n?//mg;
    $seen{$encoding} = "$output\n$errors";
}

my $utf8 = $seen{UTF8};
note($utf8);
my ($ae, $oe, $sz) = map { encode('UTF-8', $_) } 'ä', 'ö', 'ß';
like($utf8, qr/"total": 90\.00, "product": "Gr$oe$sz/, 'a product beyond ASCII is found, and its category with it');
unlike($utf8, qr/"buyer": "(guest|anonymous)"/, 'so is the member');
is(() = $utf8 =~ /^ERROR: /mg, 10, 'ten errors');
like($utf8, qr/ERROR:  LY102: .*\nDETAIL:  At \$\.time, the value is "($ae){10,}/, 'errors show the text');
is($seen{$_}, $utf8, "$_ gives the same") foreach 'LATIN1', 'LATIN9', 'WIN1252', 'SQL_ASCII';

done_testing();
