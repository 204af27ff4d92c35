-- What loyalty_verify() returns of custom fields: products that do not have them as they are listed.

CREATE OR REPLACE VIEW loyalty.field_violations AS
SELECT
    'fields_are_as_listed' AS invariant,
    product.program::text AS program,
    NULL::text AS member,
    NULL::text AS point_type,
    NULL::bigint AS seq,
    format('field "%s" of product "%s" %s', field.name, product.sku, judged.problem) AS detail
FROM loyalty.fields AS field
JOIN loyalty.products AS product ON product.program = field.program
CROSS JOIN LATERAL (
    SELECT loyalty_internal.field_problem(product.fields, field.name::text, field.type, field.required) AS problem
) AS judged
WHERE field.kind = 'product' AND judged.problem IS NOT NULL;

COMMENT ON VIEW loyalty.field_violations IS
    'Custom fields of products that are not as loyalty.fields lists them, one a row: what loyalty_verify() returns of '
    'them.';
COMMENT ON COLUMN loyalty.field_violations.invariant IS 'Which invariant: fields_are_as_listed.';
COMMENT ON COLUMN loyalty.field_violations.program IS 'The program.';
COMMENT ON COLUMN loyalty.field_violations.member IS 'Always null: it is about no member.';
COMMENT ON COLUMN loyalty.field_violations.point_type IS 'Always null.';
COMMENT ON COLUMN loyalty.field_violations.seq IS 'Always null.';
COMMENT ON COLUMN loyalty.field_violations.detail IS 'Which field of which product, and what is wrong.';
