-- Transactions and holds are found by their id alone.

CREATE INDEX transactions_id ON loyalty.transactions (id);
CREATE INDEX holds_id ON loyalty.holds (id);
CREATE INDEX lots_waiting ON loyalty.lots (member, program, point_type, active_from) WHERE open;
