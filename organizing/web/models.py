"""What the site remembers about requests: how fast somebody may go on. Never who they are."""

from django.db import models


class Bucket(models.Model):
    """A bucket of tokens, one per limit and asker. A bucket without a row is full.

    Only the moment at which it will be full again is kept: how many tokens are in it now follows from that moment, so
    one statement takes a token, and a row whose moment has passed says nothing and can go.
    """

    key = models.CharField(max_length=64, primary_key=True)  # keyed hash of the limit's name and the asker
    full_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key
