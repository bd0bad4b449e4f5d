"""What a survey asks, of whom and under which promise cannot change once it has opened.

Whoever answered did so under the words, the mode and k of that moment, so the database itself refuses to alter
them: for pages, commands and hand-written SQL alike. Only what tells about the survey afterwards stays open:
``method``, ``purge_on``, ``closed_at`` (with the closing itself) and ``created_by`` (a person may be deleted).
"""

import django.db.models.functions.text
from django.db import migrations, models

FREEZE = """
CREATE FUNCTION surveys_freeze_survey() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        IF TG_OP = 'UPDATE' AND NEW.state NOT IN ('draft', 'open') THEN
            RAISE EXCEPTION 'a survey goes from draft to open to closed'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'a_survey_never_goes_back';
        END IF;
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a survey that has opened cannot be deleted'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_opened_survey_stays';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) <> ('open', 'closed') THEN
        RAISE EXCEPTION 'a survey goes from draft to open to closed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_survey_never_goes_back';
    END IF;
    -- Whatever is not named here is frozen, columns of later days included.
    IF to_jsonb(NEW) - ARRAY['method', 'purge_on', 'state', 'closed_at', 'created_by_id']
        IS DISTINCT FROM to_jsonb(OLD) - ARRAY['method', 'purge_on', 'state', 'closed_at', 'created_by_id']
        OR (NEW.closed_at IS DISTINCT FROM OLD.closed_at AND NEW.state = OLD.state)
    THEN
        RAISE EXCEPTION 'what a survey asks and promises is frozen once it has opened'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_opened_survey_is_frozen';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER frozen_once_open BEFORE UPDATE OR DELETE ON surveys_survey
    FOR EACH ROW EXECUTE FUNCTION surveys_freeze_survey();

CREATE FUNCTION surveys_freeze_part(the_survey uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    its_state text;
BEGIN
    -- The lock makes an edit and an opening wait for each other: no question slips in behind an opening that is
    -- not committed yet.
    SELECT state INTO its_state FROM surveys_survey WHERE id = the_survey FOR SHARE;
    IF its_state <> 'draft' THEN
        RAISE EXCEPTION 'the questions of a survey are frozen once it has opened'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'questions_freeze_when_a_survey_opens';
    END IF;
END $$;

CREATE FUNCTION surveys_freeze_question() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM surveys_freeze_part(OLD.survey_id);
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'INSERT' OR NEW.survey_id <> OLD.survey_id THEN
        PERFORM surveys_freeze_part(NEW.survey_id);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER frozen_once_open BEFORE INSERT OR UPDATE OR DELETE ON surveys_question
    FOR EACH ROW EXECUTE FUNCTION surveys_freeze_question();

CREATE FUNCTION surveys_freeze_choice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM surveys_freeze_part((SELECT survey_id FROM surveys_question WHERE id = OLD.question_id));
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'INSERT' OR NEW.question_id <> OLD.question_id THEN
        PERFORM surveys_freeze_part((SELECT survey_id FROM surveys_question WHERE id = NEW.question_id));
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER frozen_once_open BEFORE INSERT OR UPDATE OR DELETE ON surveys_choice
    FOR EACH ROW EXECUTE FUNCTION surveys_freeze_choice();
"""

THAW = """
DROP TRIGGER frozen_once_open ON surveys_choice;
DROP TRIGGER frozen_once_open ON surveys_question;
DROP TRIGGER frozen_once_open ON surveys_survey;
DROP FUNCTION surveys_freeze_choice();
DROP FUNCTION surveys_freeze_question();
DROP FUNCTION surveys_freeze_part(uuid);
DROP FUNCTION surveys_freeze_survey();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0003_answer_privileges"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="choice",
            name="a_choice_key_is_used_once_in_a_question",
        ),
        migrations.RemoveConstraint(
            model_name="question",
            name="a_question_key_is_used_once_in_a_survey",
        ),
        migrations.AlterField(
            model_name="choice",
            name="key",
            field=models.CharField(max_length=60),
        ),
        migrations.AlterField(
            model_name="question",
            name="key",
            field=models.CharField(max_length=60),
        ),
        migrations.AddConstraint(
            model_name="choice",
            constraint=models.UniqueConstraint(
                models.F("question"),
                django.db.models.functions.text.Lower("key"),
                name="a_choice_key_is_used_once_in_a_question",
            ),
        ),
        migrations.AddConstraint(
            model_name="choice",
            constraint=models.CheckConstraint(
                condition=models.Q(("key__regex", r"^[^\s,;]([^,;\n\r\t]*[^\s,;])?$")),
                name="a_choice_key_fits_in_a_cell",
            ),
        ),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.UniqueConstraint(
                models.F("survey"),
                django.db.models.functions.text.Lower("key"),
                name="a_question_key_is_used_once_in_a_survey",
            ),
        ),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.CheckConstraint(
                condition=models.Q(("key__regex", "^[A-Za-z0-9][A-Za-z0-9_.-]*$")),
                name="a_question_key_is_a_plain_word",
            ),
        ),
        migrations.RunSQL(FREEZE, THAW),
    ]
