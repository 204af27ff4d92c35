-- Orders as they were placed or imported, and what became of them since: statuses, accruals, returns.
--
-- A buyer is "m:" and the key of a profile (a member's, or a guest's who has one), or "g:" and the order's external id
-- (an anonymous guest). Written by the functions for orders only: see loyalty_internal.orders_trigger().
--
-- What begins with "m:" and goes on lies between "m:" and "m;", byte by byte: a pattern would be matched for each row
-- (measured: a twentieth of a large order).
--
-- The tables have no index but their keys: before the first ANALYZE a shorter index that shares the first columns looks
-- as good to the planner, and one by promotion (measured) made each order slower than the one before it.

-- Whose order an external id is. The id is unique in the program, while the order itself is kept with its buyer.
CREATE TABLE loyalty.order_ids (
    external_id loyalty.external_id NOT NULL,
    program loyalty.external_id NOT NULL,
    buyer text COLLATE "C" NOT NULL,
    CONSTRAINT order_ids_pkey PRIMARY KEY (external_id, program),
    CONSTRAINT order_ids_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs
);

COMMENT ON TABLE loyalty.order_ids IS 'Whose order an external id is: one row an order, which makes the id unique.';
COMMENT ON COLUMN loyalty.order_ids.external_id IS 'External id of the order, unique in the program.';
COMMENT ON COLUMN loyalty.order_ids.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_ids.buyer IS
    'The buyer: m: and the profile''s key, or g: and the order''s external id.';

-- NaN and infinities sort at the ends, so ranges exclude them. A discount is below zero where a rounding raised prices.
-- Statuses and returns change the row, and the server writes all of it anew that stands in it: so its documents stand
-- outside where they are long, and a page has room for what changes.
CREATE TABLE loyalty.orders (
    buyer text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    member text COLLATE "C" GENERATED ALWAYS AS (CASE WHEN left(buyer, 2) = 'm:' THEN substr(buyer, 3) END) STORED,
    origin text NOT NULL,
    status loyalty.external_id NOT NULL,
    version integer,
    "time" timestamptz NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    channel loyalty.external_id,
    contact_point loyalty.external_id,
    region loyalty.external_id,
    base numeric NOT NULL,
    discount numeric NOT NULL,
    points_discount numeric NOT NULL,
    total numeric NOT NULL,
    shipping_base numeric NOT NULL,
    shipping_discount numeric NOT NULL,
    shipping_points_discount numeric NOT NULL,
    shipping_total numeric NOT NULL,
    refunded numeric NOT NULL DEFAULT 0,
    shipping_refunded boolean NOT NULL DEFAULT false,
    request jsonb,
    request_hash bigint NOT NULL,
    resolved jsonb,
    result jsonb,
    confirmation jsonb,
    CONSTRAINT orders_pkey PRIMARY KEY (buyer, program, external_id),
    CONSTRAINT orders_external_id_fkey FOREIGN KEY (external_id, program) REFERENCES loyalty.order_ids,
    CONSTRAINT orders_status_fkey FOREIGN KEY (status) REFERENCES loyalty.order_statuses,
    CONSTRAINT orders_version_fkey FOREIGN KEY (program, version) REFERENCES loyalty.promotion_versions,
    CONSTRAINT orders_channel_fkey FOREIGN KEY (program, channel) REFERENCES loyalty.channels,
    CONSTRAINT orders_contact_point_fkey FOREIGN KEY (program, contact_point) REFERENCES loyalty.contact_points,
    CONSTRAINT orders_region_fkey FOREIGN KEY (program, region) REFERENCES loyalty.regions
) WITH (toast_tuple_target = 640, fillfactor = 80);

COMMENT ON TABLE loyalty.orders IS 'Orders, placed by loyalty_place_order() or imported by loyalty_import_orders().';
COMMENT ON COLUMN loyalty.orders.buyer IS 'The buyer: m: and the profile''s key, or g: and the order''s external id.';
COMMENT ON COLUMN loyalty.orders.program IS 'The program.';
COMMENT ON COLUMN loyalty.orders.external_id IS 'External id of the order, unique in the program.';
COMMENT ON COLUMN loyalty.orders.member IS
    'Key of the buyer''s profile, be it a member or a guest; null: an anonymous guest.';
COMMENT ON COLUMN loyalty.orders.origin IS 'placed (calculated here) or imported (made elsewhere, stored as given).';
COMMENT ON COLUMN loyalty.orders.status IS 'Its status now.';
COMMENT ON COLUMN loyalty.orders.version IS
    'Version of the promotion tree that it was calculated with; null: none had been applied, or imported.';
COMMENT ON COLUMN loyalty.orders."time"
    IS 'The order''s own time, by which promotions were judged; not later than placed_at.';
COMMENT ON COLUMN loyalty.orders.placed_at IS 'When it was placed or imported, by the clock; its points are dated so.';
COMMENT ON COLUMN loyalty.orders.channel IS 'Sales channel; may be null.';
COMMENT ON COLUMN loyalty.orders.contact_point IS 'Contact point of the channel; may be null.';
COMMENT ON COLUMN loyalty.orders.region IS 'Region; may be null.';
COMMENT ON COLUMN loyalty.orders.base IS 'Goods and shipping before any benefit, in money.';
COMMENT ON COLUMN loyalty.orders.discount
    IS 'Reductions in money of goods and shipping; below 0 where rounding raised prices.';
COMMENT ON COLUMN loyalty.orders.points_discount IS 'Money that was paid with points, of goods and shipping.';
COMMENT ON COLUMN loyalty.orders.total IS 'What was to pay in money: base - discount - points_discount.';
COMMENT ON COLUMN loyalty.orders.shipping_base IS 'Of these, the shipping: its price before any benefit.';
COMMENT ON COLUMN loyalty.orders.shipping_discount IS 'Its reductions in money.';
COMMENT ON COLUMN loyalty.orders.shipping_points_discount IS 'What of it was paid with points, in money.';
COMMENT ON COLUMN loyalty.orders.shipping_total IS 'What was to pay for it in money.';
COMMENT ON COLUMN loyalty.orders.refunded IS 'Money given back so far, 0 to total.';
COMMENT ON COLUMN loyalty.orders.shipping_refunded
    IS 'Whether that includes the shipping, which is given back once or never.';
COMMENT ON COLUMN loyalty.orders.request IS 'The document it was made from, without expected_total and detail.';
COMMENT ON COLUMN loyalty.orders.request_hash IS
    'Hash of the document, by which a repeated request is recognised after its content was erased.';
COMMENT ON COLUMN loyalty.orders.resolved IS
    'What the document was resolved to: prices, segments, balances, so that pricing it again is exact; null: imported.';
COMMENT ON COLUMN loyalty.orders.result IS
    'The calculation, as loyalty_calculate() gives it; of an erased order its operations without texts; null: '
    'imported.';
COMMENT ON COLUMN loyalty.orders.confirmation IS
    'What placing answered beside the result: the first status, placed_at, and what was booked; null: imported.';

-- What "the first order" is judged by, without looking at all of them. A row stands for nothing but the orders, and is
-- locked where two orders of one buyer must not both be the first: so it is there for guests with a profile, too.
CREATE TABLE loyalty.buyers (
    buyer text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    orders bigint NOT NULL DEFAULT 0,
    total numeric NOT NULL DEFAULT 0,
    last_order timestamptz,
    CONSTRAINT buyers_pkey PRIMARY KEY (buyer, program),
    CONSTRAINT buyers_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs
) WITH (fillfactor = 80);

COMMENT ON TABLE loyalty.buyers IS
    'What buyers with a profile, members and guests, have ordered: orders that are not cancelled or refunded. Order '
    'segments see it as $.buyer.orders.';
COMMENT ON COLUMN loyalty.buyers.buyer IS 'The buyer: m: and the profile''s key.';
COMMENT ON COLUMN loyalty.buyers.program IS 'The program.';
COMMENT ON COLUMN loyalty.buyers.orders IS 'How many orders, placed or imported.';
COMMENT ON COLUMN loyalty.buyers.total IS 'What they came to in money, less what was given back.';
COMMENT ON COLUMN loyalty.buyers.last_order IS 'The time of the last of them; null: there is none.';

CREATE TABLE loyalty.order_lines (
    buyer text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    order_id loyalty.external_id NOT NULL,
    line text COLLATE "C" NOT NULL,
    position integer NOT NULL,
    product text COLLATE "C" NOT NULL,
    quantity numeric NOT NULL,
    price numeric NOT NULL,
    base numeric NOT NULL,
    discount numeric NOT NULL,
    points_discount numeric NOT NULL,
    allotted numeric NOT NULL,
    total numeric NOT NULL,
    status loyalty.external_id NOT NULL,
    returned numeric NOT NULL DEFAULT 0,
    refunded numeric NOT NULL DEFAULT 0,
    gift boolean NOT NULL DEFAULT false,
    CONSTRAINT order_lines_pkey PRIMARY KEY (buyer, program, order_id, line),
    CONSTRAINT order_lines_order_fkey FOREIGN KEY (buyer, program, order_id) REFERENCES loyalty.orders,
    CONSTRAINT order_lines_status_fkey FOREIGN KEY (status) REFERENCES loyalty.order_statuses
);

COMMENT ON TABLE loyalty.order_lines IS 'Lines of orders: what was sold for what, and what of it came back.';
COMMENT ON COLUMN loyalty.order_lines.buyer IS 'The order''s buyer.';
COMMENT ON COLUMN loyalty.order_lines.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_lines.order_id IS 'External id of the order.';
COMMENT ON COLUMN loyalty.order_lines.line IS 'Id of the line, unique in the order.';
COMMENT ON COLUMN loyalty.order_lines.position IS 'Its place in the document, from 1.';
COMMENT ON COLUMN loyalty.order_lines.product IS 'The product''s sku, whether the catalogue knows it or not.';
COMMENT ON COLUMN loyalty.order_lines.quantity IS 'Units sold, above 0; may be a fraction.';
COMMENT ON COLUMN loyalty.order_lines.price IS 'Base price of one unit, in money.';
COMMENT ON COLUMN loyalty.order_lines.base IS 'Base price of all units, in money.';
COMMENT ON COLUMN loyalty.order_lines.discount
    IS 'Reductions in money, order-level shares included; below 0 where prices were raised.';
COMMENT ON COLUMN loyalty.order_lines.points_discount IS 'Money of it that was paid with points.';
COMMENT ON COLUMN loyalty.order_lines.allotted IS 'Of both reductions, the share of those at order level.';
COMMENT ON COLUMN loyalty.order_lines.total IS 'What was to pay in money: base - discount - points_discount.';
COMMENT ON COLUMN loyalty.order_lines.status IS 'Its status now.';
COMMENT ON COLUMN loyalty.order_lines.returned IS 'Units that came back, 0 to quantity.';
COMMENT ON COLUMN loyalty.order_lines.refunded IS
    'Money given back for them: total x returned / quantity, rounded; 0 to total.';
COMMENT ON COLUMN loyalty.order_lines.gift IS
    'Whether a promotion gave it with the order, for nothing: it is no unit of what was sold.';

-- What each benefit did is kept once, in the order's result; view order_operations (sql/live/64-orders.sql) gives it as
-- rows. That promotions stay which orders name is said here, once for all of a promotion's orders: nothing is deleted
-- from this table, so a promotion that is in it needs no lock.
CREATE TABLE loyalty.order_promotions (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    CONSTRAINT order_promotions_pkey PRIMARY KEY (program, promotion),
    CONSTRAINT order_promotions_promotion_fkey FOREIGN KEY (program, promotion) REFERENCES loyalty.promotions
);

COMMENT ON TABLE loyalty.order_promotions
    IS 'Promotions that had an effect in an order, and therefore cannot be deleted.';
COMMENT ON COLUMN loyalty.order_promotions.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_promotions.promotion IS 'The promotion.';

-- A transaction that is named may be in the archive, so no foreign key tells that it is there: loyalty_verify() does.
--
-- What was spent is attributed to lines and the shipping by the money that points paid there. That no line has two rows
-- of one point type is the function's doing, and looked after by loyalty_verify(): an index for it was a sixth of all
-- entries.
CREATE TABLE loyalty.order_points (
    buyer text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    order_id loyalty.external_id NOT NULL,
    number integer NOT NULL,
    member text COLLATE "C" NOT NULL GENERATED ALWAYS AS (substr(buyer, 3)) STORED,
    point_type loyalty.external_id NOT NULL,
    line text COLLATE "C",
    money numeric NOT NULL,
    points numeric NOT NULL,
    seq bigint,
    refunded numeric NOT NULL DEFAULT 0,
    forfeited numeric NOT NULL DEFAULT 0,
    CONSTRAINT order_points_pkey PRIMARY KEY (buyer, program, order_id, number),
    CONSTRAINT order_points_order_fkey FOREIGN KEY (buyer, program, order_id) REFERENCES loyalty.orders,
    CONSTRAINT order_points_line_fkey FOREIGN KEY (buyer, program, order_id, line) REFERENCES loyalty.order_lines,
    CONSTRAINT order_points_point_type_fkey FOREIGN KEY (program, point_type) REFERENCES loyalty.point_types
);

COMMENT ON TABLE loyalty.order_points IS
    'Points that paid for an order, or that promotions deducted, attributed to its lines and its shipping, and what of '
    'them came back.';
COMMENT ON COLUMN loyalty.order_points.buyer IS 'The order''s buyer, a member.';
COMMENT ON COLUMN loyalty.order_points.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_points.order_id IS 'External id of the order.';
COMMENT ON COLUMN loyalty.order_points.number IS 'Number in the order, from 1.';
COMMENT ON COLUMN loyalty.order_points.member IS 'The member, whose points they were.';
COMMENT ON COLUMN loyalty.order_points.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.order_points.line IS 'The line that they paid for, or went with; null: the shipping.';
COMMENT ON COLUMN loyalty.order_points.money IS 'Money that they paid there; 0: they were deducted.';
COMMENT ON COLUMN loyalty.order_points.points IS 'Points attributed to it, 0 or more.';
COMMENT ON COLUMN loyalty.order_points.seq IS 'Number of the redemption in the ledger; null: no points were needed.';
COMMENT ON COLUMN loyalty.order_points.refunded IS 'Points given back to the member so far.';
COMMENT ON COLUMN loyalty.order_points.forfeited IS
    'Points of returned units that were not given back, because the point type allows no refund.';

CREATE TABLE loyalty.order_accruals (
    buyer text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    order_id loyalty.external_id NOT NULL,
    number integer NOT NULL,
    member text COLLATE "C" NOT NULL GENERATED ALWAYS AS (substr(buyer, 3)) STORED,
    promotion loyalty.external_id NOT NULL,
    point_type loyalty.external_id NOT NULL,
    level text NOT NULL,
    line text COLLATE "C",
    points numeric NOT NULL,
    credit_on text COLLATE "C",
    delay text COLLATE "C",
    state text NOT NULL,
    seq bigint,
    dropped numeric NOT NULL DEFAULT 0,
    taken_back numeric NOT NULL DEFAULT 0,
    CONSTRAINT order_accruals_pkey PRIMARY KEY (buyer, program, order_id, number),
    CONSTRAINT order_accruals_order_fkey FOREIGN KEY (buyer, program, order_id) REFERENCES loyalty.orders,
    CONSTRAINT order_accruals_line_fkey FOREIGN KEY (buyer, program, order_id, line) REFERENCES loyalty.order_lines,
    CONSTRAINT order_accruals_point_type_fkey FOREIGN KEY (program, point_type) REFERENCES loyalty.point_types
);

COMMENT ON TABLE loyalty.order_accruals IS
    'Points that an order earns, by operation: waiting for a status, credited, or dropped.';
COMMENT ON COLUMN loyalty.order_accruals.buyer IS 'The order''s buyer, a member.';
COMMENT ON COLUMN loyalty.order_accruals.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_accruals.order_id IS 'External id of the order.';
COMMENT ON COLUMN loyalty.order_accruals.number IS 'Number of the operation.';
COMMENT ON COLUMN loyalty.order_accruals.member IS 'The member, who earns them.';
COMMENT ON COLUMN loyalty.order_accruals.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.order_accruals.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.order_accruals.level IS
    'product (waits for the line''s status) or order (waits for the order''s).';
COMMENT ON COLUMN loyalty.order_accruals.line IS
    'The line that they are attributed to and taken back with; null: the order, until its last unit is gone.';
COMMENT ON COLUMN loyalty.order_accruals.points IS 'Points earned, above 0.';
COMMENT ON COLUMN loyalty.order_accruals.credit_on IS
    'The status, or kind of status, that they wait or waited for; null: credited when the order was placed.';
COMMENT ON COLUMN loyalty.order_accruals.delay IS 'How long after the crediting they become active; null: at once.';
COMMENT ON COLUMN loyalty.order_accruals.state IS
    'waiting, credited, or dropped (all units came back before, the point type was deactivated, the member removed, or '
    'the promotion withdrawn).';
COMMENT ON COLUMN loyalty.order_accruals.seq IS 'Number of the accrual in the ledger; null: not credited.';
COMMENT ON COLUMN loyalty.order_accruals.dropped IS 'Points that were never credited and will not be.';
COMMENT ON COLUMN loyalty.order_accruals.taken_back IS 'Points taken back for returned units after the crediting.';

CREATE TABLE loyalty.order_returns (
    buyer text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    order_id loyalty.external_id NOT NULL,
    number integer NOT NULL,
    kind text NOT NULL,
    external_id loyalty.external_id,
    shipping boolean NOT NULL,
    money numeric NOT NULL,
    request jsonb,
    answer jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT order_returns_pkey PRIMARY KEY (buyer, program, order_id, number),
    CONSTRAINT order_returns_external_id_key UNIQUE (buyer, program, order_id, external_id),
    CONSTRAINT order_returns_order_fkey FOREIGN KEY (buyer, program, order_id) REFERENCES loyalty.orders
);

COMMENT ON TABLE loyalty.order_returns IS
    'What was given back of orders, and when: by returns, cancellations, and statuses of kind refunded.';
COMMENT ON COLUMN loyalty.order_returns.buyer IS 'The order''s buyer.';
COMMENT ON COLUMN loyalty.order_returns.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_returns.order_id IS 'External id of the order.';
COMMENT ON COLUMN loyalty.order_returns.number IS 'Number in the order, from 1.';
COMMENT ON COLUMN loyalty.order_returns.kind IS
    'return (by loyalty_return_items), cancellation, or refund (a status of that kind returned what was left).';
COMMENT ON COLUMN loyalty.order_returns.external_id IS 'External id of a return, unique in the order; otherwise null.';
COMMENT ON COLUMN loyalty.order_returns.shipping IS 'Whether the shipping was given back, too.';
COMMENT ON COLUMN loyalty.order_returns.money IS 'Money given back, 0 or more.';
COMMENT ON COLUMN loyalty.order_returns.request IS 'What a return was asked for; otherwise null.';
COMMENT ON COLUMN loyalty.order_returns.answer IS 'What the function answered.';
COMMENT ON COLUMN loyalty.order_returns.created_at IS 'When it was booked.';

CREATE TABLE loyalty.order_return_lines (
    buyer text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    order_id loyalty.external_id NOT NULL,
    number integer NOT NULL,
    line text COLLATE "C" NOT NULL,
    quantity numeric NOT NULL,
    money numeric NOT NULL,
    CONSTRAINT order_return_lines_pkey PRIMARY KEY (buyer, program, order_id, number, line),
    CONSTRAINT order_return_lines_return_fkey
        FOREIGN KEY (buyer, program, order_id, number) REFERENCES loyalty.order_returns,
    CONSTRAINT order_return_lines_line_fkey
        FOREIGN KEY (buyer, program, order_id, line) REFERENCES loyalty.order_lines
);

COMMENT ON TABLE loyalty.order_return_lines IS 'How many units of which lines came back with a return.';
COMMENT ON COLUMN loyalty.order_return_lines.buyer IS 'The order''s buyer.';
COMMENT ON COLUMN loyalty.order_return_lines.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_return_lines.order_id IS 'External id of the order.';
COMMENT ON COLUMN loyalty.order_return_lines.number IS 'Number of the return in the order.';
COMMENT ON COLUMN loyalty.order_return_lines.line IS 'The line.';
COMMENT ON COLUMN loyalty.order_return_lines.quantity IS 'Units that came back, above 0.';
COMMENT ON COLUMN loyalty.order_return_lines.money IS 'Money given back for them, 0 or more.';
