-- The draft of the promotion tree as a document, which is what loyalty_apply() freezes.

-- Everything of a version stands in here, so nothing that is edited later can change a version. The segments are those
-- that conditions name, for the others take no part.
CREATE OR REPLACE VIEW loyalty.promotion_drafts AS
SELECT
    program.external_id AS program,
    jsonb_build_object(
        'program', program.external_id,
        'currency', program.currency,
        'currency_scale', program.currency_scale,
        'time_zone', program.time_zone,
        'point_types', (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'point_type', point_type.external_id,
                        'kind', point_type.kind,
                        'scale', point_type.scale,
                        'ratio', trim_scale(point_type.ratio)
                    )
                    -- What was not there in older versions is said only where it makes a difference.
                    || jsonb_strip_nulls(jsonb_build_object(
                        'rounding', nullif(point_type.rounding, 'half'),
                        'redeem_min', trim_scale(point_type.redeem_min),
                        'redeem_step', trim_scale(point_type.redeem_step),
                        'redeem_max_percent', trim_scale(point_type.redeem_max_percent)
                    ))
                    ORDER BY point_type.external_id
                ),
                '[]'
            )
            FROM loyalty.point_types AS point_type
            WHERE point_type.program = program.external_id
        ),
        'segments', (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_build_object('segment', segment.external_id, 'kind', segment.kind)
                    || CASE segment.kind
                        WHEN 'dynamic' THEN jsonb_build_object(
                            'predicate', expanded.predicate::text,
                            'predicate_id', predicate.id,
                            'reads_price', predicate.reads_price,
                            'reads_min_price', predicate.reads_min_price,
                            'reads_fields', predicate.reads_fields
                        )
                        ELSE '{}'
                    END
                    ORDER BY segment.external_id
                ),
                '[]'
            )
            FROM loyalty.product_segments AS segment
            CROSS JOIN LATERAL (
                SELECT loyalty_internal.expand_predicate(
                    'product'::text, segment.program::text, segment.predicate
                ) AS predicate
                OFFSET 0
            ) AS expanded
            LEFT JOIN loyalty.product_predicates AS predicate
                ON predicate.program = segment.program
                -- By the index, which is on the digest.
                AND md5(predicate.predicate::text) = md5(expanded.predicate::text)
                AND predicate.predicate::text = expanded.predicate::text
            WHERE segment.program = program.external_id
                AND segment.external_id IN (
                    SELECT used.segment
                    FROM loyalty.segments_in_use AS used
                    WHERE used.program = program.external_id
                        AND used.kind = 'product'
                        AND used.judged
                )
        ),
        'order_segments', (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_build_object('segment', segment.external_id, 'kind', segment.kind)
                    || jsonb_strip_nulls(jsonb_build_object(
                        'predicate',
                        loyalty_internal.expand_predicate(
                            'order'::text, segment.program::text, segment.predicate
                        )::text
                    ))
                    ORDER BY segment.external_id
                ),
                '[]'
            )
            FROM loyalty.order_segments AS segment
            WHERE segment.program = program.external_id
                AND segment.external_id IN (
                    SELECT used.segment
                    FROM loyalty.segments_in_use AS used
                    WHERE used.program = program.external_id
                        AND used.kind = 'order'
                        AND used.judged
                )
        ),
        'profile_segments', (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_build_object('segment', segment.external_id, 'kind', segment.kind)
                    || jsonb_strip_nulls(jsonb_build_object(
                        'predicate',
                        loyalty_internal.expand_predicate(
                            'profile'::text, segment.program::text, segment.predicate
                        )::text
                    ))
                    ORDER BY segment.external_id
                ),
                '[]'
            )
            FROM loyalty.profile_segments AS segment
            WHERE segment.program = program.external_id
                AND segment.external_id IN (
                    SELECT used.segment
                    FROM loyalty.segments_in_use AS used
                    WHERE used.program = program.external_id
                        AND used.kind = 'profile'
                        AND used.judged
                )
        ),
        'segments_in_use', (
            SELECT coalesce(jsonb_object_agg(listed.kind, listed.segments), '{}')
            FROM (
                SELECT used.kind, jsonb_agg(used.segment ORDER BY used.segment COLLATE "C") AS segments
                FROM loyalty.segments_in_use AS used
                WHERE used.program = program.external_id
                GROUP BY used.kind
            ) AS listed
        ),
        'partners', (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_strip_nulls(
                        jsonb_build_object('partner', partner.external_id, 'starts_on', partner.starts_on))
                    ORDER BY partner.external_id
                ),
                '[]'
            )
            FROM loyalty.partners AS partner
            WHERE partner.program = program.external_id
                AND (partner.program, partner.external_id) IN (
                    SELECT named.program, named.partner FROM loyalty.partners_in_use AS named
                )
        ),
        'partner_products', (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_strip_nulls(jsonb_build_object(
                        'sku', product.sku,
                        'partner', product.partner,
                        'discount_percent', trim_scale(product.discount_percent),
                        'points_value', trim_scale(product.points_value),
                        'points_unit', product.points_unit,
                        'max_payable_points', trim_scale(product.max_payable_points)
                    ))
                    ORDER BY product.sku
                ),
                '[]'
            )
            FROM loyalty.partner_products AS product
            WHERE product.program = program.external_id
                AND (product.program, product.partner) IN (
                    SELECT named.program, named.partner FROM loyalty.partners_in_use AS named
                )
        ),
        'groups', (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'group', promotion_group.external_id,
                        'name', promotion_group.name,
                        'parent', promotion_group.parent,
                        'position', promotion_group.position,
                        'arbitration', promotion_group.arbitration
                    )
                    || jsonb_strip_nulls(jsonb_build_object(
                        'max_discount_percent', trim_scale(promotion_group.max_discount_percent),
                        'max_discount_amount', trim_scale(promotion_group.max_discount_amount),
                        'min_product_price_percent', trim_scale(promotion_group.min_product_price_percent),
                        'min_product_price_amount', trim_scale(promotion_group.min_product_price_amount),
                        'best', nullif(promotion_group.best, 'combination'),
                        'best_of', nullif(promotion_group.best_of, 'order'),
                        'archived', nullif(promotion_group.archived, false)
                    ))
                    ORDER BY promotion_group.external_id
                ),
                '[]'
            )
            FROM loyalty.promotion_groups AS promotion_group
            WHERE promotion_group.program = program.external_id
        ),
        'promotions', (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'promotion', promotion.external_id,
                        'name', promotion.name,
                        'kind', promotion.kind,
                        'parent', promotion.parent,
                        'position', promotion.position,
                        'state', promotion.state,
                        'audience', promotion.audience,
                        'benefit_rule', promotion.benefit_rule,
                        'conditions', (
                            SELECT coalesce(
                                jsonb_agg(
                                    jsonb_build_object(
                                        'position', condition.position,
                                        'level', condition.level,
                                        'mode', condition.mode,
                                        'segments', to_jsonb(condition.segments),
                                        'benefits', (
                                            SELECT coalesce(
                                                jsonb_agg(
                                                    jsonb_build_object(
                                                        'position', benefit.position,
                                                        'benefit', benefit.benefit,
                                                        'parameters', benefit.parameters
                                                    )
                                                    ORDER BY benefit.position
                                                ),
                                                '[]'
                                            )
                                            FROM loyalty.promotion_benefits AS benefit
                                            WHERE benefit.program = condition.program
                                                AND benefit.promotion = condition.promotion
                                                AND benefit.condition = condition.position
                                        )
                                    )
                                    || jsonb_strip_nulls(jsonb_build_object(
                                        'min_items', trim_scale(condition.min_items),
                                        'min_total', trim_scale(condition.min_total),
                                        'min_total_at', nullif(condition.min_total_at, 'base'),
                                        'untouched', nullif(condition.untouched, false)
                                    ))
                                    ORDER BY condition.position
                                ),
                                '[]'
                            )
                            FROM loyalty.promotion_conditions AS condition
                            WHERE condition.program = promotion.program
                                AND condition.promotion = promotion.external_id
                        )
                    )
                    || jsonb_strip_nulls(jsonb_build_object(
                        'audience_segments', nullif(to_jsonb(promotion.audience_segments), '[]'),
                        'audience_tiers', nullif(to_jsonb(promotion.audience_tiers), '[]'),
                        'order_mode', nullif(promotion.order_mode, 'all'),
                        'order_segments', nullif(to_jsonb(promotion.order_segments), '[]'),
                        'min_items', trim_scale(promotion.min_items),
                        'min_total', trim_scale(promotion.min_total),
                        'min_total_at', nullif(promotion.min_total_at, 'base'),
                        'starts_at', loyalty_internal.moment(period.starts_at::timestamptz, program.time_zone::text),
                        'ends_at', loyalty_internal.moment(period.ends_at::timestamptz, program.time_zone::text),
                        'schedule', nullif(
                            jsonb_strip_nulls(jsonb_build_object(
                                'months', nullif(to_jsonb(promotion.schedule_months), '[]'),
                                'days', nullif(to_jsonb(promotion.schedule_days), '[]'),
                                'weekdays', nullif(to_jsonb(promotion.schedule_weekdays), '[]'),
                                'from', trim_scale(extract(epoch FROM promotion.schedule_from)),
                                'to', trim_scale(extract(epoch FROM promotion.schedule_to)),
                                'every', CASE
                                    WHEN promotion.schedule_every_count IS NOT NULL THEN jsonb_build_object(
                                        'count', promotion.schedule_every_count,
                                        'unit', promotion.schedule_every_unit
                                    )
                                END
                            )),
                            '{}'
                        ),
                        'promo_code_pool', promotion.promo_code_pool,
                        'channels', nullif(to_jsonb(promotion.channels), '[]'),
                        'contact_points', nullif(to_jsonb(promotion.contact_points), '[]'),
                        'regions', nullif(to_jsonb(promotion.regions), '[]'),
                        'max_uses', promotion.max_uses,
                        'max_uses_per_member', promotion.max_uses_per_member,
                        'max_uses_per_member_every', promotion.max_uses_per_member_every,
                        'money_budget', trim_scale(promotion.money_budget),
                        'points_budget', trim_scale(promotion.points_budget)
                    ))
                    ORDER BY promotion.external_id
                ),
                '[]'
            )
            FROM loyalty.promotions AS promotion
            LEFT JOIN loyalty.promotion_periods AS period
                ON period.program = promotion.program AND period.promotion = promotion.external_id
            WHERE promotion.program = program.external_id
                AND promotion.kind <> 'trigger'
        )
    )
    -- What was not there in older versions is said only where it makes a difference.
    || jsonb_strip_nulls(jsonb_build_object(
        'search_limit', nullif(program.search_limit, 2000000),
        'price_scale', nullif(program.price_scale, program.currency_scale)
    )) AS tree,
    (
        SELECT jsonb_agg(
            jsonb_build_object('relation', definition.relation, 'what', definition.what, 'body', definition.body)
            ORDER BY definition.relation, definition.what
        )
        FROM loyalty.draft_definitions AS definition
        WHERE definition.program = program.external_id
            AND definition.used
    ) AS definition
FROM loyalty.programs AS program;

COMMENT ON VIEW loyalty.promotion_drafts IS
    'The promotion tree of each program as it is edited: what loyalty_apply() would freeze now.';
COMMENT ON COLUMN loyalty.promotion_drafts.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_drafts.tree IS
    'The tree: settings of the program, point types, segments in use, partners in use and the terms of their products, '
    'groups, promotions with conditions and benefits. Moments are in seconds since 1970, of the clock of UTC ("unix") '
    'and of the program''s ("local").';
COMMENT ON COLUMN loyalty.promotion_drafts.definition IS
    'The rows that the tree is made from, as in loyalty.draft_definitions.';
