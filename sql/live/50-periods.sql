-- When promotions run.

-- What is active but was not applied yet counts as activated now. Days, weeks, months and years are those of the
-- calendar.
CREATE OR REPLACE VIEW loyalty.promotion_periods AS
SELECT
    promotion.program,
    promotion.external_id AS promotion,
    activation.activated_at,
    coalesce(given.starts_at, activation.activated_at) AS starts_at,
    coalesce(
        promotion.ends_at,
        loyalty_internal.day_begins(promotion.ends_on + 1, program.time_zone),
        CASE
            WHEN promotion.ends_after_unit IN ('minute', 'hour') THEN counted.since + counted.span
            ELSE (counted.since AT TIME ZONE program.time_zone + counted.span) AT TIME ZONE program.time_zone
        END
    ) AS ends_at,
    CASE
        WHEN promotion.state = 'active' AND paused.promotion IS NOT NULL THEN 'paused'
        ELSE promotion.state
    END AS current_state
FROM loyalty.promotions AS promotion
JOIN loyalty.programs AS program ON program.external_id = promotion.program
LEFT JOIN loyalty.paused_promotions AS paused
    ON paused.program = promotion.program AND paused.promotion = promotion.external_id
CROSS JOIN LATERAL (
    SELECT coalesce(
        promotion.starts_at,
        loyalty_internal.day_begins(promotion.starts_on, program.time_zone)
    ) AS starts_at
) AS given
CROSS JOIN LATERAL (
    SELECT coalesce(
        (
            SELECT recorded.activated_at
            FROM loyalty.promotion_activations AS recorded
            WHERE recorded.program = promotion.program
                AND recorded.promotion = promotion.external_id
        ),
        CASE promotion.state WHEN 'active' THEN loyalty.clock() END
    ) AS activated_at
) AS activation
CROSS JOIN LATERAL (
    SELECT
        greatest(given.starts_at, activation.activated_at) AS since,
        promotion.ends_after_count * ('1 ' || promotion.ends_after_unit)::interval AS span
) AS counted;

COMMENT ON VIEW loyalty.promotion_periods IS 'From when until when each promotion of the draft runs.';
COMMENT ON COLUMN loyalty.promotion_periods.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_periods.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.promotion_periods.activated_at IS
    'When it was applied for the first time while active; null: not yet, and not active now.';
COMMENT ON COLUMN loyalty.promotion_periods.starts_at IS 'Its start, inclusive; null: on activation, which is to come.';
COMMENT ON COLUMN loyalty.promotion_periods.ends_at IS
    'Its end, exclusive; null: by hand, or counted from an activation that is to come.';
COMMENT ON COLUMN loyalty.promotion_periods.current_state IS 'Its state; paused: it is active, and stopped for now.';
