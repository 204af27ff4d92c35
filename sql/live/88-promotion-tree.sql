-- The promotion tree as people look at it, and how many promotions are active.

-- Of the tree, what the version in force has as active and in its dates, and what has not ended since and is not
-- paused; trigger promotions need no version. Moments are exact decimals there, which to_timestamp() would make binary.
CREATE OR REPLACE VIEW loyalty.active_promotions AS
SELECT
    running.program,
    running.promotion,
    running.kind,
    running.starts_at,
    running.ends_at
FROM (
    SELECT
        version.program,
        promotion.external_id AS promotion,
        promotion.kind,
        'epoch'::timestamptz + (applied.node #>> '{starts_at,unix}' || ' seconds')::interval AS starts_at,
        'epoch'::timestamptz + (applied.node #>> '{ends_at,unix}' || ' seconds')::interval AS ends_at
    FROM (
        SELECT DISTINCT ON (promotion_versions.program)
            promotion_versions.program,
            promotion_versions.tree
        FROM loyalty.promotion_versions
        ORDER BY promotion_versions.program, promotion_versions.version DESC
    ) AS version
    CROSS JOIN LATERAL jsonb_array_elements(version.tree -> 'promotions') AS applied (node)
    JOIN loyalty.promotions AS promotion
        ON promotion.program = version.program AND promotion.external_id = applied.node ->> 'promotion'
    WHERE applied.node ->> 'state' = 'active'
        AND promotion.state <> 'ended'
        AND NOT EXISTS (
            SELECT
            FROM loyalty.paused_promotions AS paused
            WHERE paused.program = promotion.program
                AND paused.promotion = promotion.external_id
        )
    UNION ALL
    SELECT
        period.program,
        period.promotion,
        promotion.kind,
        period.starts_at,
        period.ends_at
    FROM loyalty.promotion_periods AS period
    JOIN loyalty.promotions AS promotion
        ON promotion.program = period.program AND promotion.external_id = period.promotion
    WHERE promotion.kind = 'trigger'
        AND period.current_state = 'active'
) AS running
WHERE running.starts_at <= loyalty.clock()
    AND coalesce(running.ends_at > loyalty.clock(), true);

COMMENT ON VIEW loyalty.active_promotions IS
    'Promotions that take part now: active, applied (but trigger promotions, which need no apply) and in their dates.';
COMMENT ON COLUMN loyalty.active_promotions.program IS 'The program.';
COMMENT ON COLUMN loyalty.active_promotions.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.active_promotions.kind IS 'discount, points or trigger.';
COMMENT ON COLUMN loyalty.active_promotions.starts_at IS 'Its start, inclusive.';
COMMENT ON COLUMN loyalty.active_promotions.ends_at IS 'Its end, exclusive; null: by hand.';

-- A node is pending when one of its own rows is: of a promotion also a condition or a benefit. What was removed has no
-- node.
CREATE OR REPLACE VIEW loyalty.promotion_tree AS
WITH RECURSIVE node AS (
    SELECT
        promotion_group.program,
        'group' AS node,
        promotion_group.external_id,
        format('promotion group "%s"', promotion_group.external_id) AS label,
        promotion_group.name,
        promotion_group.parent,
        promotion_group.position,
        promotion_group.arbitration AS kind,
        nullif(
            concat_ws(
                ', ',
                'at most ' || trim_scale(promotion_group.max_discount_percent) || ' % off',
                'at most ' || trim_scale(promotion_group.max_discount_amount) || ' off',
                'no price below ' || trim_scale(promotion_group.min_product_price_percent) || ' %',
                'no price below ' || trim_scale(promotion_group.min_product_price_amount),
                CASE
                    WHEN promotion_group.best_of = 'line' THEN 'one child for each line'
                    WHEN promotion_group.best = 'single' THEN 'one child only'
                END
            ),
            ''
        ) AS limits,
        CASE WHEN promotion_group.archived THEN 'archived' END AS status
    FROM loyalty.promotion_groups AS promotion_group
    UNION ALL
    SELECT
        promotion.program,
        'promotion',
        promotion.external_id,
        format('promotion "%s"', promotion.external_id),
        promotion.name,
        promotion.parent,
        promotion.position,
        promotion.kind,
        NULL,
        CASE
            WHEN period.current_state <> 'active' THEN period.current_state
            WHEN period.starts_at > loyalty.clock() THEN 'to come'
            WHEN period.ends_at <= loyalty.clock() THEN 'out of date'
            ELSE 'active'
        END
    FROM loyalty.promotions AS promotion
    JOIN loyalty.promotion_periods AS period
        ON period.program = promotion.program AND period.promotion = promotion.external_id
),
-- Children stand by position, and by external id where that is the same: as they are calculated. Trigger promotions
-- stand outside, behind the tree.
tree AS (
    SELECT
        node.*,
        0 AS depth,
        CASE node.node WHEN 'group' THEN '{}' ELSE ARRAY['~', node.external_id::text] END AS path
    FROM node
    WHERE node.parent IS NULL
    UNION ALL
    SELECT
        node.*,
        tree.depth + 1,
        tree.path || lpad((node.position + 2147483648)::text, 10, '0') || node.external_id::text
    FROM tree
    JOIN node ON node.program = tree.program AND node.parent = tree.external_id AND tree.node = 'group'
)
SELECT
    tree.program,
    tree.path COLLATE "C" AS path,
    tree.depth,
    tree.node,
    tree.external_id,
    tree.name,
    tree.kind,
    tree.limits,
    tree.status,
    pending.change AS pending
FROM tree
LEFT JOIN (
    SELECT
        program,
        regexp_replace(what, ', condition \d+(, benefit \d+)?$', '') AS label,
        CASE WHEN bool_or(change = 'added' AND what !~ ', condition \d+(, benefit \d+)?$') THEN 'new' ELSE 'changed' END
            AS change
    FROM loyalty.pending_changes
    GROUP BY 1, 2
) AS pending ON pending.program = tree.program AND pending.label = tree.label;

COMMENT ON VIEW loyalty.promotion_tree IS
    'The nodes of each program''s promotion tree as it is edited, and behind it the trigger promotions: in the order '
    'of path. loyalty_promotion_tree() shows it to people.';
COMMENT ON COLUMN loyalty.promotion_tree.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_tree.path IS 'Way from the root, to sort by.';
COMMENT ON COLUMN loyalty.promotion_tree.depth IS 'How many levels below the root; 0 also for trigger promotions.';
COMMENT ON COLUMN loyalty.promotion_tree.node IS 'group or promotion.';
COMMENT ON COLUMN loyalty.promotion_tree.external_id IS 'External id of the group or promotion; the root is main.';
COMMENT ON COLUMN loyalty.promotion_tree.name IS 'Its name.';
COMMENT ON COLUMN loyalty.promotion_tree.kind IS
    'Of a group its arbitration type, of a promotion its kind: discount, points or trigger.';
COMMENT ON COLUMN loyalty.promotion_tree.limits IS 'The limits of a group in words; null: none.';
COMMENT ON COLUMN loyalty.promotion_tree.status IS
    'Of a promotion: draft, to come, active, out of date, inactive, paused or ended; of a group: archived, or null.';
COMMENT ON COLUMN loyalty.promotion_tree.pending IS
    'new or changed since the version in force, as loyalty_apply() will put into force; null: applied as it is.';
