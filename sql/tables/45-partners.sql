-- Partners and the terms of their products.

CREATE TABLE loyalty.partners (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    site text,
    email text,
    starts_on date,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT partners_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT partners_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT partners_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT partners_starts_on_is_finite CHECK (isfinite(starts_on))
);

COMMENT ON TABLE loyalty.partners
    IS 'Companies whose products bring members discounts or points on terms of their own.';
COMMENT ON COLUMN loyalty.partners.program IS 'The program.';
COMMENT ON COLUMN loyalty.partners.external_id IS 'External id, unique in the program; cannot be changed.';
COMMENT ON COLUMN loyalty.partners.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.partners.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.partners.site IS 'Address of its site; may be null.';
COMMENT ON COLUMN loyalty.partners.email IS 'E-mail address of its contact; may be null.';
COMMENT ON COLUMN loyalty.partners.starts_on IS
    'First day of the partnership in the program''s time zone, from which its terms apply; null: at once.';
COMMENT ON COLUMN loyalty.partners.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.partners.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.partner_products (
    program loyalty.external_id NOT NULL,
    sku loyalty.external_id NOT NULL,
    partner loyalty.external_id NOT NULL,
    discount_percent numeric,
    points_value numeric,
    points_unit text,
    max_payable_points numeric,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    -- A product has at most one partner. The sku leads, as in loyalty.products.
    CONSTRAINT partner_products_pkey PRIMARY KEY (sku, program),
    CONSTRAINT partner_products_product_fkey FOREIGN KEY (sku, program) REFERENCES loyalty.products ON DELETE CASCADE,
    CONSTRAINT partner_products_partner_fkey FOREIGN KEY (program, partner)
        REFERENCES loyalty.partners ON DELETE CASCADE,
    CONSTRAINT partner_products_discount_percent_range
        CHECK (discount_percent > 0 AND discount_percent <= 100 AND min_scale(discount_percent) <= 6),
    CONSTRAINT partner_products_points_value_range
        CHECK (points_value > 0 AND points_value < 1e14 AND min_scale(points_value) <= 4),
    CONSTRAINT partner_products_points_unit_is_known CHECK (points_unit IN ('points', 'percent')),
    CONSTRAINT partner_products_points_are_whole CHECK ((points_value IS NULL) = (points_unit IS NULL)),
    CONSTRAINT partner_products_points_percent_range CHECK (points_unit <> 'percent' OR points_value <= 100),
    CONSTRAINT partner_products_max_payable_points_range
        CHECK (max_payable_points > 0 AND max_payable_points < 1e14 AND min_scale(max_payable_points) <= 4)
);

CREATE INDEX partner_products_partner ON loyalty.partner_products (program, partner);

COMMENT ON TABLE loyalty.partner_products IS
    'Which products are whose, and on what terms: read by the benefits partner_discount and partner_points.';
COMMENT ON COLUMN loyalty.partner_products.program IS 'The program.';
COMMENT ON COLUMN loyalty.partner_products.sku IS 'The product.';
COMMENT ON COLUMN loyalty.partner_products.partner IS 'Its partner.';
COMMENT ON COLUMN loyalty.partner_products.discount_percent IS
    'Discount in percent of the price, above 0, at most 100, with at most 6 decimals; null: none.';
COMMENT ON COLUMN loyalty.partner_products.points_value IS
    'Points per unit, or percent of its price, accrued or paid with; above 0, with at most 4 decimals; null: none.';
COMMENT ON COLUMN loyalty.partner_products.points_unit IS 'Unit of points_value: points or percent (of the price).';
COMMENT ON COLUMN loyalty.partner_products.max_payable_points IS
    'Points that can be paid for one unit at most, above 0, with at most 4 decimals; null: no limit but the price.';
COMMENT ON COLUMN loyalty.partner_products.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.partner_products.updated_at IS 'When the row was changed last.';
