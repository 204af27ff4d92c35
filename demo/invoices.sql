-- The table that the file of invoices (DATA.md) is loaded into, and the sales among them.

CREATE SCHEMA shop;

CREATE TABLE shop.invoice_lines (
    number integer GENERATED ALWAYS AS IDENTITY,
    invoice text NOT NULL,
    sku text NOT NULL,
    description text,
    quantity integer NOT NULL,
    sold_at timestamp NOT NULL,
    unit_price numeric NOT NULL,
    customer integer,
    country text
);

-- Returns (C...) and corrections of the books (A...) are no orders.
CREATE VIEW shop.sale_lines AS
SELECT
    *,
    sku IN ('POST', 'DOT') AS is_postage
FROM shop.invoice_lines
WHERE invoice ~ '^[0-9]';
