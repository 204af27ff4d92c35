-- A page of reports: well-formed, self-contained, with the figures of the reports, and whatever a name is, it is text.
\set SHOW_CONTEXT never
\i test/fixtures/shop.sql
SELECT loyalty_report_page('nowhere');
\echo :SQLSTATE
CREATE FUNCTION page() RETURNS xml LANGUAGE sql AS $$
SELECT xmlparse(document regexp_replace(loyalty_report_page('main', 3), '^<!doctype html>', ''))
$$;
CREATE FUNCTION texts(path text) RETURNS SETOF text LANGUAGE sql AS $$
SELECT replace(found::text, chr(8239), ' ')
    FROM unnest(xpath(path, page())) WITH ORDINALITY AS node (found, place) ORDER BY place
$$;

-- A program in which little has happened.
SELECT texts('//h2/text()');
SELECT texts('//dt/text()'), texts('//dd/text()');
SELECT count(*) FROM texts('//details');

-- Orders, a return, tiers; and hostile names wherever somebody gives one.
UPDATE loyalty.promotions SET name = '<script>alert("x")</script> & ''books''' WHERE external_id = 'books';
INSERT INTO loyalty.promotion_groups (program, external_id, name, max_discount_percent)
    VALUES ('main', 'g', '</table><img src=x onerror=alert(1)>', 30);
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type)
    VALUES ('main', '"><b>', 'Club', 'cumulative', 'status');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
    VALUES ('main', 'silver', '"><b>', '</svg><i>Silver</i>', 0);
INSERT INTO loyalty.profiles (key) VALUES ('<u>eve</u>');
INSERT INTO loyalty.members (member, program) VALUES ('<u>eve</u>', 'main');
SELECT count(loyalty_place_order(basket(id, who)))
FROM (VALUES ('O-1', 'ann'), ('O-2', 'bob'), ('<a href="javascript:x">O-3</a>', '<u>eve</u>'), ('O-4', NULL))
    AS list (id, who);
SELECT loyalty_return_items('main', 'O-2', '[{"id": "b", "quantity": 1}]', 'R-1') IS NOT NULL AS returned;
SELECT loyalty_report_page('main') ~* '<script|<img|<u>|<i>|<b>|<a |https?:|url\(|@import|src=[^x]'
    AS has_what_it_must_not;
SELECT texts('//tr[@class="promotion"]//span[@class="name"]/text()');
SELECT texts('//tr[@class="group"]//span[@class="name"]/text()');
SELECT texts('//details/summary/span[@class="name"]/text()');
SELECT texts('//details[@open]//tr/td[1]/text()') AS what, texts('//details[@open]//tr/td[2]') AS money;

-- Its figures are those of the reports.
SELECT texts('//dd/text()') AS shown;
SELECT members, round(liability) AS liability, round(revenue) AS revenue, round(discount) AS discount
    FROM loyalty.daily_activity ORDER BY day DESC LIMIT 1;
SELECT texts('//tr[@class="promotion"]/td[@data-label="Discount"]/text()')
EXCEPT ALL
SELECT to_char(performance.discount - performance.discount_returned, 'FM999990.00')
    FROM loyalty.promotion_performance AS performance;
SELECT texts('//tr[@class="promotion"]/td[@data-label="Revenue"]/text()')
EXCEPT ALL
SELECT to_char((SELECT sum(total - refunded) FROM loyalty.orders WHERE external_id IN (
    SELECT order_id FROM loyalty.order_operations WHERE promotion = promotions.external_id)), 'FM999990.00')
FROM loyalty.promotions;
SELECT texts('//figure/figcaption/text()');
SELECT replace(texts('//rect/*/text()'), chr(8239), ' ');
SELECT loyalty_internal.html_chart('<', '{a,b}', '{0,0}', '<') AS nothing,
    loyalty_internal.html_number(-1234567.891, 2) AS number, loyalty_internal.html(NULL) = '' AS empty;

DROP FUNCTION texts(text), page(), basket(text, text, jsonb), refusal(text);
DROP VIEW entries;
SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
