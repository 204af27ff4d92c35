-- Orders are changed by functions only.

DO $do$
DECLARE
    guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY[
        'order_ids', 'orders', 'order_lines', 'order_operations', 'order_points', 'order_accruals', 'order_returns',
        'order_return_lines'
    ]
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON loyalty.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_orders_trigger()',
            guarded
        );
        EXECUTE format(
            'COMMENT ON TRIGGER refuse_change ON loyalty.%I IS %L', guarded, 'Orders are changed by functions only.'
        );
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON loyalty.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_orders_trigger()',
            guarded
        );
        EXECUTE format(
            'COMMENT ON TRIGGER refuse_truncate ON loyalty.%I IS %L', guarded, 'Rows are never deleted.'
        );
    END LOOP;
END
$do$;
