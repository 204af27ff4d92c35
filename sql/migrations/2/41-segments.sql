-- Predicates of orders read what their goods in a product segment come to.

COMMENT ON COLUMN loyalty.order_segments.predicate IS
    'Dynamic only: an SQL/JSON path predicate over the order''s document, such as $.items >= 3; at most 10000 '
    'characters. $.segments[*] == "id" means membership in another order segment, $.lines[*].segments[*] == "id" that '
    'a line belongs to a product segment; $.segments.id.items and $.segments.id.total are what all lines in product '
    'segment id come to.';
