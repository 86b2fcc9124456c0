"""One request and some permissions: which one decides, or what is missing."""

from __future__ import annotations

import pytest

from verifier import Permission
from verifier.decision import decide, is_request

HELD = ["data:get@a", "data:put@b*", "app:query@*[group=A,team=nlp]"]


def decided(request: str, held: list[str]) -> tuple[str | None, list[str]]:
    decision = decide(Permission.parse(request), map(Permission.parse, held))
    return (None if decision.by is None else str(decision.by)), list(decision.missing)


@pytest.mark.parametrize(
    ("request_", "by"),
    [
        ("data:get@a", "data:get@a"),
        ("data:put@bc", "data:put@b*"),
        ("app:query@x[group=A,team=nlp,more=1]", "app:query@*[group=A,team=nlp]"),
    ],
)
def test_what_decides(request_: str, by: str) -> None:
    assert decided(request_, HELD) == (by, [])


@pytest.mark.parametrize(
    ("request_", "missing"),
    [
        ("data:get@c", ["data:get@a is for a, not for c"]),
        (
            "data:put@a",
            [
                "data:get@a allows data:get, not data:put",
                "data:put@b* is for names that begin with b, not for a",
            ],
        ),
        ("app:query@x[group=A]", ["app:query@*[group=A,team=nlp] asks for the label team=nlp"]),
        ("app:query@x[group=B]", ["app:query@*[group=A,team=nlp] asks for the labels group=A, team=nlp"]),
        ("job:end@b1", ["data:put@b* allows data:put, not job:end"]),
        (
            "data:end@j",
            [
                "data:get@a allows data:get, not data:end and is for a, not for j",
                "data:put@b* allows data:put, not data:end and is for names that begin with b, not for j",
            ],
        ),
        ("job:end@j", ["no permission is about job or names j"]),
    ],
)
def test_what_is_missing(request_: str, missing: list[str]) -> None:
    assert decided(request_, HELD) == (None, missing)


@pytest.mark.parametrize(
    ("held", "missing"),
    [
        ([], ["there is no permission at all"]),
        (["app:query@*[a=1,a=2]"], ["no permission is about data or names a"]),
        (["app:query@*"], ["no permission is about data or names a"]),
    ],
)
def test_nothing_comes_near(held: list[str], missing: list[str]) -> None:
    assert decided("data:get@a", held) == (None, missing)


def test_much_comes_near() -> None:
    by, missing = decided("data:get@z", [f"data:get@a{number}" for number in range(9)])
    assert (by, len(missing), missing[-1]) == (None, 6, "4 more are as near")


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("data:get@x[a=1]", True),
        ("*", False),
        ("data:*@x", False),
        ("data:get@x*", False),
        ("data:get@x[a=1,a=2]", False),
    ],
)
def test_one_request(text: str, *, request_: bool) -> None:
    assert is_request(Permission.parse(text)) is request_
