"""Take from the web role what the promise to students says nobody reads.

======================  =======================================================================================
inbox                   INSERT alone. What waits is unshuffled, so pages must not even see how many there are
response                nothing
spent_submission        INSERT, and SELECT of the id, to answer a repeated post with the same thank-you page
access_code             INSERT (printing a batch), SELECT (finding one), DELETE (spending one); no UPDATE
tally                   SELECT: previews are built from tallies, by the rules of disclosure
text_answer             SELECT: two trustees read each text before anybody else; nobody edits or drops one
======================  =======================================================================================

The shuffle, imports and the purge run in the worker and in commands, under the login that owns the tables.
"""

from django.db import migrations

TAKE_BACK = """
REVOKE ALL ON surveys_inbox, surveys_response, surveys_spentsubmission, surveys_accesscode, surveys_tally,
    surveys_textanswer FROM organizing_web;
GRANT INSERT ON surveys_inbox TO organizing_web;
GRANT INSERT, SELECT (id) ON surveys_spentsubmission TO organizing_web;
GRANT INSERT, SELECT, DELETE ON surveys_accesscode TO organizing_web;
GRANT SELECT ON surveys_tally, surveys_textanswer TO organizing_web;
"""

GIVE_BACK = """
GRANT SELECT, INSERT, UPDATE, DELETE ON surveys_inbox, surveys_response, surveys_spentsubmission, surveys_accesscode,
    surveys_tally, surveys_textanswer TO organizing_web;
"""


class Migration(migrations.Migration):
    # Default privileges reach only tables made after them, so the tables must be there and the role must be there.
    dependencies = [("audit", "0002_database_roles"), ("surveys", "0001_initial")]

    operations = [migrations.RunSQL(TAKE_BACK, GIVE_BACK)]
