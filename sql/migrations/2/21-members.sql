-- A row without it is an enrolment, a row with it a restore.
ALTER TABLE loyalty.members ALTER COLUMN enrolled_at DROP DEFAULT;
COMMENT ON COLUMN loyalty.members.enrolled_at IS
    'Start of the present, or else the last, stay. Left out: now, and the row is an enrolment; given: the row is taken '
    'as it stands, as restores do.';
