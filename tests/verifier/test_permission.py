"""The grammar as a table, the algebra by trying every request of a small world."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.small_world import allowed, permissions, texts
from verifier import InvalidPermission, Permission
from verifier.permission import EVERYTHING, is_label

_OAUTH = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("*", "*"),
        ("*:*@*", "*"),
        ("app:query@*[group=A]", "app:query@*[group=A]"),
        ("job:*@[model=base,team=nlp]", "job:*@*[model=base,team=nlp]"),
        ("job:*@[team=nlp,model=base]", "job:*@*[model=base,team=nlp]"),
        (
            "data:get@urn:hourmark:data:org.account.workspace",
            "data:get@urn:hourmark:data:org.account.workspace",
        ),
        ("repository:pull@samples/*", "repository:pull@samples/*"),
        ("*:query@x", "*:query@x"),
        ("app:*@*", "app:*@*"),
        ("role-key:list@a", "role-key:list@a"),
        ("a1:b2@c3", "a1:b2@c3"),
        ("-:-@-", "-:-@-"),
        ("a:b@x*[c=d]", "a:b@x*[c=d]"),
        ("a:b@x[c=d,c=d]", "a:b@x[c=d]"),
        ("a:b@x[c=1,c=2]", "a:b@x[c=1,c=2]"),
        ("a:b@-._~:/+%!$&'();=?", "a:b@-._~:/+%!$&'();=?"),
        ("a:b@x[a-._/:1=-._/:]", "a:b@x[a-._/:1=-._/:]"),
        ("a:b@x[A=B]", "a:b@x[A=B]"),
        ("a:b@ABC", "a:b@ABC"),
    ],
)
def test_accepts(text: str, spelling: str) -> None:
    assert str(Permission.parse(text)) == spelling


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "**",
        "a",
        "a:b",
        "a:b@",
        "a:@x",
        ":b@x",
        "a@x",
        "*@*",
        "a:b:c@x",
        "a:b@@x",
        "a:b@x@y",
        "A:b@x",
        "a:B@x",
        "a_:b@x",
        "a*:b@x",
        "a:b*@x",
        "a:**@x",
        "a:b@*x",
        "a:b@**",
        "a:b@x**",
        "a:b@x*y",
        "a:b@x[]",
        "a:b@[]",
        "a:b@x[c]",
        "a:b@x[c=]",
        "a:b@x[=d]",
        "a:b@x[c=d",
        "a:b@xc=d]",
        "a:b@x[c=d]y",
        "a:b@x[c=d]*",
        "a:b@x[c=d][e=f]",
        "a:b@x[c=d,]",
        "a:b@x[,c=d]",
        "a:b@x[c=d=e]",
        "a:b@x[c=*]",
        "a:b@x[c=d e=f]",
        "a:b@x,y",
        "a:b@x y",
        " a:b@x",
        "a:b@x ",
        "a:b@x\n",
        "a:b@x\t",
        'a:b@"x"',
        "a:b@x\\y",
        "a:b@x\0",
        "\u0661:b@x",
        "a:\u00e9@x",
        "a:b@\u0661",
        "a:b@x\u00e9",
        "a:b@x[\u0661=1]",
        "a:b@x[c=\uff11]",
        "\u017f:b@x",
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(InvalidPermission, match="is not a permission: write action@resource"):
        Permission.parse(text)


def test_a_refusal_shows_no_more_than_the_beginning() -> None:
    with pytest.raises(InvalidPermission) as refusal:
        Permission.parse("x" * 100 + "y" * 9000)
    assert "x" * 100 in str(refusal.value)
    assert "y" not in str(refusal.value).partition(" ")[0]


@pytest.mark.parametrize(
    ("permission", "action", "resource", "labels", "allows"),
    [
        ("app:query@x", "app:query", "x", {}, True),
        ("app:query@x", "app:query", "x", {"group": "A"}, True),
        ("app:query@x", "app:query", "xy", {}, False),
        ("app:query@x", "app:query", "", {}, False),
        ("app:query@x", "app:get", "x", {}, False),
        ("app:query@x", "job:query", "x", {}, False),
        ("app:*@x", "app:get", "x", {}, True),
        ("*:query@x", "job:query", "x", {}, True),
        ("*", "job:query", "x", {}, True),
        ("*", "job:query", "*", {}, True),
        ("*", "job:*", "x", {}, False),
        ("*", "*:query", "x", {}, False),
        ("*", "*", "x", {}, False),
        ("*", "job", "x", {}, False),
        ("*", "job:query:x", "x", {}, False),
        ("*", "JOB:query", "x", {}, False),
        ("*", "job:query\n", "x", {}, False),
        ("*", "\u0661:query", "x", {}, False),
        ("*", "job:query", "", {}, False),
        ("*", "job:query", "x*", {}, False),
        ("*", "job:query", "x y", {}, False),
        ("*", "job:query", "x\n", {}, False),
        ("*", "job:query", "x[a=b]", {}, False),
        ("*", "job:query", "x@y", {}, False),
        ("*", "job:query", "\u00e9", {}, False),
        ("job:get@a/*", "job:get", "a/b", {}, True),
        ("job:get@a/*", "job:get", "a/", {}, True),
        ("job:get@a/*", "job:get", "a", {}, False),
        ("job:get@a/*", "job:get", "b/a/", {}, False),
        ("job:get@a/*", "job:get", "*", {}, False),
        ("job:get@[g=A]", "job:get", "x", {"g": "A"}, True),
        ("job:get@[g=A]", "job:get", "x", {"g": "A", "h": "B"}, True),
        ("job:get@[g=A]", "job:get", "x", {"g": "B"}, False),
        ("job:get@[g=A]", "job:get", "x", {"h": "A"}, False),
        ("job:get@[g=A]", "job:get", "x", {}, False),
        ("job:get@[g=A,h=B]", "job:get", "x", {"g": "A"}, False),
        ("job:get@[g=A,g=B]", "job:get", "x", {"g": "A"}, False),
        ("job:get@[g=A,g=B]", "job:get", "x", {"g": "B"}, False),
    ],
)
def test_covers(permission: str, action: str, resource: str, labels: dict[str, str], *, allows: bool) -> None:
    assert Permission.parse(permission).covers(action, resource, labels) is allows


def test_a_request_without_labels_matches_no_selector() -> None:
    assert not Permission.parse("a:b@[c=d]").covers("a:b", "x")
    assert Permission.parse("a:b@*").covers("a:b", "x")


@given(permissions, permissions)
def test_and_allows_what_both_allow(one: Permission, other: Permission) -> None:
    assert allowed(one & other) == allowed(one) & allowed(other)


@given(permissions, permissions)
def test_and_is_none_exactly_where_they_share_nothing(one: Permission, other: Permission) -> None:
    assert ((one & other) is None) == (not allowed(one) & allowed(other))


@given(permissions, permissions)
def test_inclusion_is_inclusion_of_requests(one: Permission, other: Permission) -> None:
    assert (one <= other) == (allowed(one) <= allowed(other))


@given(permissions, permissions)
def test_and_is_commutative_and_within_both(one: Permission, other: Permission) -> None:
    both = one & other
    assert both == other & one
    assert both is None or (both <= one and both <= other)


@given(permissions, permissions, permissions)
def test_and_is_associative(one: Permission, two: Permission, three: Permission) -> None:
    left, right = one & two, two & three
    assert (left and left & three) == (right and one & right)


@given(permissions)
def test_and_is_idempotent(permission: Permission) -> None:
    assert permission & permission == (None if permission.is_contradictory else permission)
    assert permission <= Permission.parse(str(permission))
    assert permission <= EVERYTHING


@given(permissions)
def test_contradictory_means_that_nothing_is_allowed(permission: Permission) -> None:
    assert permission.is_contradictory == (not allowed(permission))


@given(permissions)
def test_parse_and_print_are_inverse(permission: Permission) -> None:
    assert Permission.parse(str(permission)) == permission


@given(
    texts
    | st.text(st.characters(codec="ascii"), max_size=30)
    | st.from_regex(r"[a-z]:\*@\S+", fullmatch=True)
)
def test_whatever_parses_prints_as_one_oauth_scope_token(text: str) -> None:
    try:
        permission = Permission.parse(text)
    except InvalidPermission:
        return
    assert _OAUTH.fullmatch(str(permission))
    assert Permission.parse(str(permission)) == permission
    assert hash(Permission.parse(text)) == hash(permission)


@pytest.mark.parametrize("text", ["a", "A", "0", "-._/:", "hourmark/id"])
def test_labels(text: str) -> None:
    assert is_label(text)


@pytest.mark.parametrize(
    "text", ["", " ", "a b", "a=b", "a,b", "a]", "[a", "*", "a\n", "\u00e9", "\u0661", "@"]
)
def test_no_labels(text: str) -> None:
    assert not is_label(text)


def test_is_immutable() -> None:
    with pytest.raises(AttributeError):
        EVERYTHING.noun = "app"  # type: ignore[misc]
