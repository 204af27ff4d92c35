-- What one row of the tables that bookings and orders write tells by itself: one constraint a table, since the server
-- reads and plans the text of each anew for every statement (measured, see src/pg/server/whole_row.hpp). The functions
-- are the extension's, so the constraints go with it, and come back here. A partition's row is of another type than its
-- table's, so each partition has the constraint itself.

DO $do$
DECLARE
    judged record;
BEGIN
    FOR judged IN
        SELECT rules.relation, rules.function, part.name, class.relname
        FROM (
            VALUES
                ('balances', 'balance_is_well_formed'),
                ('lots', 'lot_is_well_formed'),
                ('lot_movements', 'lot_movement_is_well_formed'),
                ('order_ids', 'order_id_is_well_formed'),
                ('buyers', 'buyer_is_well_formed'),
                ('orders', 'order_is_well_formed'),
                ('order_lines', 'order_line_is_well_formed'),
                ('order_points', 'order_points_is_well_formed'),
                ('order_accruals', 'order_accrual_is_well_formed'),
                ('order_returns', 'order_return_is_well_formed'),
                ('order_return_lines', 'order_return_line_is_well_formed'),
                ('events', 'event_is_well_formed'),
                ('promotion_counters', 'promotion_counter_is_well_formed'),
                ('promotion_uses', 'promotion_use_is_well_formed')
        ) AS rules (relation, function)
        CROSS JOIN LATERAL loyalty_internal.parts_of(rules.relation) AS part (name)
        JOIN pg_class AS class ON class.oid = part.name AND class.relkind = 'r'
        WHERE NOT EXISTS (
            SELECT FROM pg_constraint
            WHERE conrelid = part.name AND conname = rules.relation || '_are_well_formed'
        )
    LOOP
        EXECUTE format(
            'ALTER TABLE %s ADD CONSTRAINT %s_are_well_formed CHECK (loyalty_internal.%I(%I))',
            judged.name,
            judged.relation,
            judged.function,
            judged.relname
        );
    END LOOP;
END
$do$;
