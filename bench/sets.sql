-- A program with a set of five parts: buy three, get three at half the price. 50 products, each in three of five segments.
CREATE EXTENSION loyalty;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.products (program, sku, name, price, fields)
SELECT 'main', 'p' || number, 'Product ' || number, 5 + number % 37, jsonb_build_object('rest', number % 5)
FROM generate_series(1, 50) AS number;
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
SELECT
    'main', 's' || number, 'Segment ' || number,
    format(
        '$.fields.rest == %s || $.fields.rest == %s || $.fields.rest == %s', number, (number + 1) % 5, (number + 2) % 5
    )::jsonpath
FROM generate_series(0, 4) AS number;
SELECT loyalty_save_promotion('main', '{
    "external_id": "set", "name": "Set", "kind": "discount", "audience": "everyone", "state": "active",
    "conditions": [{"benefits": [{"benefit": "set", "parameters": {
        "buy": [{"segments": ["s0"], "count": 2}, {"segments": ["s1"], "count": 1}],
        "get": [{"segments": ["s2"], "count": 1}, {"segments": ["s3"], "count": 1}, {"segments": ["s4"], "count": 1}],
        "percent": 50}}]}]}');
SELECT loyalty_apply('main');
CREATE SCHEMA bench;
CREATE TABLE bench.document AS
SELECT jsonb_build_object('program', 'main', 'lines', (
    SELECT jsonb_agg(jsonb_build_object('product', 'p' || number, 'quantity', 1 + number % 3) ORDER BY number)
    FROM generate_series(1, 50) AS number
)) AS document;
VACUUM ANALYZE;
