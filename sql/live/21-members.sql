-- Members.

CREATE OR REPLACE TRIGGER enrol
    BEFORE INSERT ON loyalty.members
    FOR EACH ROW
    WHEN (NEW.enrolled_at IS NULL)
    EXECUTE FUNCTION loyalty_internal.members_trigger();
COMMENT ON TRIGGER enrol ON loyalty.members IS 'Who comes without enrolled_at is enrolled now.';

CREATE OR REPLACE TRIGGER welcome
    AFTER INSERT ON loyalty.members
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.members_trigger();
COMMENT ON TRIGGER welcome ON loyalty.members IS
    'Who was enrolled has a profile, and gets initial balances, tiers and an event.';
