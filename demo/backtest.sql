-- A draft tried on the year that history.sql has lived through, in its database.

SET client_min_messages = warning;

UPDATE loyalty.promotion_benefits
SET parameters = '{"percent": 5, "target": "order"}'
WHERE program = 'history' AND promotion = 'everyday';

SELECT
    orders,
    changed,
    to_char(was, '9,999,990.00') AS was,
    to_char(would_be, '9,999,990.00') AS "would be",
    to_char(difference, '9,999,990.00') AS difference
FROM loyalty_backtest_summary('history')
LIMIT 1;
