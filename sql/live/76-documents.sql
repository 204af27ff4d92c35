-- A program as a document: one list of the tables that hold what is configured. Columns, defaults and checks come from
-- the catalogue, so a column that is added later is in the document by itself, and a table by its line here.

-- rank: the order in which rows are made; they are removed in the opposite one.
-- inherits: which of its columns are which of the parent's, and so are not said again.
-- own_key: what names a row among those of its parent; {position}: its place in the list does.
-- scope: columns within which position orders the rows; the document has them in that order and no position.
-- scalar: the one column, where elements are plain values.
-- is_part: what is listed is all there is.
-- only_if_named: no pruning where the document does not have the list at all: other programs may share the rows, or the
-- document was exported without them. option: exported only if asked for.
-- hidden: columns that are no configuration. stays: columns that keep their value where they are left out.
-- shown: the rows that are in a document of program $1. preset: defaults that depend on the row.
-- renumbered: places of a row that counts by its order. retired: what a row becomes that is to go but cannot be
-- deleted.
CREATE OR REPLACE VIEW loyalty.document_tables AS
SELECT
    list.*,
    coalesce(list.own_key = '{position}', false) AS is_positional
FROM (
    VALUES
        (
            10, 'profile_databases', 'programs', 'profile_databases', 'profile database', '{}'::jsonb,
            '{external_id}'::text[],
            NULL::text[], NULL, false, true, NULL, '{}'::text[], '{}'::text[],
            'external_id = (SELECT bound.profile_database FROM loyalty.programs AS bound WHERE bound.external_id = $1)',
            NULL, NULL, NULL
        ),
        (
            20, 'programs', NULL, NULL, 'program', '{}', '{external_id}',
            NULL, NULL, false, true, NULL, '{}', '{}', 'external_id = $1',
            $$jsonb_build_object('currency_scale', loyalty_internal.currency_scale(currency::text))$$, NULL, NULL
        ),
        (
            30, 'order_statuses', 'programs', 'order_statuses', 'order status', '{}', '{external_id}',
            '{}', NULL, false, true, NULL, '{}', '{}', 'true', NULL, NULL, NULL
        ),
        (
            40, 'point_types', 'programs', 'point_types', 'point type', '{"program": "external_id"}', '{external_id}',
            NULL, NULL, false, false, NULL, '{applied_ratio}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            50, 'channels', 'programs', 'channels', 'channel', '{"program": "external_id"}', '{external_id}',
            NULL, NULL, false, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            60, 'contact_points', 'channels', 'contact_points', 'contact point',
            '{"program": "program", "channel": "external_id"}', '{external_id}',
            NULL, NULL, false, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            70, 'regions', 'programs', 'regions', 'region', '{"program": "external_id"}', '{external_id}',
            NULL, NULL, false, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            75, 'fields', 'programs', 'fields', 'custom field', '{"program": "external_id"}', '{kind,name}',
            NULL, NULL, false, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            80, 'product_segments', 'programs', 'product_segments', 'product segment',
            '{"program": "external_id"}', '{external_id}',
            NULL, NULL, false, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            90, 'product_segment_members', 'product_segments', 'members', 'member of a product segment',
            '{"program": "program", "segment": "external_id"}', '{sku}',
            NULL, 'sku', true, true, 'members', '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            100, 'order_segments', 'programs', 'order_segments', 'order segment',
            '{"program": "external_id"}', '{external_id}',
            NULL, NULL, false, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            110, 'order_segment_members', 'order_segments', 'members', 'member of an order segment',
            '{"program": "program", "segment": "external_id"}', '{order_id}',
            NULL, 'order_id', true, true, 'members', '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            120, 'profile_segments', 'programs', 'profile_segments', 'profile segment',
            '{"program": "external_id"}', '{external_id}',
            NULL, NULL, false, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            130, 'profile_segment_members', 'profile_segments', 'members', 'member of a profile segment',
            '{"program": "program", "segment": "external_id"}', '{profile}',
            NULL, 'profile', true, true, 'members', '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            140, 'products', 'programs', 'products', 'product', '{"program": "external_id"}', '{sku}',
            NULL, NULL, false, true, 'products', '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            150, 'partners', 'programs', 'partners', 'partner', '{"program": "external_id"}', '{external_id}',
            NULL, NULL, false, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            160, 'partner_products', 'partners', 'products', 'product of a partner',
            '{"program": "program", "partner": "external_id"}', '{sku}',
            NULL, NULL, false, true, 'products', '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            170, 'tier_groups', 'programs', 'tier_groups', 'tier group', '{"program": "external_id"}', '{external_id}',
            NULL, NULL, false, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            180, 'tiers', 'tier_groups', 'tiers', 'tier',
            '{"program": "program", "tier_group": "external_id"}', '{external_id}',
            '{tier_group}', NULL, false, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            190, 'promo_code_pools', 'programs', 'promo_code_pools', 'promo-code pool',
            '{"program": "external_id"}', '{external_id}',
            NULL, NULL, false, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            195, 'goals', 'programs', 'goals', 'goal', '{"program": "external_id"}', '{external_id}',
            NULL, NULL, false, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        ),
        (
            200, 'promotion_groups', 'programs', 'promotion_groups', 'promotion group',
            '{"program": "external_id"}', '{external_id}',
            '{parent}', NULL, false, false, NULL, '{archived}', '{}', 'program = $1 AND NOT archived',
            $$CASE external_id WHEN 'main' THEN '{"name": "Main arbitration", "parent": null}' ELSE '{}' END$$,
            NULL,
            $$CASE WHEN loyalty_internal.document_has_lived(program::text, external_id::text)
                THEN '{"archived": true}' END$$
        ),
        (
            210, 'promotions', 'programs', 'promotions', 'promotion', '{"program": "external_id"}', '{external_id}',
            '{parent}', NULL, false, false, NULL, '{}', '{state}',
            $$program = $1 AND state <> 'ended' AND NOT EXISTS (
                SELECT
                FROM loyalty.promotion_groups AS away
                WHERE away.program = definition.program AND away.external_id = definition.parent AND away.archived
            )$$,
            $$CASE kind WHEN 'trigger' THEN '{"parent": null}' ELSE '{}' END$$,
            NULL,
            $$CASE WHEN state <> 'draft' THEN '{"state": "ended"}' END$$
        ),
        (
            220, 'promotion_conditions', 'promotions', 'conditions', 'promotion',
            '{"program": "program", "promotion": "external_id"}', '{position}',
            NULL, NULL, true, false, NULL, '{}', '{}', 'program = $1', NULL,
            $$jsonb_build_object('position', row_number() OVER (PARTITION BY promotion ORDER BY position))$$,
            NULL
        ),
        (
            230, 'promotion_benefits', 'promotion_conditions', 'benefits', 'promotion',
            '{"program": "program", "promotion": "promotion", "condition": "position"}', '{position}',
            NULL, NULL, true, false, NULL, '{}', '{}', 'program = $1', NULL,
            $$jsonb_build_object(
                'condition', (
                    SELECT count(*)
                    FROM loyalty.promotion_conditions AS sibling
                    WHERE sibling.program = definition.program
                        AND sibling.promotion = definition.promotion
                        AND sibling.position <= definition.condition
                ),
                'position', row_number() OVER (PARTITION BY promotion, condition ORDER BY position)
            )$$,
            NULL
        ),
        (
            240, 'trigger_rules', 'promotions', 'rules', 'promotion',
            '{"program": "program", "promotion": "external_id"}', '{operation,point_type}',
            NULL, NULL, true, false, NULL, '{}', '{}', 'program = $1', NULL, NULL, NULL
        )
) AS list (
    rank, relation, parent, key, noun, inherits, own_key, scope, scalar, is_part, only_if_named, option, hidden,
    stays, shown, preset, renumbered, retired
);

COMMENT ON VIEW loyalty.document_tables IS
    'The tables that a program as a document consists of: what loyalty_export() reads and loyalty_import() writes.';
COMMENT ON COLUMN loyalty.document_tables.rank IS 'Place in the order in which rows are made.';
COMMENT ON COLUMN loyalty.document_tables.relation IS 'The table, in schema loyalty.';
COMMENT ON COLUMN loyalty.document_tables.parent
    IS 'The table in whose objects its rows stand; null: they are the document.';
COMMENT ON COLUMN loyalty.document_tables.key IS 'Key of the list in those objects.';
COMMENT ON COLUMN loyalty.document_tables.noun IS 'What loyalty_plan() calls it.';
COMMENT ON COLUMN loyalty.document_tables.inherits IS 'Which of its columns have the value of which one of the parent.';
COMMENT ON COLUMN loyalty.document_tables.own_key IS
    'The columns that name a row in its list; position: its place does.';
COMMENT ON COLUMN loyalty.document_tables.scope IS
    'The columns within which the order of the list becomes the position; null: the order means nothing.';
COMMENT ON COLUMN loyalty.document_tables.scalar
    IS 'The column that the elements are the values of; null: they are objects.';
COMMENT ON COLUMN loyalty.document_tables.is_part IS 'Whether a list is always the whole one, also without pruning.';
COMMENT ON COLUMN loyalty.document_tables.only_if_named
    IS 'Whether nothing is pruned where the document has no such list.';
COMMENT ON COLUMN loyalty.document_tables.option
    IS 'The argument of loyalty_export() that brings it; null: always there.';
COMMENT ON COLUMN loyalty.document_tables.hidden IS 'Columns that are never in a document.';
COMMENT ON COLUMN loyalty.document_tables.stays IS 'Columns that keep their value where a document leaves them out.';
COMMENT ON COLUMN loyalty.document_tables.shown IS 'SQL condition: which rows are in the document of program $1.';
COMMENT ON COLUMN loyalty.document_tables.preset IS
    'SQL expression: defaults of the row in place of the table''s; may be null.';
COMMENT ON COLUMN loyalty.document_tables.renumbered IS
    'SQL expression: columns of the row that count by their order alone; may be null.';
COMMENT ON COLUMN loyalty.document_tables.retired IS
    'SQL expression: what changes in a row that is pruned but cannot be deleted; null: it is deleted.';
COMMENT ON COLUMN loyalty.document_tables.is_positional IS 'Whether its rows are named by nothing but their place.';

-- The keys that objects may have, beside those of lists.
CREATE OR REPLACE VIEW loyalty.document_columns AS
SELECT
    list.rank,
    list.relation,
    attribute.attname AS name,
    attribute.attnum AS ordinal,
    format_type(attribute.atttypid, attribute.atttypmod) AS type,
    pg_get_expr(value.adbin, value.adrelid) AS default_expression,
    attribute.attnotnull AS is_required,
    attribute.attname = ANY (list.own_key) AS is_key,
    list.inherits ? attribute.attname AS is_inherited,
    attribute.attname = ANY (list.hidden) AS is_hidden,
    attribute.attname = 'position' AND (list.scope IS NOT NULL OR list.is_positional) AS is_order,
    col_description(attribute.attrelid, attribute.attnum) AS description
FROM loyalty.document_tables AS list
JOIN pg_attribute AS attribute
    ON attribute.attrelid = to_regclass(format('loyalty.%I', list.relation))
    AND attribute.attnum > 0
    AND NOT attribute.attisdropped
    AND attribute.attgenerated = ''
    AND attribute.attname NOT IN ('created_at', 'updated_at')
LEFT JOIN pg_attrdef AS value ON value.adrelid = attribute.attrelid AND value.adnum = attribute.attnum;

COMMENT ON VIEW loyalty.document_columns IS
    'The columns of loyalty.document_tables: all but generated ones and those of time.';
COMMENT ON COLUMN loyalty.document_columns.rank IS 'That of the table.';
COMMENT ON COLUMN loyalty.document_columns.relation IS 'The table.';
COMMENT ON COLUMN loyalty.document_columns.name IS 'The column.';
COMMENT ON COLUMN loyalty.document_columns.ordinal IS 'Place in the table.';
COMMENT ON COLUMN loyalty.document_columns.type IS 'Type, as SQL names it.';
COMMENT ON COLUMN loyalty.document_columns.default_expression IS 'Its default; null: none.';
COMMENT ON COLUMN loyalty.document_columns.is_required IS 'Whether it is never null.';
COMMENT ON COLUMN loyalty.document_columns.is_key IS 'Whether it names the row in its list.';
COMMENT ON COLUMN loyalty.document_columns.is_inherited IS 'Whether it is said by the object around.';
COMMENT ON COLUMN loyalty.document_columns.is_hidden IS 'Whether it is never in a document.';
COMMENT ON COLUMN loyalty.document_columns.is_order IS 'Whether the order of the list says it.';
COMMENT ON COLUMN loyalty.document_columns.description IS 'What it means.';
