"""What people typed, on its way into a message."""

import unicodedata


def one_line(text: str) -> str:
    """Return the text as it may stand in a header such as a subject (OWASP ASVS 5.0, 1.3.11).

    Line ends and controls become spaces, also the ones that only mail programs take for line ends; and nothing in it is
    an encoded word, which a mail program would decode into what was taken out here.
    """
    shown = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text)
    return " ".join(shown.replace("=?", "= ?").split())
