-- The golden example: base 100,000, a discount of 20 %, 15 % paid with points; the total by each arbitration type.
\set ECHO none
SET client_min_messages = warning;
SELECT loyalty_create_schema() \g /dev/null
\i demo/golden.sql
\set ECHO all
\set order '{"program": "golden", "member": "ann", "lines": [{"product": "PC-1", "quantity": 1, "price": 100000}], "redeem": [{"points": "bonus", "amount": "max"}]}'
\pset format unaligned
\pset tuples_only on

-- Before anything is applied: base prices.
SELECT loyalty_calculate(:'order') #> '{totals,total}';
SELECT loyalty_explain(:'order');

-- Consistent: 20 % off, then 15 % of what is left.
UPDATE loyalty.promotion_groups SET arbitration = 'consistent' WHERE program = 'golden';
SELECT loyalty_apply('golden');
SELECT loyalty_calculate(:'order') #> '{totals,total}';
SELECT loyalty_explain(:'order');
SELECT jsonb_pretty(loyalty_calculate(:'order'));

-- Incompatibility: the first takes the line.
UPDATE loyalty.promotion_groups SET arbitration = 'incompatibility' WHERE program = 'golden';
SELECT loyalty_apply('golden');
SELECT loyalty_calculate(:'order') #> '{totals,total}';
SELECT loyalty_explain(:'order');

-- Incompatibility with the promotions swapped.
UPDATE loyalty.promotions SET position = CASE external_id WHEN 'pay' THEN 1 ELSE 2 END WHERE program = 'golden';
SELECT loyalty_apply('golden');
SELECT loyalty_calculate(:'order') #> '{totals,total}';
SELECT loyalty_explain(:'order');

-- Summation: both on the same price; the order of promotions does not matter.
UPDATE loyalty.promotion_groups SET arbitration = 'summation' WHERE program = 'golden';
SELECT loyalty_apply('golden');
SELECT loyalty_calculate(:'order') #> '{totals,total}';
SELECT loyalty_explain(:'order');

-- Max benefit: whatever is worth most.
UPDATE loyalty.promotion_groups SET arbitration = 'max_benefit' WHERE program = 'golden';
SELECT loyalty_apply('golden');
SELECT loyalty_calculate(:'order') #> '{totals,total}';
SELECT loyalty_explain(:'order');

-- Whoever is no member gets neither; whoever does not ask pays with no points.
SELECT loyalty_calculate(:'order'::jsonb - 'member') #> '{totals,total}';
SELECT loyalty_explain(:'order'::jsonb - 'member');
SELECT loyalty_calculate(:'order'::jsonb - 'redeem') #> '{totals,total}';
SELECT loyalty_explain(:'order'::jsonb - 'redeem');

DROP SCHEMA loyalty CASCADE;
