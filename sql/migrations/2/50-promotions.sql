-- What is decided of promotions beside their versions.

CREATE TABLE loyalty.paused_promotions (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    paused_by name NOT NULL DEFAULT session_user,
    CONSTRAINT paused_promotions_pkey PRIMARY KEY (program, promotion),
    CONSTRAINT paused_promotions_promotion_fkey FOREIGN KEY (program, promotion)
        REFERENCES loyalty.promotions ON DELETE CASCADE
);

COMMENT ON TABLE loyalty.paused_promotions IS
    'Promotions that take no part, whatever the version says. Written by loyalty_pause_promotion() and '
    'loyalty_resume_promotion().';
COMMENT ON COLUMN loyalty.paused_promotions.program IS 'The program.';
COMMENT ON COLUMN loyalty.paused_promotions.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.paused_promotions.paused_at IS 'When it was paused.';
COMMENT ON COLUMN loyalty.paused_promotions.paused_by IS 'Role that paused it.';

CREATE TABLE loyalty.withdrawn_promotions (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    withdrawn_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    withdrawn_by name NOT NULL DEFAULT session_user,
    CONSTRAINT withdrawn_promotions_pkey PRIMARY KEY (program, promotion),
    CONSTRAINT withdrawn_promotions_promotion_fkey FOREIGN KEY (program, promotion)
        REFERENCES loyalty.promotions ON DELETE CASCADE
);

COMMENT ON TABLE loyalty.withdrawn_promotions IS
    'Ended promotions that take back what they promised: points that orders earned by them and that wait for a status are '
    'dropped when it is reached. Written by loyalty_end_promotion().';
COMMENT ON COLUMN loyalty.withdrawn_promotions.program IS 'The program.';
COMMENT ON COLUMN loyalty.withdrawn_promotions.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.withdrawn_promotions.withdrawn_at IS 'When that was decided.';
COMMENT ON COLUMN loyalty.withdrawn_promotions.withdrawn_by IS 'Role that decided it.';
