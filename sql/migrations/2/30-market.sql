-- The statuses' positions may be shifted by one UPDATE.
ALTER TABLE loyalty.order_statuses
    DROP CONSTRAINT order_statuses_position_key,
    ADD CONSTRAINT order_statuses_position_key UNIQUE (position) DEFERRABLE INITIALLY IMMEDIATE;
COMMENT ON COLUMN loyalty.order_statuses.position IS
    'Place in an order''s life, from 0, unique; one UPDATE may shift many. Points for a status of kind delivered wait '
    'for that kind, whatever the positions.';
