-- Orders: points that wait may be dropped with their promotion.
COMMENT ON COLUMN loyalty.order_accruals.state IS
    'waiting, credited, or dropped (all units came back before, the point type was deactivated, the member removed, or the '
    'promotion withdrawn).';

COMMENT ON COLUMN loyalty.orders.request IS 'The document it was made from, without expected_total and detail.';
