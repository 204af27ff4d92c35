-- Transactions and holds are found by their id alone.

ALTER TABLE loyalty.transactions
    DROP CONSTRAINT transactions_id_key,
    ADD CONSTRAINT transactions_id_key UNIQUE (id, member, program);
CREATE INDEX holds_id ON loyalty.holds (id);
CREATE INDEX lots_waiting ON loyalty.lots (member, program, point_type, active_from) WHERE open;
