from django.db import models


class Answer(models.Model):
    answers = models.JSONField()
