-- What loyalty_verify() returns of the catalogue: memberships that are not what the predicates say.

CREATE OR REPLACE VIEW loyalty.membership_violations AS
SELECT
    'membership_is_what_its_predicate_says' AS invariant,
    coalesce(judged.program, membership.program)::text AS program,
    NULL::text AS member,
    NULL::text AS point_type,
    NULL::bigint AS seq,
    format(
        'product "%s" is%s kept as one of predicate %s, which is%s so',
        coalesce(judged.sku, membership.sku),
        CASE WHEN membership.sku IS NULL THEN ' not' ELSE '' END,
        coalesce(judged.predicate, membership.predicate),
        CASE WHEN judged.sku IS NULL THEN ' not' ELSE '' END
    ) AS detail
FROM (
    SELECT
        document.program,
        document.sku,
        predicate.id AS predicate
    FROM loyalty.product_documents AS document
    JOIN loyalty.product_predicates AS predicate ON predicate.program = document.program
    WHERE document.body @@ predicate.predicate
) AS judged
FULL JOIN loyalty.product_memberships AS membership
    ON membership.sku = judged.sku
    AND membership.program = judged.program
    AND membership.predicate = judged.predicate
WHERE judged.sku IS NULL OR membership.sku IS NULL;

COMMENT ON VIEW loyalty.membership_violations IS
    'Memberships of products that are wrong, one a row: what loyalty_verify() returns of them. Judges every product '
    'anew.';
COMMENT ON COLUMN loyalty.membership_violations.invariant IS 'Which invariant: membership_is_what_its_predicate_says.';
COMMENT ON COLUMN loyalty.membership_violations.program IS 'The program.';
COMMENT ON COLUMN loyalty.membership_violations.member IS 'Always null: it is about no member.';
COMMENT ON COLUMN loyalty.membership_violations.point_type IS 'Always null.';
COMMENT ON COLUMN loyalty.membership_violations.seq IS 'Always null.';
COMMENT ON COLUMN loyalty.membership_violations.detail IS 'Which product and predicate, and what is wrong.';
