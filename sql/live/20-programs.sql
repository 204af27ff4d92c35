-- Profile databases, programs and point types.

CREATE OR REPLACE TRIGGER validate
    BEFORE INSERT OR UPDATE OF relation, key_column, email_column, phone_column ON loyalty.profile_databases
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.profile_databases_trigger();
COMMENT ON TRIGGER validate ON loyalty.profile_databases
    IS 'The relation and its columns exist, and the schema''s owner has set them.';

CREATE OR REPLACE TRIGGER validate
    BEFORE INSERT OR UPDATE ON loyalty.programs
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.programs_trigger();
COMMENT ON TRIGGER validate ON loyalty.programs IS 'A known time zone; what is fixed stays.';

CREATE OR REPLACE TRIGGER make_main
    AFTER INSERT ON loyalty.programs
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.new_program_trigger();
COMMENT ON TRIGGER make_main ON loyalty.programs IS 'Gives a new program its main arbitration.';

CREATE OR REPLACE TRIGGER refit_amounts
    AFTER UPDATE OF currency_scale, price_scale ON loyalty.programs
    FOR EACH ROW
    WHEN ((NEW.currency_scale, NEW.price_scale) IS DISTINCT FROM (OLD.currency_scale, OLD.price_scale))
    EXECUTE FUNCTION loyalty_internal.currency_scale_trigger();
COMMENT ON TRIGGER refit_amounts ON loyalty.programs IS 'All amounts and prices of the program fit its scales.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.programs
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.programs IS 'Rows are deleted one by one, each being asked.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.drafts
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.drafts IS 'Rows are deleted one by one, each being asked.';

CREATE OR REPLACE TRIGGER validate
    BEFORE INSERT
        OR UPDATE OF kind, scale, ratio, rounding, redeem_min, redeem_step, redeem_max_percent ON loyalty.point_types
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.point_types_trigger();
COMMENT ON TRIGGER validate ON loyalty.point_types IS
    'One editor of the draft at a time; kind and scale are fixed once balances exist.';

CREATE OR REPLACE TRIGGER validate_delete
    BEFORE DELETE ON loyalty.point_types
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.point_types_delete_trigger();
COMMENT ON TRIGGER validate_delete ON loyalty.point_types IS 'A type in use is not deleted.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.point_types
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.point_types IS 'Rows are deleted one by one, each being asked.';
