-- Promo-code pools, and how their codes stand.

CREATE OR REPLACE TRIGGER fix_key
    BEFORE UPDATE OF program, external_id ON loyalty.promo_code_pools
    FOR EACH ROW
    WHEN ((NEW.program, NEW.external_id) IS DISTINCT FROM (OLD.program, OLD.external_id))
    EXECUTE FUNCTION loyalty_internal.fixed_key_trigger('promo-code pool');
COMMENT ON TRIGGER fix_key ON loyalty.promo_code_pools IS 'The external id cannot be changed.';

CREATE OR REPLACE TRIGGER fix_kind
    BEFORE UPDATE OF kind ON loyalty.promo_code_pools
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.promo_code_pools_trigger();
COMMENT ON TRIGGER fix_kind ON loyalty.promo_code_pools IS 'The kind stays once there are codes.';

-- Expired is computed by the clock. An attached personal code lives on when its pool's validity is over.
CREATE OR REPLACE VIEW loyalty.promo_code_states AS
SELECT
    code.program,
    code.code,
    code.pool,
    pool.kind,
    CASE
        WHEN code.uses >= coalesce(pool.max_uses, CASE pool.kind WHEN 'personal' THEN 1 END) THEN 'activated'
        WHEN code.expires_at <= @extschema@.loyalty_now() THEN 'expired'
        WHEN code.profile IS NOT NULL THEN 'attached'
        WHEN lasting.valid_until <= @extschema@.loyalty_now() THEN 'expired'
        ELSE 'created'
    END AS state,
    code.profile,
    code.attached_at,
    code.uses,
    coalesce(pool.max_uses, CASE pool.kind WHEN 'personal' THEN 1 END) AS max_uses,
    CASE
        WHEN code.profile IS NOT NULL THEN code.expires_at
        ELSE least(code.expires_at, lasting.valid_until)
    END AS expires_at,
    code.created_at,
    (
        SELECT max(used.used_at)
        FROM loyalty.promo_code_uses AS used
        WHERE used.code = code.code
            AND used.program = code.program
            AND used.freed_at IS NULL
    ) AS activated_at,
    pool.template,
    code.data
FROM loyalty.promo_codes AS code
JOIN loyalty.promo_code_pools AS pool ON pool.program = code.program AND pool.external_id = code.pool
JOIN loyalty.programs AS program ON program.external_id = code.program
CROSS JOIN LATERAL (
    SELECT loyalty_internal.moment_or_day(pool.valid_until, pool.ends_on + 1, program.time_zone) AS valid_until
) AS lasting;

COMMENT ON VIEW loyalty.promo_code_states IS 'Promo codes and how they stand now.';
COMMENT ON COLUMN loyalty.promo_code_states.program IS 'The program.';
COMMENT ON COLUMN loyalty.promo_code_states.code IS 'The code.';
COMMENT ON COLUMN loyalty.promo_code_states.pool IS 'Its pool.';
COMMENT ON COLUMN loyalty.promo_code_states.kind IS 'personal or universal.';
COMMENT ON COLUMN loyalty.promo_code_states.state IS
    'created, attached (to a profile), activated (used as often as it may be) or expired.';
COMMENT ON COLUMN loyalty.promo_code_states.profile IS 'Key of the profile it is attached to; null: none.';
COMMENT ON COLUMN loyalty.promo_code_states.attached_at IS 'When it was attached; null: it is not.';
COMMENT ON COLUMN loyalty.promo_code_states.uses IS 'How often it is used.';
COMMENT ON COLUMN loyalty.promo_code_states.max_uses IS 'How often it may be used; null: without limit.';
COMMENT ON COLUMN loyalty.promo_code_states.expires_at IS 'Until when it can be used, exclusive; infinity: for ever.';
COMMENT ON COLUMN loyalty.promo_code_states.created_at IS 'When it was made.';
COMMENT ON COLUMN loyalty.promo_code_states.activated_at IS
    'When it was used last, of the uses that count; null: it is not used, or was only before it was imported.';
COMMENT ON COLUMN loyalty.promo_code_states.template IS 'The pool''s name for mailings; null: none.';
COMMENT ON COLUMN loyalty.promo_code_states.data IS 'Anything else about it; null: nothing.';
