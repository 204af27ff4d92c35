-- Promo codes: generated, imported, attached, activated, expired.
SET client_min_messages = warning;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.profiles (key) VALUES ('ann'), ('bob');
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, max_uses, max_uses_per_member,
    code_validity_count, code_validity_unit)
VALUES ('main', 'birthday', 'Birthday', 'personal', NULL, NULL, 1, 'month'),
    ('main', 'summer', 'Summer', 'universal', 3, 2, NULL, NULL);
SELECT loyalty_set_clock('2026-01-31 12:00 Europe/Berlin');

-- From a mask: all of them fit it, no two are equal, also where it has hardly more than are asked for.
SELECT loyalty_generate_promo_codes('main', 'birthday', 'BDAY-**?#', 5000);
SELECT count(*), count(*) FILTER (WHERE code ~ '^BDAY-[A-HJ-NP-Z2-9]{2}[A-HJ-NP-Z][0-9]$') AS fit
    FROM loyalty.promo_codes;
SELECT loyalty_generate_promo_codes('main', 'summer', 'SUN##', 97);
SELECT loyalty_generate_promo_codes('main', 'summer', 'SUN##', 3);
SELECT count(*), min(code), max(code) FROM loyalty.promo_codes WHERE pool = 'summer';
-- Repeated under an external id: made once.
SELECT loyalty_generate_promo_codes('main', 'summer', 'MOON##', 10, external_id => 'batch-1'),
    loyalty_generate_promo_codes('main', 'summer', 'MOON##', 10, external_id => 'batch-1');
SELECT count(*) FROM loyalty.promo_codes WHERE code LIKE 'MOON%';
SELECT loyalty_generate_promo_codes('main', 'summer', 'MOON##', 11, external_id => 'batch-1');
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_generate_promo_codes('main', 'summer', 'SUN##', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_generate_promo_codes('main', 'summer', 'X#', 11);
SELECT loyalty_generate_promo_codes('main', 'summer', 'a b', 1);
SELECT loyalty_generate_promo_codes('main', 'summer', '', 1);
SELECT loyalty_generate_promo_codes('main', 'summer', repeat('#', 101), 1);
SELECT loyalty_generate_promo_codes('main', 'summer', '####', 0);
SELECT loyalty_generate_promo_codes('main', 'winter', '####', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_generate_promo_codes('other', 'winter', '####', 1);
SELECT loyalty_generate_promo_codes('main', NULL, '####', 1);

-- From a table that COPY filled.
CREATE TABLE imported (code text);
COPY imported FROM stdin;
vip-1
 VIP-2 
vip-1
SUN00
two words

\N
\.
SELECT * FROM loyalty_import_promo_codes('main', 'summer', 'imported');
SELECT code FROM loyalty.promo_codes WHERE code LIKE 'VIP%' ORDER BY code;
SELECT * FROM loyalty_import_promo_codes('main', 'summer', 'imported');
SELECT * FROM loyalty_import_promo_codes('main', 'summer', 'imported', 'number');
-- With the caller's rights.
CREATE ROLE regress_loyalty_importer;
GRANT EXECUTE ON FUNCTION loyalty_import_promo_codes TO regress_loyalty_importer;
CREATE TABLE secret (code text);
SET ROLE regress_loyalty_importer;
SELECT * FROM loyalty_import_promo_codes('main', 'summer', 'secret');
RESET ROLE;
DROP TABLE secret;

-- Attached: a given one, or any free one; asked again, the same. Until the end of a day a month from now.
INSERT INTO loyalty.promo_codes (code, program, pool)
    VALUES ('GIFT-1', 'main', 'birthday'), ('GIFT-2', 'main', 'birthday');
INSERT INTO loyalty.promo_codes (code, program, pool, expires_at)
    VALUES ('OLD', 'main', 'birthday', '2026-01-01'), ('SHORT', 'main', 'birthday', '2026-02-02 00:00 Europe/Berlin');
SELECT loyalty_attach_promo_code('main', 'ann', 'birthday', ' gift-1 '),
    loyalty_attach_promo_code('main', 'ann', 'birthday', 'GIFT-1'),
loyalty_attach_promo_code('main', 'ann', 'birthday');
SELECT code, state, profile, expires_at AT TIME ZONE 'Europe/Berlin' AS expires_at FROM loyalty.promo_code_states
    WHERE profile = 'ann';
SELECT loyalty_attach_promo_code('main', 'bob', 'birthday', 'SHORT');
SELECT expires_at AT TIME ZONE 'Europe/Berlin' AS expires_at FROM loyalty.promo_code_states WHERE code = 'SHORT';
SELECT loyalty_attach_promo_code('main', 'bob', 'birthday', 'GIFT-1');
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_attach_promo_code('main', 'bob', 'birthday', 'GIFT-3');
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_attach_promo_code('main', 'bob', 'birthday', 'SUN00');
SELECT loyalty_attach_promo_code('main', 'bob', 'birthday', 'OLD');
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_attach_promo_code('main', 'eve', 'birthday');
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_attach_promo_code('main', 'bob', 'summer');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, valid_until)
    VALUES ('main', 'empty', 'Empty', 'personal', '2026-03-01');
SELECT loyalty_attach_promo_code('main', 'bob', 'empty');
\echo :LAST_ERROR_SQLSTATE

-- Used without an order: for whom it is attached to, as often as it may be.
SELECT loyalty_activate_promo_code('main', 'bob', 'GIFT-1');
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_activate_promo_code('main', 'ann', 'GIFT-2');
SELECT loyalty_activate_promo_code('main', 'ann', 'GIFT-1', 'use-1'),
    loyalty_activate_promo_code('main', 'ann', 'GIFT-1', 'use-1');
SELECT loyalty_activate_promo_code('main', 'ann', 'GIFT-1');
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_activate_promo_code('main', 'ann', 'SUN01', 'use-1');
\echo :LAST_ERROR_SQLSTATE
SELECT state, uses, max_uses FROM loyalty.promo_code_states WHERE code = 'GIFT-1';
SELECT loyalty_detach_promo_code('main', 'GIFT-1');
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_detach_promo_code('main', 'SHORT'), loyalty_detach_promo_code('main', 'SHORT');
-- It has the date again that it had before.
SELECT loyalty_attach_promo_code('main', 'bob', 'birthday', 'GIFT-2'), loyalty_detach_promo_code('main', 'GIFT-2');
SELECT code, state, expires_at AT TIME ZONE 'Europe/Berlin' AS expires_at FROM loyalty.promo_code_states
    WHERE code IN ('SHORT', 'GIFT-2') ORDER BY code;
-- A used code is no answer to the wish for one: another is attached.
SELECT loyalty_attach_promo_code('main', 'ann', 'birthday') <> 'GIFT-1' AS another;
SELECT loyalty_activate_promo_code('main', 'ann', 'sun00'), loyalty_activate_promo_code('main', 'ann', 'sun00');
SELECT loyalty_activate_promo_code('main', 'ann', 'sun00');
SELECT loyalty_activate_promo_code('main', 'bob', 'sun00');
SELECT loyalty_activate_promo_code('main', 'bob', 'sun00');

-- The pool's validity bounds making, attaching and universal use; what is attached lives on, until its own date.
SELECT loyalty_attach_promo_code('main', 'bob', 'birthday', 'GIFT-2');
-- A member who leaves keeps it.
SELECT loyalty_enrol('bob', 'main') ->> 'outcome' AS outcome;
SELECT loyalty_remove_member('bob', 'main');
SELECT code, state, profile FROM loyalty.promo_code_states WHERE code = 'GIFT-2';
UPDATE loyalty.promo_code_pools SET valid_until = '2026-02-15' WHERE external_id IN ('birthday', 'summer');
SELECT loyalty_set_clock('2026-02-20 12:00 Europe/Berlin');
SELECT loyalty_attach_promo_code('main', 'ann', 'birthday', 'SHORT');
SELECT loyalty_generate_promo_codes('main', 'birthday', '####', 1);
SELECT loyalty_activate_promo_code('main', 'bob', 'SUN05');
\echo :LAST_ERROR_SQLSTATE
SELECT code, state FROM loyalty.promo_code_states WHERE code IN ('GIFT-1', 'GIFT-2', 'SUN05', 'SHORT') ORDER BY code;
SELECT loyalty_set_clock('2026-03-01 00:00 Europe/Berlin');
SELECT code, state FROM loyalty.promo_code_states WHERE code IN ('GIFT-1', 'GIFT-2') ORDER BY code;
SELECT loyalty_activate_promo_code('main', 'bob', 'GIFT-2');

-- Every attachment and use is an event; the counts agree with the uses.
SELECT type, profile, data FROM loyalty.events
    WHERE type LIKE 'promo_code%' AND data ->> 'promo_code' !~ 'BDAY' ORDER BY number;
SELECT code FROM loyalty.promo_codes c
    WHERE uses <> (SELECT count(*) FROM loyalty.promo_code_uses u
    WHERE u.code = c.code AND u.program = c.program AND freed_at IS NULL);
-- A pool keeps its kind and its id.
UPDATE loyalty.promo_code_pools SET kind = 'universal' WHERE external_id = 'birthday';
UPDATE loyalty.promo_code_pools SET external_id = 'b' WHERE external_id = 'birthday';
UPDATE loyalty.promo_codes SET code = 'small' WHERE code = 'GIFT-1';
UPDATE loyalty.promo_codes SET code = 'TWO WORDS' WHERE code = 'GIFT-1';

REVOKE ALL ON FUNCTION loyalty_import_promo_codes FROM regress_loyalty_importer;
DROP ROLE regress_loyalty_importer;
DROP TABLE imported;
DROP SCHEMA loyalty CASCADE;
