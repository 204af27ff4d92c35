-- Trigger promotions: their rules and dates; firing by hand, and from tables of the user's own.
\set ECHO none
\i test/fixtures/ledger.sql
\set ECHO all
\set VERBOSITY terse
SET datestyle = 'ISO';

INSERT INTO loyalty.promotions (program, external_id, name, kind)
    VALUES ('main', 'review', 'Writes a review', 'trigger'), ('main', 'penalty', 'Penalty', 'trigger');
INSERT INTO loyalty.promotions (program, external_id, name, kind) VALUES ('main', 'sale', 'Sale', 'discount');
SELECT external_id, parent, position FROM loyalty.promotions ORDER BY external_id;
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount, min_amount, max_amount)
VALUES ('main', 'review', 'accrual', 'bonus', 10, 50, 99.5), ('main', 'review', 'accrual', 'status', NULL, 1, 5),
    ('main', 'penalty', 'deduction', 'bonus', 3, NULL, NULL);
SELECT * FROM refusal($$INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount)
    VALUES ('main', 'review', 'accrual', 'bonus', 1)$$);
SELECT * FROM refusal($$INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount)
    VALUES ('main', 'sale', 'accrual', 'bonus', 1)$$);
SELECT * FROM refusal($$INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount)
    VALUES ('main', 'review', 'accrual', 'miles', 1.5)$$);
SELECT * FROM refusal($$INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type)
    VALUES ('main', 'review', 'accrual', 'miles')$$);
SELECT * FROM refusal(
    $$INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, min_amount, max_amount)
    VALUES ('main', 'review', 'accrual', 'miles', 5, 1)$$);
SELECT * FROM refusal($$UPDATE loyalty.promotions SET kind = 'points' WHERE external_id = 'review'$$);
SELECT * FROM refusal($$UPDATE loyalty.promotions SET kind = 'trigger' WHERE external_id = 'sale'$$);

-- Not in the tree, and in force without an apply; a draft, an inactive, an ended one, and one out of its dates is not.
SELECT tree -> 'promotions' -> 0 ->> 'promotion' AS promotion, jsonb_array_length(tree -> 'promotions') AS promotions
    FROM loyalty.promotion_drafts;
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'bonus')$$);
UPDATE loyalty.promotions SET state = 'active' WHERE kind = 'trigger';
SELECT brief(loyalty_fire('review', 'ann', point_type => 'bonus', external_id => 'r1'));
SELECT brief(loyalty_fire('review', 'ann', point_type => 'bonus', external_id => 'r1'));
SELECT brief(loyalty_fire('penalty', 'ann'));
UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'review';
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'bonus')$$);
SELECT brief(loyalty_fire('review', 'ann', point_type => 'bonus', external_id => 'r1'));
UPDATE loyalty.promotions SET state = 'active', starts_at = '2026-01-15 12:00:01+01' WHERE external_id = 'review';
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'bonus')$$);
-- It starts at that very moment.
BEGIN;
UPDATE loyalty.promotions SET starts_at = '2026-01-15 12:00+01' WHERE external_id = 'review';
SELECT brief(loyalty_fire('review', 'ann', point_type => 'bonus'));
ROLLBACK;
UPDATE loyalty.promotions SET starts_at = NULL, ends_after_count = 2, ends_after_unit = 'day'
    WHERE external_id = 'review';
SELECT loyalty_set_clock('2026-01-17 11:59:59+01');
SELECT brief(loyalty_fire('review', 'ann', point_type => 'bonus'));
SELECT loyalty_set_clock('2026-01-17 12:00+01');
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'bonus')$$);
-- A pause does not stop its clock.
BEGIN;
UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'review';
UPDATE loyalty.promotions SET state = 'active' WHERE external_id = 'review';
SELECT code, detail FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'bonus')$$);
ROLLBACK;
UPDATE loyalty.promotions SET ends_after_count = NULL, ends_after_unit = NULL, ends_at = '2026-01-17 12:00+01'
    WHERE external_id = 'review';
SELECT code, detail FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'bonus')$$);
UPDATE loyalty.promotions SET ends_at = NULL WHERE external_id = 'review';
-- Nor for a member who was removed, nor in a program at rest.
BEGIN;
SELECT loyalty_remove_member('kim', 'main');
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'kim', point_type => 'bonus')$$);
UPDATE loyalty.programs SET active = false;
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'bonus')$$);
ROLLBACK;

-- Rules (decision 33): one must fit; exact where no amount is named, the range inclusive, never clipped.
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann')$$);
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann', 'deduction')$$);
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'status')$$);
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'status', amount => 6)$$);
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'bonus', amount => 10.01)$$);
SELECT code FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'bonus', amount => 49.99)$$);
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'bonus', amount => 99.51)$$);
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann', point_type => 'bonus', amount => -10)$$);
SELECT brief(loyalty_fire('review', 'ann', point_type => 'bonus', amount => amount))
    FROM unnest(ARRAY[10, 50, 99.5]) AS amount;
SELECT brief(loyalty_fire('review', 'ann', 'accrual', 'status', 5));
SELECT * FROM refusal($$SELECT loyalty_fire('penalty', 'bob')$$);
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'nobody', point_type => 'bonus')$$);
SELECT * FROM refusal($$SELECT loyalty_fire('sale', 'ann')$$);
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann', program => 'other')$$);
-- A transaction, or a hold, by hand under one is bound by its rules; under a promotion of another kind none is booked.
SELECT * FROM refusal($$INSERT INTO loyalty.transactions (member, program, point_type, type, value, promotion)
    VALUES ('bob', 'main', 'bonus', 'accrual', 11, 'review')$$);
SELECT * FROM refusal($$SELECT loyalty_redeem('ann', 'main', 'bonus', 10, promotion => 'review')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 4, '1 hour', promotion => 'penalty')$$);
SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 3, '1 hour', promotion => 'penalty',
    external_id => 'h') ->> 'state' AS state;
SELECT brief(loyalty_commit('ann', 'main', external_id => 'h'));
SELECT brief(loyalty_accrue('bob', 'main', 'bonus', 60, promotion => 'review'));
SELECT * FROM refusal($$SELECT loyalty_accrue('bob', 'main', 'bonus', 11, promotion => 'sale')$$);

-- ---------------------------------------------------------------------------------------------------------------------
-- A table of the user's own (decision 34): booked in the same transaction, and taken back with it

CREATE TABLE reviews (product text, number integer, author text, points numeric, PRIMARY KEY (product, number));
CREATE TRIGGER fire AFTER INSERT OR UPDATE ON reviews FOR EACH ROW
    EXECUTE FUNCTION loyalty_fire_trigger('review', 'author', 'points');
-- Two rules fit, and the trigger cannot choose: it is skipped, and an event says so.
INSERT INTO reviews VALUES ('a', 1, 'cat', 50);
SELECT type, profile, data FROM loyalty.events WHERE type = 'promotion_not_fired';
DELETE FROM loyalty.trigger_rules WHERE point_type = 'status';
BEGIN;
INSERT INTO reviews VALUES ('a', 2, 'cat', 60);
SELECT member, value, external_id, source_type, source, promotion FROM loyalty.transactions WHERE member = 'cat';
ROLLBACK;
SELECT count(*) FROM loyalty.transactions WHERE member = 'cat';
SELECT count(*) FROM loyalty.fired_rows;
INSERT INTO reviews
    VALUES ('a', 2, 'cat', 60), ('a,b', 3, 'cat', 70), ('a\,b', 4, 'dan', 5), ('c', 5, NULL, 60),
    ('c', 6, 'nobody', 60), ('c', 7, 'cat', NULL);
-- One row fires once for ever: whoever its author becomes, and though it is deleted and comes again.
UPDATE reviews SET author = 'dan', points = 80 WHERE number IN (2, 4);
DELETE FROM reviews WHERE number = 3;
INSERT INTO reviews VALUES ('a,b', 3, 'eve', 70);
SELECT member, value, external_id FROM loyalty.transactions WHERE source_type = 'table' ORDER BY member, seq;
SELECT profile, data ->> 'row' AS row, data ->> 'code' AS code, data ->> 'message' AS message FROM loyalty.events
    WHERE type = 'promotion_not_fired' ORDER BY number;
SELECT relation, row_key, promotion FROM loyalty.fired_rows ORDER BY row_key;
UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'review';
INSERT INTO reviews VALUES ('d', 8, 'cat', 60);
SELECT data ->> 'detail' AS detail FROM loyalty.events WHERE type = 'promotion_not_fired' ORDER BY number DESC LIMIT 1;
UPDATE loyalty.promotions SET state = 'active', ends_at = '2026-01-17 12:00+01' WHERE external_id = 'review';
INSERT INTO reviews VALUES ('d', 10, 'cat', 60);
SELECT data ->> 'detail' AS detail FROM loyalty.events WHERE type = 'promotion_not_fired' ORDER BY number DESC LIMIT 1;
UPDATE loyalty.promotions SET ends_at = NULL WHERE external_id = 'review';
-- Deductions too, of those who have the points; amounts that are none; members who left; a program at rest.
CREATE TABLE fines (at timestamptz PRIMARY KEY, author text, points text);
CREATE TRIGGER fine AFTER INSERT OR UPDATE ON fines FOR EACH ROW
    EXECUTE FUNCTION loyalty_fire_trigger('penalty', 'author');
CREATE TRIGGER pay AFTER INSERT ON fines FOR EACH ROW WHEN (NEW.points <> '')
    EXECUTE FUNCTION loyalty_fire_trigger('review', 'author', 'points');
INSERT INTO fines
    VALUES ('2026-01-17 10:00+00', 'cat', ''), ('2026-01-17 10:01+00', 'lea', ''),
    ('2026-01-17 10:02+00', 'ann', 'ten'), ('2026-01-17 10:03+00', 'ann', 'NaN');
SELECT loyalty_remove_member('kim', 'main');
INSERT INTO fines VALUES ('2026-01-17 10:04+00', 'kim', '50');
UPDATE loyalty.programs SET active = false;
INSERT INTO fines VALUES ('2026-01-17 10:05+00', 'eve', '50');
UPDATE loyalty.programs SET active = true;
SELECT profile, data ->> 'promotion' AS promotion, data ->> 'row' AS row, data ->> 'code' AS code,
    data ->> 'message' AS message
FROM loyalty.events WHERE type = 'promotion_not_fired' AND data ->> 'table' = 'public.fines' ORDER BY number;
SELECT count(*) FROM fines;
-- A row is the same row in every session, however that writes its key.
SET TimeZone = 'Asia/Tokyo';
SET datestyle = 'SQL, DMY';
UPDATE fines SET points = '' WHERE author = 'cat';
SET TimeZone = 'Europe/Berlin';
SET datestyle = 'ISO';
SELECT member, value, external_id FROM loyalty.transactions
    WHERE promotion = 'penalty' AND source_type = 'table' ORDER BY member, seq;
-- Where a key is too long for an external id, or ends with a blank, the id is hashed.
CREATE TABLE notes (id text PRIMARY KEY, author text);
CREATE TRIGGER fire AFTER INSERT OR UPDATE ON notes FOR EACH ROW
    EXECUTE FUNCTION loyalty_fire_trigger('review', 'author');
INSERT INTO notes
    VALUES (repeat('x', 300), 'hal'), (repeat('x', 301), 'hal'), ('x', 'hal'), ('x ', 'hal'), (E'x\n', 'hal'),
    ('', 'hal');
-- As long as a key can be: its index row and ours have the same limit.
INSERT INTO notes SELECT string_agg(md5(number::text), '' ORDER BY number), 'hal' FROM generate_series(1, 84) AS number;
UPDATE notes SET author = 'ida';
SELECT member, value, external_id ~ '^[0-9a-f]{64}$' AS hashed, length(source) AS length FROM loyalty.transactions
    WHERE source LIKE 'public.notes:%' ORDER BY seq;
-- Whoever writes the table needs no right on functions of the extension, nor on the schema.
CREATE ROLE regress_loyalty_app;
GRANT INSERT ON reviews TO regress_loyalty_app;
SET ROLE regress_loyalty_app;
INSERT INTO reviews VALUES ('e', 9, 'fay', 60);
RESET ROLE;
SELECT value FROM loyalty.transactions WHERE member = 'fay';
-- What is wrong with the trigger itself is an error.
CREATE TABLE keyless (author text);
CREATE TRIGGER fire AFTER INSERT ON keyless FOR EACH ROW EXECUTE FUNCTION loyalty_fire_trigger('review', 'author');
SELECT * FROM refusal($$INSERT INTO keyless VALUES ('ann')$$);
CREATE TABLE odd (id integer PRIMARY KEY, author text);
CREATE TRIGGER fire AFTER INSERT ON odd FOR EACH ROW EXECUTE FUNCTION loyalty_fire_trigger('review', 'writer');
SELECT * FROM refusal($$INSERT INTO odd VALUES (1, 'ann')$$);
CREATE OR REPLACE TRIGGER fire BEFORE INSERT ON odd FOR EACH ROW
    EXECUTE FUNCTION loyalty_fire_trigger('review', 'author');
SELECT * FROM refusal($$INSERT INTO odd VALUES (1, 'ann')$$);
CREATE OR REPLACE TRIGGER fire AFTER INSERT ON odd FOR EACH ROW EXECUTE FUNCTION loyalty_fire_trigger('review');
SELECT * FROM refusal($$INSERT INTO odd VALUES (1, 'ann')$$);

-- Enrolling by a trigger: a form's insert makes its author a member; who has no profile is told of by an event.
CREATE TABLE forms (id integer PRIMARY KEY, author text);
CREATE TRIGGER enrol AFTER INSERT ON forms FOR EACH ROW EXECUTE FUNCTION loyalty_enrol_trigger('main', 'author');
INSERT INTO loyalty.profiles (key) VALUES ('new');
GRANT INSERT ON forms TO regress_loyalty_app;
SET ROLE regress_loyalty_app;
INSERT INTO forms VALUES (1, 'new'), (2, 'stranger'), (3, NULL), (4, 'new');
RESET ROLE;
SELECT member, registered_at FROM loyalty.members WHERE member = 'new';
SELECT type, profile, data FROM loyalty.events WHERE type = 'member_not_enrolled' ORDER BY number;
CREATE TRIGGER enrol AFTER INSERT ON loyalty.profiles FOR EACH ROW
    EXECUTE FUNCTION loyalty_enrol_trigger('main', 'key');
INSERT INTO loyalty.profiles (key) VALUES ('newer');
SELECT count(*) FROM loyalty.members WHERE member = 'newer';
DROP OWNED BY regress_loyalty_app;
DROP ROLE regress_loyalty_app;

-- No version holds them, and no revert touches them; a clone takes the rules along.
SELECT loyalty_apply('main');
INSERT INTO loyalty.promotions (program, external_id, name, kind) VALUES ('main', 'later', 'Later', 'trigger');
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount)
    VALUES ('main', 'later', 'accrual', 'bonus', 1);
SELECT change, what FROM loyalty.pending_changes;
SELECT loyalty_clone_promotion('main', 'later', 'copy') \g /dev/null
SELECT * FROM refusal($$SELECT loyalty_move_promotion('main', 'later', 'main')$$);
SELECT loyalty_revert('main') \g /dev/null
SELECT external_id, state FROM loyalty.promotions WHERE kind = 'trigger' ORDER BY external_id;
SELECT promotion, operation, amount FROM loyalty.trigger_rules ORDER BY promotion;

-- The end is final, for the rules too; what was booked stays.
UPDATE loyalty.promotions SET state = 'ended' WHERE external_id = 'review';
SELECT * FROM refusal($$SELECT loyalty_fire('review', 'ann')$$);
SELECT * FROM refusal($$UPDATE loyalty.trigger_rules SET amount = 1 WHERE promotion = 'review'$$);
SELECT * FROM refusal($$DELETE FROM loyalty.trigger_rules WHERE promotion = 'review'$$);
SELECT * FROM loyalty_verify();

-- The outbox has told of every booking, once, and in the order of booking.
\set ECHO none
\i test/fixtures/untold.sql
\set ECHO all
SELECT * FROM untold;

SET client_min_messages = warning;
DROP TABLE reviews, fines, notes, keyless, odd, forms;
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION brief, refusal;
