-- loyalty_apply of some promotions: what a colleague has not finished stays pending.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION IF NOT EXISTS loyalty;
SELECT loyalty_create_schema() \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('p', 'P', 'profiles', 'EUR', 'UTC', true);
CREATE FUNCTION refusal(statement text)
    RETURNS TABLE (code text, message text, detail text, hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
    hint = PG_EXCEPTION_HINT;
    RETURN NEXT;
END
$$;
CREATE FUNCTION promote_partly(id text, percent integer, parent text DEFAULT 'main') RETURNS void LANGUAGE sql AS $$
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience, parent)
    VALUES ('p', id, id, 'discount', 'active', 'everyone', parent);
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', id);
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', id, 1, 'discount', jsonb_build_object('percent', percent));
$$;
CREATE FUNCTION price_now()
    RETURNS jsonb LANGUAGE sql AS $$ SELECT loyalty_calculate('{"lines": [{"product": "x", "quantity": 1, "price": 100}]}') #> '{totals,total}' $$;
CREATE FUNCTION pending() RETURNS TABLE (change text, what text, "column" text) LANGUAGE sql AS $$
SELECT change, what, "column" FROM loyalty.pending_changes ORDER BY what COLLATE "C", "column"
$$;

-- The first version is the chosen one alone.
SELECT promote_partly('bad', 90), promote_partly('colleague', 99);
SELECT loyalty_apply('p', '{bad}') AS version;
SELECT price_now();
SELECT * FROM pending();

-- F14: the bad one is stopped by an apply, and the unfinished one of a colleague does not come along.
SELECT loyalty_deactivate_promotion('p', 'bad') \g /dev/null
SELECT loyalty_apply('p', '{bad}') AS version;
SELECT price_now();
SELECT * FROM pending();
-- Once more there is nothing to do.
SELECT loyalty_apply('p', '{bad}') AS version;
-- The draft is as it was, to the last column.
SELECT external_id, state, position FROM loyalty.promotions ORDER BY position;
SELECT parameters FROM loyalty.promotion_benefits ORDER BY promotion;

-- Settings, groups, ratios and predicates of the last version
SELECT loyalty_apply('p') AS version;
UPDATE loyalty.promotion_groups SET max_discount_percent = 5 WHERE external_id = 'main';
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 50}' WHERE promotion = 'colleague';
SELECT promote_partly('third', 20);
SELECT code, message, detail, hint FROM refusal($$SELECT loyalty_apply('p', '{third}')$$);
UPDATE loyalty.promotion_groups SET max_discount_percent = NULL WHERE external_id = 'main';
INSERT INTO loyalty.promotion_groups (program, external_id, name) VALUES ('p', 'new', 'New');
SELECT promote_partly('fourth', 10, 'new');
SELECT code, message, detail FROM refusal($$SELECT loyalty_apply('p', '{third,fourth}')$$);
SELECT loyalty_apply('p', '{third}') AS version;
SELECT price_now();
SELECT * FROM pending();
INSERT INTO loyalty.product_segments (program, external_id, name, predicate) VALUES ('p', 's', 'S', '$.sku == "x"');
UPDATE loyalty.promotion_conditions SET mode = 'in', segments = '{s}' WHERE promotion = 'third';
SELECT loyalty_apply('p', '{third}') AS version;
SELECT price_now();
UPDATE loyalty.product_segments SET predicate = '$.sku == "y"';
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 30}' WHERE promotion = 'third';
SELECT code, message, detail FROM refusal($$SELECT loyalty_apply('p', '{third}')$$);
-- Another one does not need it, and takes the old predicate along with the version.
SELECT loyalty_apply('p', '{colleague}') AS version;
SELECT price_now();
SELECT predicate FROM loyalty.product_segments;
SELECT * FROM pending();

-- A revert goes to the new version. What was deleted is applied by its name, too.
SELECT loyalty_revert('p') AS version;
SELECT * FROM pending();
SELECT promote_partly('gone', 10);
SELECT loyalty_apply('p') AS version;
DELETE FROM loyalty.promotion_benefits WHERE promotion = 'gone';
SELECT loyalty_deactivate_promotion('p', 'gone') \g /dev/null
SELECT loyalty_apply('p', '{gone}') AS version;
SELECT code, message, detail FROM refusal($$SELECT loyalty_apply('p', '{nobody}')$$);
SELECT count(*) AS violations FROM loyalty_verify();

-- Who changed what, and when: of what was changed, added and removed, in the words of the view.
SET client_min_messages = error;
CREATE ROLE regress_loyalty_anna;
CREATE ROLE regress_loyalty_bert;
SELECT loyalty_grant(role, 'admin')
    FROM unnest('{regress_loyalty_anna,regress_loyalty_bert}'::text[]) AS role \g /dev/null
SELECT loyalty_set_clock(now() + interval '1 day') \g /dev/null
SET SESSION AUTHORIZATION regress_loyalty_anna;
UPDATE loyalty.promotions SET name = 'By Anna' WHERE external_id IN ('third', 'colleague');
INSERT INTO loyalty.promotion_groups (program, external_id, name) VALUES ('p', 'annas', 'Of Anna');
SET SESSION AUTHORIZATION regress_loyalty_bert;
UPDATE loyalty.promotions SET name = 'By Bert' WHERE external_id = 'third';
DELETE FROM loyalty.promotion_benefits WHERE promotion = 'bad';
RESET SESSION AUTHORIZATION;
CREATE VIEW edited AS SELECT change, what, new, changed_by, changed_at = loyalty_now() AS is_today
    FROM loyalty.pending_changes ORDER BY what COLLATE "C", "column";
SELECT change, what, changed_by, is_today FROM edited;
-- The notes of others cannot be written, and go with their program.
SET SESSION AUTHORIZATION regress_loyalty_anna;
SELECT code, message FROM refusal($$UPDATE loyalty.edits SET changed_by = 'regress_loyalty_bert'$$);
RESET SESSION AUTHORIZATION;
SELECT loyalty_revert('p') AS version;
SELECT * FROM edited;
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('q', 'Q', 'profiles', 'EUR', 'UTC');
DELETE FROM loyalty.programs WHERE external_id = 'q';
SELECT DISTINCT program FROM loyalty.edits;
DROP VIEW edited;
SELECT loyalty_revoke(role, 'admin')
    FROM unnest('{regress_loyalty_anna,regress_loyalty_bert}'::text[]) AS role \g /dev/null

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION refusal, promote_partly, price_now, pending;
DROP OWNED BY regress_loyalty_anna, regress_loyalty_bert;
DROP ROLE regress_loyalty_anna, regress_loyalty_bert;
