"""Make the database role that web processes work under.

A process takes it on with ``DATABASE_ROLE=organizing_web`` (``-c role=organizing_web`` when it connects). The role may
read and write rows, as every page needs, and may neither change tables nor empty them; each app takes back in its own
migration what its pages must not reach (answers, the audit trail).

Roles belong to the whole server, not to one database, and databases migrate side by side (tests do), so another
migration may make the same role in the same moment: that is caught, and is as good as having made it ourselves.
"""

from django.db import migrations

MAKE_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'organizing_web') THEN
        CREATE ROLE organizing_web NOLOGIN;
    END IF;
    -- A superuser takes on any role; anybody else must be a member of it.
    IF NOT pg_has_role(current_user, 'organizing_web', 'MEMBER') THEN
        EXECUTE format('GRANT organizing_web TO %I', current_user);
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION USING MESSAGE = format(
            'This database login may not make roles. As a database administrator run once: '
            'CREATE ROLE organizing_web NOLOGIN; GRANT organizing_web TO %I;  Then migrate again.', current_user);
END $$;
"""

# What is there now and what this login adds later. Never TRUNCATE: it passes by row triggers.
GRANT_EVERYDAY_RIGHTS = """
GRANT USAGE ON SCHEMA public TO organizing_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO organizing_web;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO organizing_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO organizing_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO organizing_web;
"""

# The audit trail grows and is read; the trigger that forbids the rest holds for every role, this is the first fence.
TAKE_BACK = """
REVOKE UPDATE, DELETE ON audit_auditevent FROM organizing_web;
"""

# When a statement fails, PostgreSQL writes its text to the server log, and the text of ours carries answers. Only a
# superuser may say so for a database; elsewhere the administrator sets it (README, "Several machines").
KEEP_STATEMENTS_OUT_OF_THE_LOG = """
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET log_min_error_statement = panic', current_database());
    EXECUTE format('ALTER DATABASE %I SET log_error_verbosity = terse', current_database());
    EXECUTE format('ALTER DATABASE %I SET log_statement = none', current_database());
    EXECUTE format('ALTER DATABASE %I SET log_min_duration_statement = -1', current_database());
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'Set log_min_error_statement = panic and log_error_verbosity = terse on the database server.';
END $$;
"""

TAKE_ALL_BACK = """
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM organizing_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM organizing_web;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM organizing_web;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM organizing_web;
REVOKE USAGE ON SCHEMA public FROM organizing_web;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(MAKE_ROLE, migrations.RunSQL.noop),  # other databases may use the role
        migrations.RunSQL(GRANT_EVERYDAY_RIGHTS, TAKE_ALL_BACK),
        migrations.RunSQL(TAKE_BACK, migrations.RunSQL.noop),
        migrations.RunSQL(KEEP_STATEMENTS_OUT_OF_THE_LOG, migrations.RunSQL.noop),
    ]
