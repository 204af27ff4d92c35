-- Transactions and holds are found by their id alone.

CREATE INDEX transactions_id ON loyalty.transactions (id);
CREATE INDEX holds_id ON loyalty.holds (id);
