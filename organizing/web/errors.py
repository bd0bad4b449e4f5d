"""What an operation says when a rule forbids what was asked."""


class Refused(Exception):
    """A rule forbids it. The message is a sentence for the person who asked, already translated."""
