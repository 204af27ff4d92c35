-- Every column of every configuration table is obeyed or refused: for each of them stands an edit that makes a
-- difference, in what is calculated, booked and told, or that is an error. A column that is added later fails here
-- until it has its own.
\set SHOW_CONTEXT never
SET client_min_messages = error;
SET TimeZone = 'UTC';
CREATE EXTENSION IF NOT EXISTS loyalty;
SELECT loyalty_create_schema() \g /dev/null
-- A Wednesday
SELECT loyalty_set_clock('2027-06-16 12:00Z') \g /dev/null
CREATE TABLE customers (id text PRIMARY KEY, city text, mail text, other_mail text, phone text, other_phone text,
    other_id text);
INSERT INTO customers
    VALUES ('ann', 'Riga', 'ann@shop', 'ann@home', '1', '2', 'a'),
    ('bob', 'Oslo', 'bob@shop', 'bob@home', '3', '4', 'b');
CREATE VIEW people AS SELECT * FROM customers WHERE id = 'ann';
CREATE VIEW fans AS SELECT id, city, other_mail AS mail, phone FROM customers;
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column, email_column, phone_column)
VALUES ('c', 'Customers', 'customers', 'id', 'mail', 'phone'), ('d', 'People', 'people', 'id', NULL, NULL);
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('p', 'P', 'c', 'EUR', 'UTC', true);
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, initial_balance, validity_count,
    validity_unit, active)
VALUES ('p', 'bonus', 'Bonus', 'standard', 1, 10, 3, 'month', true),
    ('p', 'q', 'Q', 'qualification', 1, 0, NULL, NULL, true), ('p', 'r', 'R', 'qualification', 1, 0, NULL, NULL, true);
INSERT INTO loyalty.channels (program, external_id, name) VALUES ('p', 'web', 'Web'), ('p', 'shop', 'Shop');
INSERT INTO loyalty.contact_points (program, channel, external_id, name)
    VALUES ('p', 'web', 'cart', 'Cart'), ('p', 'shop', 'till', 'Till');
INSERT INTO loyalty.regions (program, external_id, name) VALUES ('p', '77', 'North'), ('p', '78', 'South');
INSERT INTO loyalty.fields (program, kind, name, type, default_value)
    VALUES ('p', 'order', 'note', 'text', '"none"'), ('p', 'line', 'colour', 'text', NULL);
INSERT INTO loyalty.products (program, sku, name, price, min_price, categories, fields)
VALUES ('p', 'tea', 'Tea', 10, 1, '{hot}', '{"vip": 8}'), ('p', 'mug', 'Mug', 20, 1, '{}', '{"vip": 18}'),
    ('p', 'cap', 'Cap', 30.55, NULL, '{}', '{}');
INSERT INTO loyalty.product_segments (program, external_id, name, kind, predicate)
VALUES ('p', 'hot', 'Hot', 'dynamic', '$.categories[*] == "hot"'), ('p', 'mugs', 'Mugs', 'static', NULL),
    ('p', 'none', 'None', 'static', NULL);
INSERT INTO loyalty.product_segment_members (program, segment, sku) VALUES ('p', 'mugs', 'mug');
INSERT INTO loyalty.order_segments (program, external_id, name, kind, predicate)
VALUES ('p', 'big', 'Big', 'dynamic', '$.goods >= 60 && $.fields.note == "none"'),
    ('p', 'listed', 'Listed', 'static', NULL), ('p', 'empty', 'Empty', 'static', NULL);
INSERT INTO loyalty.order_segment_members (program, segment, order_id) VALUES ('p', 'listed', 'A1');
INSERT INTO loyalty.profile_segments (program, external_id, name, kind, predicate)
VALUES ('p', 'riga', 'Riga', 'dynamic', '$.city == "Riga"'), ('p', 'vip', 'VIP', 'static', NULL),
    ('p', 'nobody', 'Nobody', 'static', NULL);
INSERT INTO loyalty.profile_segment_members (program, segment, profile) VALUES ('p', 'vip', 'ann');
INSERT INTO loyalty.partners (program, external_id, name, starts_on)
    VALUES ('p', 'acme', 'Acme', '2027-01-01'), ('p', 'other', 'Other', NULL);
INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent, points_value, points_unit,
    max_payable_points) VALUES ('p', 'mug', 'acme', 10, 5, 'points', 3);
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit,
    upgrade_at_once, activity_days)
VALUES ('p', 'cum', 'Cum', 'cumulative', 'q', NULL, NULL, false, NULL),
    ('p', 'cyc', 'Cyc', 'cyclic', 'r', 1, 'month', true, NULL),
('p', 'dyn', 'Dyn', 'dynamic', NULL, NULL, NULL, false, 30);
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold, predicate)
VALUES ('p', 'base', 'cum', 'Base', 0, NULL), ('p', 'gold', 'cum', 'Gold', 90, NULL),
    ('p', 'silver', 'cyc', 'Silver', 50, NULL), ('p', 'local', 'dyn', 'Local', NULL, '$.profile.city == "Riga"'),
('p', 'buyer', 'dyn', 'Buyer', NULL, '$.orders.count >= 1');
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, max_uses)
    VALUES ('p', 'uni', 'Uni', 'universal', 3), ('p', 'pers', 'Pers', 'personal', NULL);
INSERT INTO loyalty.promo_codes (program, pool, code)
    VALUES ('p', 'uni', 'U1'), ('p', 'pers', 'P1'), ('p', 'pers', 'P2');
INSERT INTO loyalty.promotion_groups (program, external_id, name, position)
    VALUES ('p', 'g', 'G', 5), ('p', 'h', 'H', 1);
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, position, audience)
    VALUES ('p', 'sale', 'Sale', 'discount', 'g', 1, 'everyone'), ('p', 'fix', 'Fix', 'discount', 'g', 2, 'everyone');
INSERT INTO loyalty.promotions (program, external_id, name, kind, position)
    VALUES ('p', 'code', 'Code', 'discount', 10), ('p', 'partner', 'Partner', 'discount', 11),
    ('p', 'earn', 'Earn', 'points', 12), ('p', 'pay', 'Pay', 'points', 13), ('p', 'golden', 'Golden', 'discount', 14),
('p', 'local', 'Local', 'discount', 15), ('p', 'segs', 'Segs', 'discount', 16),
('p', 'static', 'Static', 'discount', 17), ('p', 'issue', 'Issue', 'discount', 18), ('p', 'web', 'Web', 'discount', 19);
INSERT INTO loyalty.promotions (program, external_id, name, kind) VALUES ('p', 'visit', 'Visit', 'trigger');
UPDATE loyalty.promotions SET promo_code_pool = 'uni', audience = 'everyone' WHERE external_id = 'code';
UPDATE loyalty.promotions SET audience = 'tiers', audience_tiers = '{gold,silver}' WHERE external_id = 'golden';
UPDATE loyalty.promotions SET audience = 'in_segments', audience_segments = '{riga}' WHERE external_id = 'local';
UPDATE loyalty.promotions SET audience = 'in_segments', audience_segments = '{vip}' WHERE external_id = 'static';
UPDATE loyalty.promotions SET channels = '{web}', contact_points = '{till}', regions = '{77}' WHERE external_id = 'web';
INSERT INTO loyalty.promotion_conditions (program, promotion, level, mode, segments)
VALUES ('p', 'sale', 'product', 'in', '{hot}'), ('p', 'fix', 'product', 'all', '{}'),
    ('p', 'code', 'order', 'all', '{}'), ('p', 'partner', 'product', 'all', '{}'),
('p', 'earn', 'product', 'all', '{}'), ('p', 'earn', 'order', 'all', '{}'), ('p', 'pay', 'order', 'all', '{}'),
('p', 'golden', 'order', 'all', '{}'), ('p', 'local', 'order', 'in', '{big}'), ('p', 'segs', 'product', 'in', '{mugs}'),
('p', 'static', 'order', 'in', '{listed}'), ('p', 'issue', 'order', 'all', '{}'), ('p', 'web', 'order', 'all', '{}');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('p', 'sale', 1, 'discount', '{"percent": 10}'), ('p', 'sale', 1, 'discount', '{"percent": 20}'),
    ('p', 'fix', 1, 'discount', '{"percent": 5}'), ('p', 'code', 1, 'discount', '{"percent": 10}'),
('p', 'partner', 1, 'partner_discount', '{}'),
('p', 'earn', 1, 'partner_points', '{"mode": "accrue", "point_type": "bonus"}'),
('p', 'earn', 2, 'accrue_points', '{"point_type": "bonus", "points": 20, "credit_on": "delivered"}'),
('p', 'earn', 2, 'accrue_points', '{"point_type": "q", "percent": 33.333, "credit_on": "processing"}'),
('p', 'pay', 1, 'points_discount', '{"point_type": "bonus", "percent": 20}'),
('p', 'golden', 1, 'discount', '{"percent": 1}'), ('p', 'local', 1, 'discount', '{"percent": 2}'),
('p', 'segs', 1, 'discount', '{"amount": 2}'), ('p', 'static', 1, 'discount', '{"amount": 0.5}'),
('p', 'issue', 1, 'issue_promo_code', '{"pool": "pers"}'), ('p', 'web', 1, 'discount', '{"percent": 3}');
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount, min_amount, max_amount)
    VALUES ('p', 'visit', 'accrual', 'bonus', 5, 1, 9);
INSERT INTO loyalty.goals (program, external_id, name, point_type, points, promo_code_pool, reward_point_type,
    reward_points, reward_text)
VALUES ('p', 'box', 'Box', 'bonus', 5, NULL, NULL, NULL, 'A box'),
    ('p', 'rank', 'Rank', 'bonus', 6, NULL, 'q', 2, NULL),
('p', 'treat', 'Treat', 'bonus', 7, 'pers', NULL, NULL, NULL);
UPDATE loyalty.promotions SET state = 'active';
SELECT loyalty_enrol('ann', 'p', registered_at => '2027-05-20 12:00Z') ->> 'outcome' AS ann;
SELECT loyalty_accrue('ann', 'p', point_type, 100) ->> 'value' AS value
    FROM unnest('{bonus,q,r}'::text[]) AS point_type;

-- ---------------------------------------------------------------------------------------------------------------------
-- What a program does: what an application sees of it

CREATE FUNCTION answer(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
    state text;
    said text;
BEGIN
    EXECUTE format('SELECT string_agg(answer::text, %L) FROM (%s) AS answer', E'\n', statement) INTO told;
    -- Ids are new each time.
    RETURN regexp_replace(told, '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'ID', 'g');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, said = MESSAGE_TEXT;
    RETURN state || ' ' || said;
END
$$;
CREATE FUNCTION behaviour() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    given CONSTANT text := '"lines": [{"id": "1", "product": "tea", "quantity": 2}, {"id": "2", "product": "mug", "quantity": 1}, {"id": "3", "product": "cap", "quantity": 1}], "shipping": 4.9';
    told text := '';
    statement text;
BEGIN
    FOREACH statement IN ARRAY ARRAY[
        $s$SELECT loyalty_apply('p') > 0$s$,
        $s$SELECT loyalty_place_order(
            '{"program": "p", "external_id": "A1", "member": "ann", "channel": "web", "contact_point": "cart", "region": "77", "promo_codes": ["u1"], "redeem": [{"points": "bonus", "amount": "max"}], ORDER}')$s$,
        $s$SELECT loyalty_set_order_status('p', 'A1', 'delivering')$s$,
        $s$SELECT loyalty_set_order_status('p', 'A1', 'delivered')$s$,
        $s$SELECT loyalty_return_items('p', 'A1', '[{"id": "1", "quantity": 1}]', 'R1')$s$,
        $s$SELECT loyalty_calculate('{"program": "p", ORDER}')$s$,
        $s$SELECT loyalty_calculate(
            '{"program": "p", "member": "bob", "channel": "shop", "contact_point": "till", "region": "78", "promo_codes": ["u1"], ORDER}')$s$,
        $s$SELECT loyalty_calculate(
            '{"program": "p", "member": "ann", "time": "2027-06-18T20:00:00", "promo_codes": ["U1"], ORDER}')$s$,
        $s$SELECT loyalty_calculate('{"program": "p", "member": "ann", "time": "2027-12-01T10:00:00", ORDER}')$s$,
        $s$SELECT loyalty_explain(
            '{"program": "p", "member": "ann", "region": "77", "channel": "web", "contact_point": "cart", ORDER}',
        everything => true)$s$,
        $s$SELECT loyalty_place_order(
            '{"program": "p", "external_id": "A2", "member": "ann", "promo_codes": ["U1"], ORDER}')$s$,
        $s$SELECT loyalty_fire('visit', 'ann', program => 'p')$s$,
        $s$SELECT loyalty_fire('visit', 'ann', amount => 2, program => 'p')$s$,
        $s$SELECT loyalty_fire('visit', 'ann', amount => 8, program => 'p')$s$,
        $s$SELECT loyalty_attach_promo_code('p', 'ann', 'pers')$s$,
        $s$SELECT loyalty_activate_promo_code('p', 'ann', 'U1')$s$,
        $s$SELECT * FROM loyalty.promo_code_states ORDER BY code$s$,
        $s$SELECT * FROM loyalty_tier('ann', 'p') ORDER BY 1$s$,
        $s$SELECT * FROM loyalty_tier('ann', 'p', '2027-08-25 00:00Z') ORDER BY 1$s$,
        $s$SELECT * FROM loyalty_tier('ann', 'p', '2027-07-25 00:00Z') ORDER BY 1$s$,
        $s$SELECT loyalty_enrol('bob', 'p')$s$,
        $s$SELECT * FROM loyalty_tier('bob', 'p') ORDER BY 1$s$,
        $s$SELECT loyalty_accrue('bob', 'p', 'bonus', 30)$s$,
        $s$SELECT loyalty_cancel('ann', 'p',
            (SELECT id FROM loyalty.transactions
            WHERE member = 'ann' AND type = 'accrual' AND point_type = 'q' ORDER BY seq LIMIT 1))$s$,
        $s$SELECT * FROM loyalty_tier('ann', 'p') ORDER BY 1$s$,
        $s$SELECT loyalty_redeem('ann', 'p', 'bonus', 100)$s$,
        $s$SELECT loyalty_redeem('bob', 'p', 'bonus', 35)$s$,
        $s$SELECT loyalty_cancel('bob', 'p',
            (SELECT id FROM loyalty.transactions WHERE member = 'bob' AND type = 'accrual'))$s$,
        $s$SELECT * FROM loyalty_balance('ann', 'p') ORDER BY 1$s$,
        $s$SELECT * FROM loyalty_balance('bob', 'p') ORDER BY 1$s$,
        $s$SELECT * FROM loyalty_find_member('p', 'ann@shop', 'email')$s$,
        $s$SELECT * FROM loyalty_find_member('p', '1', 'phone')$s$,
        $s$SELECT loyalty_member_card('ann', 'p')$s$,
        $s$SELECT loyalty_promotion_tree('p')$s$,
        $s$SELECT * FROM loyalty_prior_price('tea', program => 'p')$s$,
        $s$SELECT * FROM loyalty.order_lines ORDER BY order_id, line$s$,
        $s$SELECT loyalty_accrue('ann', 'p', 'bonus', 40)$s$,
        $s$SELECT loyalty_claim('ann', 'p', 'box')$s$,
        $s$SELECT loyalty_claim('ann', 'p', 'rank')$s$,
        $s$SELECT loyalty_claim('ann', 'p', 'treat') - 'promo_code'$s$,
        $s$SELECT * FROM loyalty_balance('ann', 'p') ORDER BY 1$s$
    ] LOOP
        told := told || E'\n' || coalesce(answer(replace(statement, 'ORDER}', given || '}')), '');
    END LOOP;
    RETURN told;
END
$$;
-- Everything that is done above is undone.
CREATE FUNCTION behaviour_after(edit text, OUT refused text, OUT told text, OUT document jsonb) LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE edit;
        document := jsonb_build_array(loyalty_export('p', true, true),
            (SELECT jsonb_agg(d ORDER BY external_id) FROM loyalty.profile_databases AS d));
        told := behaviour();
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS refused = RETURNED_SQLSTATE;
        RETURN;
    END;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'LY999';
EXCEPTION WHEN SQLSTATE 'LY999' THEN
    NULL;
END
$$;
SELECT (refused IS NULL AND told = (SELECT again.told FROM behaviour_after('SELECT 1') AS again)) AS is_steady
    FROM behaviour_after('SELECT 1');

-- ---------------------------------------------------------------------------------------------------------------------
-- For each column an edit: seen in what is done, told by the document (what is for people, and for jobs), or refused

CREATE TABLE settings (relation text, "column" text, wanted text, edit text, PRIMARY KEY (relation, "column"));
INSERT INTO settings VALUES
    ('profile_databases', 'name', 'told', $e$UPDATE loyalty.profile_databases SET name = 'Renamed'
        WHERE external_id = 'c'$e$),
    ('profile_databases', 'description', 'told', $e$UPDATE loyalty.profile_databases SET description = 'Described'
        WHERE external_id = 'c'$e$),
    ('profile_databases', 'external_id', 'refused', $e$UPDATE loyalty.profile_databases SET external_id = 'another'
        WHERE external_id = 'c'$e$),
    ('programs', 'name', 'told', $e$UPDATE loyalty.programs SET name = 'Renamed' WHERE external_id = 'p'$e$),
    ('programs', 'description', 'told', $e$UPDATE loyalty.programs SET description = 'Described'
        WHERE external_id = 'p'$e$),
    ('programs', 'external_id', 'refused', $e$UPDATE loyalty.programs SET external_id = 'another'
        WHERE external_id = 'p'$e$),
    ('order_statuses', 'name', 'told', $e$UPDATE loyalty.order_statuses SET name = 'Renamed'
        WHERE external_id = 'new'$e$),
    ('order_statuses', 'description', 'told', $e$UPDATE loyalty.order_statuses SET description = 'Described'
        WHERE external_id = 'new'$e$),
    ('order_statuses', 'external_id', 'refused', $e$UPDATE loyalty.order_statuses SET external_id = 'another'
        WHERE external_id = 'new'$e$),
    ('point_types', 'name', 'told', $e$UPDATE loyalty.point_types SET name = 'Renamed' WHERE external_id = 'bonus'$e$),
    ('point_types', 'description', 'told', $e$UPDATE loyalty.point_types SET description = 'Described'
        WHERE external_id = 'bonus'$e$),
    ('point_types', 'external_id', 'refused', $e$UPDATE loyalty.point_types SET external_id = 'another'
        WHERE external_id = 'bonus'$e$),
    ('point_types', 'program', 'refused', $e$UPDATE loyalty.point_types SET program = 'another'
        WHERE external_id = 'bonus'$e$),
    ('channels', 'name', 'told', $e$UPDATE loyalty.channels SET name = 'Renamed' WHERE external_id = 'web'$e$),
    ('channels', 'description', 'told', $e$UPDATE loyalty.channels SET description = 'Described'
        WHERE external_id = 'web'$e$),
    ('channels', 'external_id', 'refused', $e$UPDATE loyalty.channels SET external_id = 'another'
        WHERE external_id = 'web'$e$),
    ('channels', 'program', 'refused', $e$UPDATE loyalty.channels SET program = 'another' WHERE external_id = 'web'$e$),
    ('contact_points', 'name', 'told', $e$UPDATE loyalty.contact_points SET name = 'Renamed'
        WHERE external_id = 'cart'$e$),
    ('contact_points', 'description', 'told', $e$UPDATE loyalty.contact_points SET description = 'Described'
        WHERE external_id = 'cart'$e$),
    ('contact_points', 'external_id', 'refused', $e$UPDATE loyalty.contact_points SET external_id = 'another'
        WHERE external_id = 'cart'$e$),
    ('contact_points', 'program', 'refused', $e$UPDATE loyalty.contact_points SET program = 'another'
        WHERE external_id = 'cart'$e$),
    ('regions', 'name', 'told', $e$UPDATE loyalty.regions SET name = 'Renamed' WHERE external_id = '77'$e$),
    ('regions', 'description', 'told', $e$UPDATE loyalty.regions SET description = 'Described'
        WHERE external_id = '77'$e$),
    ('regions', 'external_id', 'refused', $e$UPDATE loyalty.regions SET external_id = 'another'
        WHERE external_id = '77'$e$),
    ('regions', 'program', 'refused', $e$UPDATE loyalty.regions SET program = 'another' WHERE external_id = '77'$e$),
    ('fields', 'program', 'refused', $e$UPDATE loyalty.fields SET program = 'another' WHERE name = 'note'$e$),
    ('fields', 'kind', 'seen', $e$UPDATE loyalty.fields SET kind = 'line' WHERE name = 'note'$e$),
    ('fields', 'name', 'seen', $e$UPDATE loyalty.fields SET name = 'notes' WHERE name = 'note'$e$),
    ('fields', 'type', 'refused', $e$UPDATE loyalty.fields SET type = 'number' WHERE name = 'note'$e$),
    ('fields', 'required', 'seen', $e$UPDATE loyalty.fields SET required = true WHERE name = 'colour'$e$),
    ('fields', 'default_value', 'seen', $e$UPDATE loyalty.fields SET default_value = '"some"' WHERE name = 'note'$e$),
    ('fields', 'description', 'told', $e$UPDATE loyalty.fields SET description = 'Described' WHERE name = 'note'$e$),
    ('product_segments', 'name', 'told', $e$UPDATE loyalty.product_segments SET name = 'Renamed'
        WHERE external_id = 'hot'$e$),
    ('product_segments', 'description', 'told', $e$UPDATE loyalty.product_segments SET description = 'Described'
        WHERE external_id = 'hot'$e$),
    ('product_segments', 'external_id', 'refused', $e$UPDATE loyalty.product_segments SET external_id = 'another'
        WHERE external_id = 'hot'$e$),
    ('product_segments', 'program', 'refused', $e$UPDATE loyalty.product_segments SET program = 'another'
        WHERE external_id = 'hot'$e$),
    ('order_segments', 'name', 'told', $e$UPDATE loyalty.order_segments SET name = 'Renamed'
        WHERE external_id = 'big'$e$),
    ('order_segments', 'description', 'told', $e$UPDATE loyalty.order_segments SET description = 'Described'
        WHERE external_id = 'big'$e$),
    ('order_segments', 'external_id', 'refused', $e$UPDATE loyalty.order_segments SET external_id = 'another'
        WHERE external_id = 'big'$e$),
    ('order_segments', 'program', 'refused', $e$UPDATE loyalty.order_segments SET program = 'another'
        WHERE external_id = 'big'$e$),
    ('profile_segments', 'name', 'told', $e$UPDATE loyalty.profile_segments SET name = 'Renamed'
        WHERE external_id = 'riga'$e$),
    ('profile_segments', 'description', 'told', $e$UPDATE loyalty.profile_segments SET description = 'Described'
        WHERE external_id = 'riga'$e$),
    ('profile_segments', 'external_id', 'refused', $e$UPDATE loyalty.profile_segments SET external_id = 'another'
        WHERE external_id = 'riga'$e$),
    ('profile_segments', 'program', 'refused', $e$UPDATE loyalty.profile_segments SET program = 'another'
        WHERE external_id = 'riga'$e$),
    ('products', 'name', 'told', $e$UPDATE loyalty.products SET name = 'Renamed' WHERE sku = 'tea'$e$),
    ('products', 'sku', 'seen', $e$UPDATE loyalty.products SET sku = 'another' WHERE sku = 'tea'$e$),
    ('products', 'program', 'refused', $e$UPDATE loyalty.products SET program = 'another' WHERE sku = 'tea'$e$),
    ('partners', 'name', 'told', $e$UPDATE loyalty.partners SET name = 'Renamed' WHERE external_id = 'acme'$e$),
    ('partners', 'description', 'told', $e$UPDATE loyalty.partners SET description = 'Described'
        WHERE external_id = 'acme'$e$),
    ('partners', 'external_id', 'refused', $e$UPDATE loyalty.partners SET external_id = 'another'
        WHERE external_id = 'acme'$e$),
    ('partners', 'program', 'refused', $e$UPDATE loyalty.partners SET program = 'another'
        WHERE external_id = 'acme'$e$),
    ('tier_groups', 'name', 'told', $e$UPDATE loyalty.tier_groups SET name = 'Renamed' WHERE external_id = 'cum'$e$),
    ('tier_groups', 'description', 'told', $e$UPDATE loyalty.tier_groups SET description = 'Described'
        WHERE external_id = 'cum'$e$),
    ('tier_groups', 'external_id', 'refused', $e$UPDATE loyalty.tier_groups SET external_id = 'another'
        WHERE external_id = 'cum'$e$),
    ('tier_groups', 'program', 'refused', $e$UPDATE loyalty.tier_groups SET program = 'another'
        WHERE external_id = 'cum'$e$),
    ('tiers', 'name', 'told', $e$UPDATE loyalty.tiers SET name = 'Renamed' WHERE external_id = 'gold'$e$),
    ('tiers', 'description', 'told', $e$UPDATE loyalty.tiers SET description = 'Described'
        WHERE external_id = 'gold'$e$),
    ('tiers', 'external_id', 'refused', $e$UPDATE loyalty.tiers SET external_id = 'another'
        WHERE external_id = 'gold'$e$),
    ('tiers', 'program', 'refused', $e$UPDATE loyalty.tiers SET program = 'another' WHERE external_id = 'gold'$e$),
    ('promo_code_pools', 'name', 'told', $e$UPDATE loyalty.promo_code_pools SET name = 'Renamed'
        WHERE external_id = 'pers'$e$),
    ('promo_code_pools', 'description', 'told', $e$UPDATE loyalty.promo_code_pools SET description = 'Described'
        WHERE external_id = 'pers'$e$),
    ('promo_code_pools', 'external_id', 'refused', $e$UPDATE loyalty.promo_code_pools SET external_id = 'another'
        WHERE external_id = 'pers'$e$),
    ('promo_code_pools', 'program', 'refused', $e$UPDATE loyalty.promo_code_pools SET program = 'another'
        WHERE external_id = 'pers'$e$),
    ('promotion_groups', 'name', 'told', $e$UPDATE loyalty.promotion_groups SET name = 'Renamed'
        WHERE external_id = 'g'$e$),
    ('promotion_groups', 'description', 'told', $e$UPDATE loyalty.promotion_groups SET description = 'Described'
        WHERE external_id = 'g'$e$),
    ('promotion_groups', 'external_id', 'refused', $e$UPDATE loyalty.promotion_groups SET external_id = 'another'
        WHERE external_id = 'g'$e$),
    ('promotion_groups', 'program', 'refused', $e$UPDATE loyalty.promotion_groups SET program = 'another'
        WHERE external_id = 'g'$e$),
    ('promotions', 'name', 'told', $e$UPDATE loyalty.promotions SET name = 'Renamed' WHERE external_id = 'sale'$e$),
    ('promotions', 'description', 'told', $e$UPDATE loyalty.promotions SET description = 'Described'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'external_id', 'refused', $e$UPDATE loyalty.promotions SET external_id = 'another'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'program', 'refused', $e$UPDATE loyalty.promotions SET program = 'another'
        WHERE external_id = 'sale'$e$),
    ('profile_databases', 'relation', 'seen', $e$UPDATE loyalty.profile_databases SET relation = 'fans'
        WHERE external_id = 'c'$e$),
    ('profile_databases', 'key_column', 'seen', $e$UPDATE loyalty.profile_databases SET key_column = 'other_id'
        WHERE external_id = 'c'$e$),
    ('profile_databases', 'email_column', 'seen', $e$UPDATE loyalty.profile_databases SET email_column = 'other_mail'
        WHERE external_id = 'c'$e$),
    ('profile_databases', 'phone_column', 'seen', $e$UPDATE loyalty.profile_databases SET phone_column = 'other_phone'
        WHERE external_id = 'c'$e$),
    ('programs', 'profile_database', 'refused', $e$UPDATE loyalty.programs SET profile_database = 'd'
        WHERE external_id = 'p'$e$),
    ('programs', 'currency', 'refused', $e$UPDATE loyalty.programs SET currency = 'USD' WHERE external_id = 'p'$e$),
    ('programs', 'currency_scale', 'refused', $e$UPDATE loyalty.programs SET currency_scale = 3
        WHERE external_id = 'p'$e$),
    ('programs', 'price_scale', 'told', $e$UPDATE loyalty.programs SET price_scale = 4 WHERE external_id = 'p'$e$),
    ('programs', 'time_zone', 'refused', $e$UPDATE loyalty.programs SET time_zone = 'Asia/Tokyo'
        WHERE external_id = 'p'$e$),
    ('programs', 'negative_balance_allowed', 'seen', $e$UPDATE loyalty.programs SET negative_balance_allowed = true
        WHERE external_id = 'p'$e$),
    ('programs', 'notify_days', 'told', $e$UPDATE loyalty.programs SET notify_days = '{5}' WHERE external_id = 'p'$e$),
    ('programs', 'search_limit', 'told', $e$UPDATE loyalty.programs SET search_limit = 5000 WHERE external_id = 'p'$e$),
    ('programs', 'max_discount_guarantee', 'refused', $e$UPDATE loyalty.programs SET max_discount_guarantee = 1
        WHERE external_id = 'p'; SELECT loyalty_apply('p')$e$),
    ('programs', 'price_history', 'seen', $e$UPDATE loyalty.programs SET price_history = true
        WHERE external_id = 'p'$e$),
    ('programs', 'active', 'seen', $e$UPDATE loyalty.programs SET active = false WHERE external_id = 'p'$e$),
    ('order_statuses', 'position', 'seen', $e$UPDATE loyalty.order_statuses SET position = 30
        WHERE external_id = 'processing'$e$),
    ('order_statuses', 'kind', 'seen', $e$UPDATE loyalty.order_statuses SET kind = 'cancelled'
        WHERE external_id = 'delivering'$e$),
    ('point_types', 'kind', 'refused', $e$UPDATE loyalty.point_types SET kind = 'qualification'
        WHERE external_id = 'bonus'$e$),
    ('point_types', 'scale', 'refused', $e$UPDATE loyalty.point_types SET scale = 0 WHERE external_id = 'bonus'$e$),
    ('point_types', 'ratio', 'seen', $e$UPDATE loyalty.point_types SET ratio = 2 WHERE external_id = 'bonus'$e$),
    ('point_types', 'rounding', 'seen', $e$UPDATE loyalty.point_types SET rounding = 'up' WHERE external_id = 'q'$e$),
    ('point_types', 'redeem_min', 'seen', $e$UPDATE loyalty.point_types SET redeem_min = 100
        WHERE external_id = 'bonus'$e$),
    ('point_types', 'redeem_step', 'seen', $e$UPDATE loyalty.point_types SET redeem_step = 5
        WHERE external_id = 'bonus'$e$),
    ('point_types', 'redeem_max_percent', 'seen', $e$UPDATE loyalty.point_types SET redeem_max_percent = 5
        WHERE external_id = 'bonus'$e$),
    ('point_types', 'initial_balance', 'seen', $e$UPDATE loyalty.point_types SET initial_balance = 20
        WHERE external_id = 'bonus'$e$),
    ('point_types', 'validity_count', 'seen', $e$UPDATE loyalty.point_types SET validity_count = 4
        WHERE external_id = 'bonus'$e$),
    ('point_types', 'validity_unit', 'seen', $e$UPDATE loyalty.point_types SET validity_unit = 'week'
        WHERE external_id = 'bonus'$e$),
    ('point_types', 'refund_allowed', 'seen', $e$UPDATE loyalty.point_types SET refund_allowed = false
        WHERE external_id = 'bonus'$e$),
    ('point_types', 'deactivates_at', 'seen', $e$UPDATE loyalty.point_types SET deactivates_at = '2027-06-16 12:00Z'
        WHERE external_id = 'bonus'$e$),
    ('point_types', 'deactivates_on', 'seen', $e$UPDATE loyalty.point_types SET deactivates_on = '2027-06-16'
        WHERE external_id = 'bonus'$e$),
    ('point_types', 'active', 'seen', $e$UPDATE loyalty.point_types SET active = false WHERE external_id = 'bonus'$e$),
    ('contact_points', 'channel', 'seen', $e$UPDATE loyalty.contact_points SET channel = 'shop'
        WHERE external_id = 'cart'$e$),
    ('product_segments', 'kind', 'refused', $e$UPDATE loyalty.product_segments SET kind = 'static', predicate = NULL
        WHERE external_id = 'hot'$e$),
    ('product_segments', 'predicate', 'seen', $e$UPDATE loyalty.product_segments SET predicate = '$.price > 15'
        WHERE external_id = 'hot'$e$),
    ('order_segments', 'kind', 'refused', $e$UPDATE loyalty.order_segments SET kind = 'static', predicate = NULL
        WHERE external_id = 'big'$e$),
    ('order_segments', 'predicate', 'seen', $e$UPDATE loyalty.order_segments SET predicate = '$.goods >= 500'
        WHERE external_id = 'big'$e$),
    ('profile_segments', 'kind', 'refused', $e$UPDATE loyalty.profile_segments SET kind = 'static', predicate = NULL
        WHERE external_id = 'riga'$e$),
    ('profile_segments', 'predicate', 'seen', $e$UPDATE loyalty.profile_segments SET predicate = '$.city == "Oslo"'
        WHERE external_id = 'riga'$e$),
    ('product_segment_members', 'sku', 'seen', $e$UPDATE loyalty.product_segment_members SET sku = 'tea'
        WHERE segment = 'mugs'$e$),
    ('product_segment_members', 'segment', 'seen', $e$UPDATE loyalty.product_segment_members SET segment = 'none'
        WHERE segment = 'mugs'$e$),
    ('product_segment_members', 'program', 'refused', $e$UPDATE loyalty.product_segment_members SET program = 'another'
        WHERE segment = 'mugs'$e$),
    ('order_segment_members', 'order_id', 'seen', $e$UPDATE loyalty.order_segment_members SET order_id = 'Z'
        WHERE segment = 'listed'$e$),
    ('order_segment_members', 'segment', 'seen', $e$UPDATE loyalty.order_segment_members SET segment = 'empty'
        WHERE segment = 'listed'$e$),
    ('order_segment_members', 'program', 'refused', $e$UPDATE loyalty.order_segment_members SET program = 'another'
        WHERE segment = 'listed'$e$),
    ('profile_segment_members', 'profile', 'seen', $e$UPDATE loyalty.profile_segment_members SET profile = 'bob'
        WHERE segment = 'vip'$e$),
    ('profile_segment_members', 'segment', 'seen', $e$UPDATE loyalty.profile_segment_members SET segment = 'nobody'
        WHERE segment = 'vip'$e$),
    ('profile_segment_members', 'program', 'refused', $e$UPDATE loyalty.profile_segment_members SET program = 'another'
        WHERE segment = 'vip'$e$),
    ('products', 'price', 'seen', $e$UPDATE loyalty.products SET price = 11 WHERE sku = 'tea'$e$),
    ('products', 'min_price', 'seen', $e$UPDATE loyalty.products SET min_price = 9.5 WHERE sku = 'tea'$e$),
    ('products', 'categories', 'seen', $e$UPDATE loyalty.products SET categories = '{}' WHERE sku = 'tea'$e$),
    ('products', 'fields', 'seen', $e$UPDATE loyalty.promotion_benefits
        SET benefit = 'price_from_field', parameters = '{"field": "vip"}' WHERE promotion = 'sale' AND position = 1$e$),
    ('partners', 'site', 'told', $e$UPDATE loyalty.partners SET site = 'https://acme.example'
        WHERE external_id = 'acme'$e$),
    ('partners', 'email', 'told', $e$UPDATE loyalty.partners SET email = 'me@acme.example'
        WHERE external_id = 'acme'$e$),
    ('partners', 'starts_on', 'seen', $e$UPDATE loyalty.partners SET starts_on = '2027-07-01'
        WHERE external_id = 'acme'$e$),
    ('partner_products', 'program', 'refused', $e$UPDATE loyalty.partner_products SET program = 'another'
        WHERE sku = 'mug'$e$),
    ('partner_products', 'sku', 'seen', $e$UPDATE loyalty.partner_products SET sku = 'cap' WHERE sku = 'mug'$e$),
    ('partner_products', 'partner', 'seen', $e$UPDATE loyalty.promotion_benefits
        SET parameters = '{"partners": ["acme"]}'
        WHERE promotion = 'partner'; UPDATE loyalty.partner_products SET partner = 'other'$e$),
    ('partner_products', 'discount_percent', 'seen', $e$UPDATE loyalty.partner_products SET discount_percent = 11
        WHERE sku = 'mug'$e$),
    ('partner_products', 'points_value', 'seen', $e$UPDATE loyalty.partner_products SET points_value = 6
        WHERE sku = 'mug'$e$),
    ('partner_products', 'points_unit', 'seen', $e$UPDATE loyalty.partner_products SET points_unit = 'percent'
        WHERE sku = 'mug'$e$),
    ('partner_products', 'max_payable_points', 'seen', $e$UPDATE loyalty.promotion_benefits
        SET benefit = 'partner_points', parameters = '{"mode": "pay", "point_type": "bonus"}'
        FROM loyalty.promotion_conditions AS c
        WHERE c.promotion = 'earn' AND promotion_benefits.promotion = 'earn' AND condition = 1$e$),
    ('tier_groups', 'model', 'refused', $e$UPDATE loyalty.tier_groups
        SET model = 'cyclic', interval_count = 1, interval_unit = 'month' WHERE external_id = 'cum'$e$),
    ('tier_groups', 'point_type', 'refused', $e$UPDATE loyalty.tier_groups SET point_type = 'bonus'
        WHERE external_id = 'cum'$e$),
    ('tier_groups', 'fall_on_reversal', 'seen', $e$UPDATE loyalty.tier_groups SET fall_on_reversal = true
        WHERE external_id = 'cum'$e$),
    ('tier_groups', 'interval_count', 'seen', $e$UPDATE loyalty.tier_groups SET interval_count = 2
        WHERE external_id = 'cyc'$e$),
    ('tier_groups', 'interval_unit', 'seen', $e$UPDATE loyalty.tier_groups SET interval_unit = 'year'
        WHERE external_id = 'cyc'$e$),
    ('tier_groups', 'upgrade_at_once', 'seen', $e$UPDATE loyalty.tier_groups SET upgrade_at_once = false
        WHERE external_id = 'cyc'$e$),
    ('tier_groups', 'reset_count', 'seen', $e$UPDATE loyalty.tier_groups SET reset_count = 2, reset_unit = 'year'
        WHERE external_id = 'cyc'$e$),
    ('tier_groups', 'reset_unit', 'seen', $e$UPDATE loyalty.tier_groups SET reset_count = 1, reset_unit = 'year'
        WHERE external_id = 'cyc'$e$),
    ('tier_groups', 'extend_to_month_end', 'seen', $e$UPDATE loyalty.tier_groups SET extend_to_month_end = true
        WHERE external_id = 'cyc'$e$),
    ('tier_groups', 'activity_days', 'told', $e$UPDATE loyalty.tier_groups SET activity_days = NULL
        WHERE external_id = 'dyn'$e$),
    ('tiers', 'tier_group', 'refused', $e$UPDATE loyalty.tiers SET tier_group = 'cyc' WHERE external_id = 'gold'$e$),
    ('tiers', 'position', 'refused', $e$UPDATE loyalty.tiers SET position = -1 WHERE external_id = 'gold'$e$),
    ('tiers', 'threshold', 'seen', $e$UPDATE loyalty.tiers SET threshold = 5 WHERE external_id = 'base'$e$),
    ('tiers', 'predicate', 'seen', $e$UPDATE loyalty.tiers SET predicate = '$.orders.count >= 100'
        WHERE external_id = 'buyer'$e$),
    ('goals', 'program', 'refused', $e$UPDATE loyalty.goals SET program = 'another' WHERE external_id = 'box'$e$),
    ('goals', 'external_id', 'refused', $e$UPDATE loyalty.goals SET external_id = 'another'
        WHERE external_id = 'box'$e$),
    ('goals', 'name', 'told', $e$UPDATE loyalty.goals SET name = 'Renamed' WHERE external_id = 'box'$e$),
    ('goals', 'description', 'told', $e$UPDATE loyalty.goals SET description = 'Described'
        WHERE external_id = 'box'$e$),
    ('goals', 'point_type', 'refused', $e$UPDATE loyalty.goals SET point_type = 'q' WHERE external_id = 'box'$e$),
    ('goals', 'points', 'seen', $e$UPDATE loyalty.goals SET points = 6 WHERE external_id = 'box'$e$),
    ('goals', 'automatic', 'seen', $e$UPDATE loyalty.goals SET automatic = true WHERE external_id = 'box'$e$),
    ('goals', 'active', 'seen', $e$UPDATE loyalty.goals SET active = false WHERE external_id = 'box'$e$),
    ('goals', 'promo_code_pool', 'seen', $e$UPDATE loyalty.goals SET promo_code_pool = NULL, reward_text = 'A treat'
        WHERE external_id = 'treat'$e$),
    ('goals', 'reward_point_type', 'seen', $e$UPDATE loyalty.goals SET reward_point_type = 'r'
        WHERE external_id = 'rank'$e$),
    ('goals', 'reward_points', 'seen', $e$UPDATE loyalty.goals SET reward_points = 3 WHERE external_id = 'rank'$e$),
    ('goals', 'reward_text', 'seen', $e$UPDATE loyalty.goals SET reward_text = 'Two boxes'
        WHERE external_id = 'box'$e$),
    ('promo_code_pools', 'kind', 'refused', $e$UPDATE loyalty.promo_code_pools SET kind = 'universal'
        WHERE external_id = 'pers'$e$),
    ('promo_code_pools', 'valid_from', 'seen', $e$UPDATE loyalty.promo_code_pools SET valid_from = '2027-07-01'
        WHERE external_id = 'pers'$e$),
    ('promo_code_pools', 'valid_until', 'seen', $e$UPDATE loyalty.promo_code_pools SET valid_until = '2027-06-01'
        WHERE external_id = 'pers'$e$),
    ('promo_code_pools', 'starts_on', 'seen', $e$UPDATE loyalty.promo_code_pools SET starts_on = '2027-07-01'
        WHERE external_id = 'pers'$e$),
    ('promo_code_pools', 'ends_on', 'seen', $e$UPDATE loyalty.promo_code_pools SET ends_on = '2027-06-01'
        WHERE external_id = 'pers'$e$),
    ('promo_code_pools', 'max_uses', 'seen', $e$UPDATE loyalty.promo_code_pools SET max_uses = 1
        WHERE external_id = 'uni'$e$),
    ('promo_code_pools', 'max_uses_per_member', 'seen', $e$UPDATE loyalty.promo_code_pools SET max_uses_per_member = 1
        WHERE external_id = 'uni'$e$),
    ('promo_code_pools', 'code_validity_count', 'seen', $e$UPDATE loyalty.promo_code_pools
        SET code_validity_count = 1, code_validity_unit = 'day' WHERE external_id = 'pers'$e$),
    ('promo_code_pools', 'template', 'seen', $e$UPDATE loyalty.promo_code_pools SET template = 'birthday'
        WHERE external_id = 'pers'$e$),
    ('promo_code_pools', 'code_validity_unit', 'seen', $e$UPDATE loyalty.promo_code_pools
        SET code_validity_unit = 'month', code_validity_count = 1 WHERE external_id = 'pers'$e$),
    ('promotion_groups', 'parent', 'seen', $e$UPDATE loyalty.promotion_groups SET parent = 'h'
        WHERE external_id = 'g'$e$),
    ('promotion_groups', 'position', 'seen', $e$UPDATE loyalty.promotion_groups SET position = 0
        WHERE external_id = 'g'$e$),
    ('promotion_groups', 'arbitration', 'seen', $e$UPDATE loyalty.promotion_groups SET arbitration = 'summation'
        WHERE external_id = 'g'$e$),
    ('promotion_groups', 'max_discount_percent', 'seen', $e$UPDATE loyalty.promotion_groups SET max_discount_percent = 1
        WHERE external_id = 'g'$e$),
    ('promotion_groups', 'max_discount_amount', 'seen', $e$UPDATE loyalty.promotion_groups SET max_discount_amount = 1
        WHERE external_id = 'g'$e$),
    ('promotion_groups', 'min_product_price_percent', 'seen', $e$UPDATE loyalty.promotion_groups
        SET min_product_price_percent = 99 WHERE external_id = 'g'$e$),
    ('promotion_groups', 'min_product_price_amount', 'seen', $e$UPDATE loyalty.promotion_groups
        SET min_product_price_amount = 9.9 WHERE external_id = 'g'$e$),
    ('promotion_groups', 'best', 'seen', $e$UPDATE loyalty.promotion_groups
        SET arbitration = 'max_benefit', best = 'single' WHERE external_id = 'g'$e$),
    ('promotion_groups', 'best_of', 'seen', $e$UPDATE loyalty.promotion_groups
        SET arbitration = 'max_benefit', best = 'single', best_of = 'line' WHERE external_id = 'g'$e$),
    ('promotion_groups', 'archived', 'seen', $e$UPDATE loyalty.promotion_groups SET archived = true
        WHERE external_id = 'g'$e$),
    ('promotions', 'kind', 'refused', $e$UPDATE loyalty.promotions SET kind = 'points' WHERE external_id = 'sale'$e$),
    ('promotions', 'parent', 'seen', $e$UPDATE loyalty.promotions SET parent = 'main' WHERE external_id = 'sale'$e$),
    ('promotions', 'position', 'seen', $e$UPDATE loyalty.promotions SET position = 7 WHERE external_id = 'sale'$e$),
    ('promotions', 'state', 'seen', $e$UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'sale'$e$),
    ('promotions', 'audience', 'seen', $e$UPDATE loyalty.promotions SET audience = 'members'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'audience_segments', 'seen', $e$UPDATE loyalty.promotions SET audience_segments = '{nobody}'
        WHERE external_id = 'local'$e$),
    ('promotions', 'audience_tiers', 'seen', $e$UPDATE loyalty.promotions SET audience_tiers = '{local}'
        WHERE external_id = 'golden'$e$),
    ('promotions', 'starts_at', 'seen', $e$UPDATE loyalty.promotions SET starts_at = '2027-07-01'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'ends_at', 'seen', $e$UPDATE loyalty.promotions SET ends_at = '2027-06-01'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'starts_on', 'seen', $e$UPDATE loyalty.promotions SET starts_on = '2027-07-01'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'ends_on', 'seen', $e$UPDATE loyalty.promotions SET ends_on = '2027-06-01'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'ends_after_count', 'seen', $e$UPDATE loyalty.promotions
        SET ends_after_count = 1, ends_after_unit = 'day' WHERE external_id = 'sale'$e$),
    ('promotions', 'ends_after_unit', 'seen', $e$UPDATE loyalty.promotions
        SET ends_after_unit = 'month', ends_after_count = 1 WHERE external_id = 'sale'$e$),
    ('promotions', 'schedule_months', 'seen', $e$UPDATE loyalty.promotions SET schedule_months = '{12}'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'schedule_days', 'seen', $e$UPDATE loyalty.promotions SET schedule_days = '{16}'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'schedule_weekdays', 'seen', $e$UPDATE loyalty.promotions SET schedule_weekdays = '{5}'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'schedule_from', 'seen', $e$UPDATE loyalty.promotions
        SET schedule_from = '19:00', schedule_to = '21:00' WHERE external_id = 'sale'$e$),
    ('promotions', 'schedule_to', 'seen', $e$UPDATE loyalty.promotions
        SET schedule_to = '11:00', schedule_from = '09:00' WHERE external_id = 'sale'$e$),
    ('promotions', 'schedule_every_count', 'seen', $e$UPDATE loyalty.promotions
        SET schedule_every_count = 3, schedule_every_unit = 'day', starts_at = '2027-06-14'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'schedule_every_unit', 'seen', $e$UPDATE loyalty.promotions
        SET schedule_every_unit = 'week', schedule_every_count = 3, starts_at = '2027-05-01'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'promo_code_pool', 'seen', $e$UPDATE loyalty.promotions SET promo_code_pool = 'uni'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'channels', 'seen', $e$UPDATE loyalty.promotions SET channels = '{shop}'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'contact_points', 'seen', $e$UPDATE loyalty.promotions SET contact_points = '{till}'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'regions', 'seen', $e$UPDATE loyalty.promotions SET regions = '{78}' WHERE external_id = 'sale'$e$),
    ('promotions', 'benefit_rule', 'seen', $e$UPDATE loyalty.promotions SET benefit_rule = 'parallel'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'max_uses', 'seen', $e$UPDATE loyalty.promotions SET max_uses = 1 WHERE external_id = 'sale'$e$),
    ('promotions', 'max_uses_per_member', 'seen', $e$UPDATE loyalty.promotions SET max_uses_per_member = 1
        WHERE external_id = 'sale'$e$),
    ('promotions', 'max_uses_per_member_every', 'seen', $e$UPDATE loyalty.promotions
        SET max_uses_per_member_every = 'day', max_uses_per_member = 1 WHERE external_id = 'sale'$e$),
    ('promotions', 'money_budget', 'seen', $e$UPDATE loyalty.promotions SET money_budget = 1
        WHERE external_id = 'sale'$e$),
    ('promotions', 'points_budget', 'seen', $e$UPDATE loyalty.promotions SET points_budget = 1
        WHERE external_id = 'earn'$e$),
    ('promotions', 'order_mode', 'seen', $e$UPDATE loyalty.promotions SET order_mode = 'in', order_segments = '{empty}'
        WHERE external_id = 'sale'$e$),
    ('promotions', 'order_segments', 'seen', $e$UPDATE loyalty.promotions
        SET order_segments = '{big}', order_mode = 'outside' WHERE external_id = 'sale'$e$),
    ('promotions', 'min_items', 'seen', $e$UPDATE loyalty.promotions SET min_items = 5 WHERE external_id = 'sale'$e$),
    ('promotions', 'min_total', 'seen', $e$UPDATE loyalty.promotions SET min_total = 100 WHERE external_id = 'sale'$e$),
    ('promotions', 'min_total_at', 'told', $e$UPDATE loyalty.promotions SET min_total = 1, min_total_at = 'current'
        WHERE external_id = 'sale'$e$),
    ('promotion_conditions', 'min_total_at', 'told', $e$UPDATE loyalty.promotion_conditions
        SET min_total = 1, min_total_at = 'current' WHERE promotion = 'sale'$e$),
    ('promotion_conditions', 'min_items', 'seen', $e$UPDATE loyalty.promotion_conditions SET min_items = 3
        WHERE promotion = 'sale'$e$),
    ('promotion_conditions', 'min_total', 'seen', $e$UPDATE loyalty.promotion_conditions SET min_total = 30
        WHERE promotion = 'sale'$e$),
    ('promotion_conditions', 'untouched', 'seen', $e$UPDATE loyalty.promotion_conditions SET untouched = true
        WHERE promotion = 'fix'$e$),
    ('promotion_conditions', 'program', 'refused', $e$UPDATE loyalty.promotion_conditions SET program = 'another'
        WHERE promotion = 'sale'$e$),
    ('promotion_conditions', 'promotion', 'refused', $e$UPDATE loyalty.promotion_conditions SET promotion = 'another'
        WHERE promotion = 'sale'$e$),
    ('promotion_conditions', 'position', 'refused', $e$UPDATE loyalty.promotion_conditions SET position = 3
        WHERE promotion = 'earn' AND position = 1$e$),
    ('promotion_conditions', 'level', 'refused', $e$UPDATE loyalty.promotion_conditions SET level = 'order'
        WHERE promotion = 'sale'$e$),
    ('promotion_conditions', 'mode', 'seen', $e$UPDATE loyalty.promotion_conditions SET mode = 'outside'
        WHERE promotion = 'sale'$e$),
    ('promotion_conditions', 'segments', 'seen', $e$UPDATE loyalty.promotion_conditions SET segments = '{mugs}'
        WHERE promotion = 'sale'$e$),
    ('promotion_benefits', 'program', 'refused', $e$UPDATE loyalty.promotion_benefits SET program = 'another'
        WHERE promotion = 'sale' AND position = 1$e$),
    ('promotion_benefits', 'promotion', 'refused', $e$UPDATE loyalty.promotion_benefits SET promotion = 'another'
        WHERE promotion = 'sale' AND position = 1$e$),
    ('promotion_benefits', 'condition', 'refused', $e$UPDATE loyalty.promotion_benefits SET condition = 2
        WHERE promotion = 'sale' AND position = 1$e$),
    ('promotion_benefits', 'position', 'seen', $e$UPDATE loyalty.promotion_benefits SET position = 9
        WHERE promotion = 'sale' AND position = 1$e$),
    ('promotion_benefits', 'benefit', 'seen', $e$UPDATE loyalty.promotion_benefits
        SET benefit = 'round_price', parameters = '{"mode": "integer_down"}'
        WHERE promotion = 'sale' AND position = 1$e$),
    ('promotion_benefits', 'parameters', 'seen', $e$UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 11}'
        WHERE promotion = 'sale' AND position = 1$e$),
    ('trigger_rules', 'program', 'refused', $e$UPDATE loyalty.trigger_rules SET program = 'another'
        WHERE promotion = 'visit'$e$),
    ('trigger_rules', 'promotion', 'refused', $e$UPDATE loyalty.trigger_rules SET promotion = 'sale'
        WHERE promotion = 'visit'$e$),
    ('trigger_rules', 'operation', 'seen', $e$UPDATE loyalty.trigger_rules SET operation = 'deduction'
        WHERE promotion = 'visit'$e$),
    ('trigger_rules', 'point_type', 'seen', $e$UPDATE loyalty.trigger_rules SET point_type = 'q'
        WHERE promotion = 'visit'$e$),
    ('trigger_rules', 'amount', 'seen', $e$UPDATE loyalty.trigger_rules SET amount = 6 WHERE promotion = 'visit'$e$),
    ('trigger_rules', 'min_amount', 'seen', $e$UPDATE loyalty.trigger_rules SET min_amount = 3
        WHERE promotion = 'visit'$e$),
    ('trigger_rules', 'max_amount', 'seen', $e$UPDATE loyalty.trigger_rules SET max_amount = 7
        WHERE promotion = 'visit'$e$);
-- Every column has its row. When rows were made and changed is on record; what is generated, or filled by an apply, is
-- no setting.
SELECT list.relation, attname
FROM loyalty.document_tables AS list
JOIN pg_attribute ON attrelid = format('loyalty.%I', list.relation)::regclass AND attnum > 0 AND NOT attisdropped
    AND attgenerated = ''
LEFT JOIN settings ON settings.relation = list.relation AND settings."column" = attname
WHERE attname NOT IN ('created_at', 'updated_at') AND attname <> ALL (list.hidden) AND settings.relation IS NULL
ORDER BY list.rank, attnum;
SELECT settings.relation, settings."column" FROM settings
    WHERE NOT EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = format('loyalty.%I', settings.relation)::regclass AND attname = settings."column");
-- And its difference
CREATE TABLE found AS
SELECT settings.*, after.refused, after.told IS DISTINCT FROM before.told AS is_seen,
    after.document IS DISTINCT FROM before.document AS is_told
FROM settings, behaviour_after('SELECT 1') AS before, behaviour_after(settings.edit) AS after;
SELECT relation, "column", wanted, refused, is_seen, is_told
FROM found
WHERE CASE wanted WHEN 'refused' THEN refused IS NULL WHEN 'seen' THEN refused IS NOT NULL
    OR NOT is_seen ELSE refused IS NOT NULL OR NOT is_told END
ORDER BY relation, "column";
SELECT wanted, count(*) > 0 AS some FROM found GROUP BY wanted ORDER BY wanted;

DROP SCHEMA loyalty CASCADE;
DROP VIEW people, fans;
DROP TABLE settings, found, customers;
DROP FUNCTION answer, behaviour_after, behaviour;
