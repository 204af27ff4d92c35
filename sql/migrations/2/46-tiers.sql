-- Tiers given by hand; of a dynamic group, what was judged last stands apart from what is held. Predicates beside
-- thresholds.

ALTER TABLE loyalty.member_tiers
    ADD COLUMN given_tier loyalty.external_id,
    ADD COLUMN given_until timestamptz NOT NULL DEFAULT 'infinity',
    ADD COLUMN given_reason text,
    ADD CONSTRAINT member_tiers_given_tier_fkey FOREIGN KEY (program, tier_group, given_tier)
        REFERENCES loyalty.tiers (program, tier_group, external_id),
    ADD CONSTRAINT member_tiers_given_is_whole
        CHECK (given_tier IS NOT NULL OR given_until = 'infinity' AND given_reason IS NULL);
ALTER TABLE loyalty.member_tiers DISABLE TRIGGER USER;
UPDATE loyalty.member_tiers AS standing
SET earned_tier = standing.tier
FROM loyalty.tier_groups AS tier_group
WHERE tier_group.program = standing.program
    AND tier_group.external_id = standing.tier_group
    AND tier_group.model = 'dynamic'
    AND standing.tier IS NOT NULL;
ALTER TABLE loyalty.member_tiers ENABLE TRIGGER USER;
COMMENT ON COLUMN loyalty.member_tiers.earned_tier IS
    'The tier by the last review (cyclic), reached for ever (cumulative), or as last judged (dynamic); null: none.';
COMMENT ON COLUMN loyalty.member_tiers.due_at IS
    'The next moment at which the calendar alone may change the tier: a review, a reset, a fall, the end of what was '
    'given; with upgrade_at_once also a lot that expires or becomes active; infinity: none.';
COMMENT ON COLUMN loyalty.member_tiers.given_tier IS
    'The tier given by hand, see loyalty_set_tier(): no lower one is held until given_until; null: none was given.';
COMMENT ON COLUMN loyalty.member_tiers.given_until IS 'When what was given ends, exclusive; infinity: never.';
COMMENT ON COLUMN loyalty.member_tiers.given_reason IS 'Why it was given, in somebody''s words; may be null.';

ALTER TABLE loyalty.member_tier_history
    ADD COLUMN reason text,
    DROP CONSTRAINT member_tier_history_cause_is_known,
    ADD CONSTRAINT member_tier_history_cause_is_known CHECK (
        cause IN (
            'enrolment', 'removal', 'points', 'review', 'reset', 'month_end', 'edit', 'judgement', 'given', 'given_end'
        )
    );
COMMENT ON COLUMN loyalty.member_tier_history.cause IS
    'enrolment, removal, points (booked, expired, become active or taken back), review, reset, month_end (a fall that '
    'waited), edit (of the tiers), judgement (of a dynamic group), given (by hand) or given_end (what was given '
    'ended).';
COMMENT ON COLUMN loyalty.member_tier_history.reason IS
    'Why a tier was given by hand, or ended, in somebody''s words; may be null. Erasing the member blanks it.';

ALTER TABLE loyalty.tiers
    DROP CONSTRAINT tiers_threshold_or_predicate,
    ADD CONSTRAINT tiers_threshold_or_predicate CHECK (num_nonnulls(threshold, predicate) > 0);
COMMENT ON COLUMN loyalty.tiers.predicate IS
    'Dynamic groups: an SQL/JSON path predicate over the member''s profile, balances and orders, such as '
    '$.orders.count >= 3; the highest tier whose predicate holds is held. Cumulative groups, beside the threshold: '
    'whoever fulfils it reaches the tier whatever the points are, and keeps it; not where fall_on_reversal is on.';
