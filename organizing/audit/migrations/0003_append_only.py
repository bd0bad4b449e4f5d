"""The audit trail only grows: nobody alters, removes or empties it, the owner of the table included.

Privileges would not bind the owner, so triggers say it, and ALWAYS: also in a session that plays a replica, which
skips ordinary triggers. Whoever may change the table's definition can still take them off; that is no accident.
"""

from django.db import migrations

FORBID = """
CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail only grows'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'the_audit_trail_only_grows';
END $$;

CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON audit_auditevent
    FOR EACH ROW EXECUTE FUNCTION audit_only_grows();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON audit_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();

ALTER TABLE audit_auditevent ENABLE ALWAYS TRIGGER only_grows;
ALTER TABLE audit_auditevent ENABLE ALWAYS TRIGGER is_never_emptied;
"""

ALLOW = """
DROP TRIGGER is_never_emptied ON audit_auditevent;
DROP TRIGGER only_grows ON audit_auditevent;
DROP FUNCTION audit_only_grows();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_database_roles")]

    operations = [migrations.RunSQL(FORBID, ALLOW)]
