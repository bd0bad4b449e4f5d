"""A release, once made, is what was told: it can be neither altered nor taken back, by pages, commands or hand.

Pages make releases and may not look into the inbox, but a release of a closed survey must not miss its last answers:
they could never follow, being fewer than k. So pages may ask one thing, of closed surveys only: does anything wait?
"""

from django.db import migrations, models

FORBID = """
CREATE FUNCTION surveys_release_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a release is made once and never altered'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'a_release_is_never_altered';
END $$;

CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON surveys_release
    FOR EACH ROW EXECUTE FUNCTION surveys_release_stays();

CREATE FUNCTION surveys_last_answers_wait(the_survey uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM surveys_survey WHERE id = the_survey AND state = 'closed')
        AND EXISTS (SELECT FROM surveys_inbox WHERE survey_id = the_survey)
$$;

REVOKE UPDATE, DELETE ON surveys_release FROM organizing_web;
"""

ALLOW = """
GRANT UPDATE, DELETE ON surveys_release TO organizing_web;
DROP FUNCTION surveys_last_answers_wait(uuid);
DROP TRIGGER stays ON surveys_release;
DROP FUNCTION surveys_release_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("surveys", "0002_freeze_when_open"), ("surveys", "0003_answer_privileges")]

    operations = [
        migrations.AddField("release", "texts", models.JSONField(default=dict)),
        migrations.RunSQL(FORBID, ALLOW),
    ]
