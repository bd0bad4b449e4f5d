"""``manage.py disclose``: JSON in, JSON out, and one plain line when the input is wrong."""

import json
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from django.core.management import CommandError, call_command

FAMILY = {"name": "school", "groups": [{"label": "Adams", "n": 15, "yes": 9}, {"label": "Brooks", "n": 42, "yes": 21}]}


def run(monkeypatch: pytest.MonkeyPatch, given: bytes, *options: str) -> str:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(given)))
    out = StringIO()
    call_command("disclose", *options, stdout=out)
    return out.getvalue()


def test_it_answers_json_with_json_and_touches_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    given = json.dumps({"families": [FAMILY], "two_way": []}).encode()
    assert json.loads(run(monkeypatch, given)) == {
        "families": [
            {
                "name": "school",
                "total": {"low": 50, "high": 59},
                "groups": [
                    {"label": "Adams", "shown": True, "low": 50, "high": 100},
                    {"label": "Brooks", "shown": True, "low": 50, "high": 59},
                ],
            }
        ],
        "two_way": [],
    }


def test_a_greater_k_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(run(monkeypatch, json.dumps({"families": [FAMILY]}).encode(), "--k", "20"))
    assert [group["shown"] for group in told["families"][0]["groups"]] == [False, False]


@pytest.mark.parametrize(
    ("given", "options", "line"),
    [
        (b"{", [], "The input is not JSON: line 1, column 2"),
        (b"", [], "The input is not JSON: line 1, column 1"),
        (b"\xff\xfe{", [], "The input is not"),
        (b'{"families": [{"name": "f"}]}', [], "families[0]: 'groups' is missing."),
        (b"[" * 100_000, [], "The input cannot be read"),
        (b'{"families": ' + b"9" * 5000 + b"}", [], "The input cannot be read"),
        (b"{}", ["--k", "9"], "k: must be 10 or more, not 9."),
    ],
)
def test_wrong_input_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, given: bytes, options: list[str], line: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        run(monkeypatch, given, *options)
    assert str(refusal.value).startswith(line)
