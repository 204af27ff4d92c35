-- What people would write themselves, beside which the benchmarks set ours: it keeps less, and proves nothing.

CREATE SCHEMA bench;

-- ---------------------------------------------------------------------------------------------------------------------
-- The floor of a ledger: the least that books a row, without lots.

CREATE TABLE bench.floor_balances (
    member text COLLATE "C",
    program text COLLATE "C",
    point_type text COLLATE "C",
    seq bigint NOT NULL,
    total numeric NOT NULL,
    PRIMARY KEY (member, program, point_type)
) WITH (fillfactor = 80);
CREATE TABLE bench.floor_transactions (
    member text COLLATE "C",
    program text COLLATE "C",
    point_type text COLLATE "C",
    seq bigint,
    type text NOT NULL,
    value numeric NOT NULL,
    balance_before numeric NOT NULL,
    balance_after numeric NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (member, program, point_type, seq)
);

-- ---------------------------------------------------------------------------------------------------------------------
-- The simplest ledger with lots that PL/pgSQL makes: no checks, no dates but the end, nothing that proves anything.

CREATE TABLE bench.simple_balances (LIKE bench.floor_balances INCLUDING ALL) WITH (fillfactor = 80);
CREATE TABLE bench.simple_transactions (LIKE bench.floor_transactions INCLUDING ALL);
CREATE TABLE bench.simple_lots (
    member text COLLATE "C",
    program text COLLATE "C",
    point_type text COLLATE "C",
    seq bigint,
    remaining numeric NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (member, program, point_type, seq)
) WITH (fillfactor = 80);
CREATE INDEX ON bench.simple_lots (member, program, point_type, expires_at, seq) WHERE remaining > 0;

CREATE FUNCTION bench.simple_trigger() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    wanted numeric := -NEW.value;
    taken numeric;
    lot record;
BEGIN
    UPDATE bench.simple_balances AS b SET seq = b.seq + 1, total = b.total + NEW.value
    WHERE b.member = NEW.member AND b.program = NEW.program AND b.point_type = NEW.point_type
    RETURNING b.seq, b.total - NEW.value, b.total INTO NEW.seq, NEW.balance_before, NEW.balance_after;
    IF NEW.value > 0 THEN
        INSERT INTO bench.simple_lots
        VALUES (NEW.member, NEW.program, NEW.point_type, NEW.seq, NEW.value, NEW.created_at + interval '1 year');
        RETURN NEW;
    END IF;
    FOR lot IN
        SELECT l.seq, l.remaining FROM bench.simple_lots AS l
        WHERE l.member = NEW.member AND l.program = NEW.program AND l.point_type = NEW.point_type AND l.remaining > 0
            AND l.expires_at > NEW.created_at
        ORDER BY l.expires_at, l.seq
    LOOP
        taken := least(wanted, lot.remaining);
        UPDATE bench.simple_lots AS l SET remaining = l.remaining - taken
        WHERE l.member = NEW.member AND l.program = NEW.program AND l.point_type = NEW.point_type AND l.seq = lot.seq;
        wanted := wanted - taken;
        EXIT WHEN wanted = 0;
    END LOOP;
    IF wanted > 0 THEN
        RAISE EXCEPTION 'too few points';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER book
    BEFORE INSERT ON bench.simple_transactions
    FOR EACH ROW EXECUTE FUNCTION bench.simple_trigger();

-- ---------------------------------------------------------------------------------------------------------------------
-- An order in normalised tables with their foreign keys, nine effects of promotions, and two rows of a ledger with its
-- balance: the rows that placing writes, without anything that makes them.

CREATE TABLE bench.orders (
    id text PRIMARY KEY,
    customer text NOT NULL,
    placed_at timestamptz NOT NULL,
    total numeric NOT NULL
);
CREATE TABLE bench.order_lines (
    order_id text NOT NULL REFERENCES bench.orders,
    line text NOT NULL,
    product text NOT NULL,
    quantity numeric NOT NULL,
    price numeric NOT NULL,
    total numeric NOT NULL,
    PRIMARY KEY (order_id, line)
);
CREATE TABLE bench.order_effects (
    order_id text NOT NULL,
    number integer NOT NULL,
    line text NOT NULL,
    promotion text NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (order_id, number),
    FOREIGN KEY (order_id, line) REFERENCES bench.order_lines
);
CREATE TABLE bench.balances (customer text PRIMARY KEY, total numeric NOT NULL);
CREATE TABLE bench.transactions (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer text NOT NULL REFERENCES bench.balances,
    order_id text NOT NULL REFERENCES bench.orders,
    value numeric NOT NULL
);
CREATE FUNCTION bench.place_plainly(basket jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO bench.orders VALUES (basket ->> 'external_id', basket ->> 'member', now(), 95);
    INSERT INTO bench.order_lines
    SELECT
        basket ->> 'external_id', chr(96 + line.number::integer), line.product, line.quantity, line.price,
        line.quantity * line.price
    FROM ROWS FROM (
        jsonb_to_recordset(basket -> 'lines') AS (product text, quantity numeric, price numeric)
    ) WITH ORDINALITY AS line (product, quantity, price, number);
    INSERT INTO bench.order_effects
    SELECT
        basket ->> 'external_id', effect.number, chr(97 + effect.number % jsonb_array_length(basket -> 'lines')),
        'promotion', 1
    FROM generate_series(1, 9) AS effect (number);
    UPDATE bench.balances SET total = total + 2 WHERE customer = basket ->> 'member';
    INSERT INTO bench.transactions (customer, order_id, value)
    SELECT basket ->> 'member', basket ->> 'external_id', booked FROM unnest('{-3,5}'::numeric[]) AS booked;
END
$$;
