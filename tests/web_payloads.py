"""What attackers type, and how to tell whether it worked. For the tests of every feature."""

import email
import email.policy
import re
import unicodedata
from html.parser import HTMLParser

from django.core.mail import EmailMessage

# A cell that a spreadsheet would run.
FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\0=1+1",
    " =1+1",
    "  +1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    "﹦1+1",
    "'=1+1",
    "''=1+1",
    '=HYPERLINK("https://evil.example","click")',
    "=cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "=1\n+2",
]


def is_live_cell(cell: str) -> bool:
    """Tell whether a spreadsheet would run the cell. Written apart from the guard, by its first visible letter."""
    visible = [letter for letter in cell if not letter.isspace() and unicodedata.category(letter) not in ("Cf", "Cc")]
    begins_with_control = cell[:1] in ("\t", "\r", "\n", "\0")
    return begins_with_control or (bool(visible) and unicodedata.normalize("NFKC", visible[0])[0] in "=+-@")


# Scripts that would run if a page showed them as they are. Each sets or calls something that a browser test can see.
SCRIPTS = [
    "<script>window.owned=1</script>",
    "</script><script>window.owned=1</script>",
    "<img src=x onerror=window.owned=1>",
    "<svg onload=window.owned=1>",
    "<svg><script>window.owned=1</script></svg>",
    '"><script>window.owned=1</script>',
    "'><script>window.owned=1</script>",
    '" autofocus onfocus="window.owned=1',
    "' autofocus onfocus='window.owned=1",
    "</textarea><script>window.owned=1</script>",
    "</title><script>window.owned=1</script>",
    "</style><script>window.owned=1</script>",
    "--><script>window.owned=1</script>",
    "<iframe srcdoc='<script>parent.owned=1</script>'>",
    "<details open ontoggle=window.owned=1>",
    "<a href=javascript:window.owned=1>a</a>",
    "javascript:window.owned=1",
    "<math><mtext></p><script>window.owned=1</script>",
    "{{ 1|add:1 }}{% debug %}",
    "<div hx-on:load='window.owned=1' hx-get='/' hx-trigger='load'>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=//evil.example><button>a</button></form>",
    "<style>*{background:url(//evil.example)}</style>",
    "\u2028<script>window.owned=1</script>",
    "＜script＞window.owned=1＜/script＞",
    "<ScRiPt >window.owned=1</sCrIpT >",
    "<script\x0c>window.owned=1</script>",
    "<object data=javascript:window.owned=1>",
    "<input onfocus=window.owned=1 autofocus>",
]


def live_parts(html: str) -> list[str]:
    """Return what of the payloads a browser would run, load, follow or obey in this page. Empty: all of it is text."""
    page = _Live()
    page.feed(html)
    return page.found


class _Live(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag if tag in ("script", "style") else ""
        for name, value in attrs:
            given = (value or "").strip().lower()
            runs = name.startswith(("on", "hx-on")) or name in ("style", "srcdoc")
            leads = name in ("href", "src", "action", "formaction", "data", "content", "srcset")
            if (runs and ("owned" in given or "evil" in given)) or (
                leads and (given.startswith(("javascript:", "vbscript:", "data:text")) or "//evil.example" in given)
            ):
                self.found.append(f"<{tag} {name}={value}>")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside and ("window.owned" in data or "evil.example" in data):
            self.found.append(f"<{self._inside}> {data}")


# Addresses that must never be where a redirect leads.
ELSEWHERE = [
    "https://evil.example/",
    "http://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "////evil.example/",
    "\\\\evil.example/",
    "/\\evil.example/",
    "\\/evil.example/",
    "/\\/evil.example/",
    "http:evil.example",
    "https:evil.example",
    "http:/evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    " https://evil.example/",
    "\thttps://evil.example/",
    "\nhttps://evil.example/",
    "ht\ntps://evil.example/",
    "/\t/evil.example/",
    "/\n/evil.example/",
    "\x01https://evil.example/",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "https://evil.example#testserver",
    "https://evil.example?testserver",
    "ftp://evil.example/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:alert(1)",
    "//evil%2eexample/",
    "//evil。example/",
    "https://ⓔvil.example/",
    "/%09/evil.example/",
    "//%65vil.example/",
]

# What would add a header or a recipient to a message if it got through.
HEADER_BREAKS = [
    "a\r\nBcc: victim@evil.example",
    "a\nBcc: victim@evil.example",
    "a\rBcc: victim@evil.example",
    "a\r\n\r\nbody",
    "a\n\nbody",
    "a%0d%0aBcc: victim@evil.example",
    "a\u2028Bcc: victim@evil.example",
    "a\u2029Bcc: victim@evil.example",
    "a\u0085Bcc: victim@evil.example",
    "a\x0bBcc: victim@evil.example",
    "a\x0cBcc: victim@evil.example",
    "a\0Bcc: victim@evil.example",
    "a, victim@evil.example",
    "a; victim@evil.example",
    "a <victim@evil.example>",
    "<victim@evil.example>",
    '"a" <victim@evil.example>, b',
    "a\r\n Bcc: victim@evil.example",
    "a\r\n\tTo: victim@evil.example",
    "=?utf-8?q?=0d=0aBcc:_victim=40evil.example?=",
    "a@example.org\r\nBcc: victim@evil.example",
    "a@example.org,victim@evil.example",
    "嘊嘍Bcc: victim@evil.example",
]


def leads_elsewhere(location: str, host: str = "testserver") -> bool:
    """Tell whether a browser that is at ``host`` would leave it by this address, or run it. Reads it as browsers do."""
    shown = "".join(letter for letter in location.strip("".join(map(chr, range(33)))) if letter not in "\t\r\n")
    if (scheme := _SCHEME.match(shown)) and scheme[1].lower() not in ("http", "https"):
        return True
    # In an http address a backslash is a slash, and any number of slashes begins a host, also after "http:".
    shown = shown.replace("\\", "/")
    if scheme or shown.startswith("//"):
        rest = (shown[scheme.end() :] if scheme else shown).lstrip("/")
        authority = unicodedata.normalize("NFKC", re.split(r"[/?#]", rest)[0])
        return authority.rpartition("@")[2].partition(":")[0] != host
    return False


_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")


def assert_only_expected(message: EmailMessage, *recipients: str) -> None:
    """Check that a message, as it goes over the wire, has no header and no recipient but the ones expected."""
    assert sorted(message.recipients()) == sorted(recipients)
    parsed = email.message_from_bytes(message.message().as_bytes(), policy=email.policy.default)
    assert set(parsed.keys()) <= {
        "Content-Type",
        "MIME-Version",
        "Subject",
        "From",
        "To",
        "Date",
        "Message-ID",
        "Content-Transfer-Encoding",
        "Auto-Submitted",
        "Reply-To",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
    }
    assert len(parsed.get_all("To", [])) == 1
    assert sorted(address.addr_spec for address in parsed["To"].addresses) == sorted(recipients)
    assert "\n" not in parsed["Subject"]
