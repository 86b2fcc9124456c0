"""Scopes: spelling, what two of them share, what goes beyond."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.small_world import allowed, permissions, scopes, words
from verifier import InvalidPermission, Permission, Scope
from verifier.scope import MAX_CHARACTERS

_OAUTH = re.compile(r"([\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*)?")


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("", ""),
        ("  ", ""),
        ("openid", "openid"),
        ("profile openid", "openid profile"),
        ("openid openid", "openid"),
        ("openid app:query@x", "app:query@x openid"),
        ("  b:b@x   a:a@x ", "a:a@x b:b@x"),
        ("a:b@x a:b@x", "a:b@x"),
        ("*", "*"),
        ("*:*@* openid", "* openid"),
        ("a:b@[c=d]", "a:b@*[c=d]"),
        ("data:get", "data:get"),
        ("data:*", "data:*"),
        ("**", "**"),
        ("https://example.com/calendar", "https://example.com/calendar"),
        ("!#$%&'()+,-./:;<=>?[]^_`{|}~", "!#$%&'()+,-./:;<=>?[]^_`{|}~"),
        ("a:b@x a:b@*", "a:b@* a:b@x"),
    ],
)
def test_parses(text: str, spelling: str) -> None:
    assert str(Scope.parse(text)) == spelling


@pytest.mark.parametrize(
    "text",
    [
        "a:b@",
        "openid a:b@",
        "A:b@x",
        "user@example.com",
        "@",
        'say"so"',
        "back\\slash",
        "tab\there",
        "line\nbreak",
        "\x7f",
        "\x1f",
        "\u00e9t\u00e9",
        "no\u00a0break",
        "a:b@x\ta:c@x",
        "a:b@x\n",
        "\ud800",
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(InvalidPermission):
        Scope.parse(text)


def test_size_is_bounded() -> None:
    assert Scope.parse("w" * MAX_CHARACTERS).words
    with pytest.raises(InvalidPermission, match="at most 8192 characters"):
        Scope.parse("w" * (MAX_CHARACTERS + 1))


@given(scopes)
def test_parse_and_print_are_inverse(scope: Scope) -> None:
    assert Scope.parse(str(scope)) == scope
    assert _OAUTH.fullmatch(str(scope))


@given(st.text(max_size=20) | st.text(st.characters(codec="ascii"), max_size=20))
def test_whatever_parses_holds_only_oauth_characters(text: str) -> None:
    try:
        scope = Scope.parse(text)
    except InvalidPermission:
        return
    assert _OAUTH.fullmatch(str(scope))


@given(scopes, scopes)
def test_and_allows_what_both_allow(one: Scope, other: Scope) -> None:
    both = one & other
    assert allowed(both) == allowed(one) & allowed(other)
    assert set(both.words) == set(one.words) & set(other.words)


@given(scopes, scopes)
def test_and_is_commutative_and_within_both(one: Scope, other: Scope) -> None:
    both = one & other
    assert both == other & one
    assert both <= one
    assert both <= other


@given(scopes)
def test_and_is_idempotent(scope: Scope) -> None:
    assert scope & scope == Scope.of(scope.permissions, scope.words)


@given(scopes, scopes)
def test_inclusion_means_inclusion_of_requests_and_words(one: Scope, other: Scope) -> None:
    if one <= other:
        assert allowed(one) <= allowed(other)
        assert set(one.words) <= set(other.words)


@given(permissions, permissions)
def test_inclusion_of_single_permissions_is_exact(one: Permission, other: Permission) -> None:
    assert (Scope((one,)) <= Scope((other,))) == (one <= other)


@given(scopes, scopes)
def test_beyond_is_what_cannot_be_handed_on(scope: Scope, held: Scope) -> None:
    beyond = scope.beyond(held)
    assert set(beyond.permissions) <= set(scope.permissions)
    assert set(beyond.words) == set(scope.words) - set(held.words)
    assert allowed(scope) - allowed(held) <= allowed(beyond)
    assert (scope <= held) == (not beyond)
    assert all(not (part <= limit) for part in beyond.permissions for limit in held.permissions)


def test_beyond_names_the_parts() -> None:
    asked = Scope.parse("app:query@x app:get@y openid profile")
    assert str(asked.beyond(Scope.parse("app:query@* openid"))) == "app:get@y profile"


@given(st.lists(permissions, max_size=5), st.lists(words, max_size=4))
def test_of_keeps_the_requests_and_absorbs_the_rest(parts: list[Permission], texts: list[str]) -> None:
    scope = Scope.of(parts, texts)
    assert allowed(scope) == frozenset().union(*map(allowed, parts))
    assert set(scope.words) == set(texts)
    assert not any(one <= other for one in scope.permissions for other in scope.permissions if one != other)
    assert not any(one.is_contradictory for one in scope.permissions)
    assert Scope.parse(str(scope)) == scope


def test_of_absorbs() -> None:
    parts = [
        Permission.parse(text) for text in ("a:b@x", "a:b@*", "a:b@*[c=d]", "a:b@x", "a:c@[d=1,d=2]", "a:d@x")
    ]
    assert str(Scope.of(parts)) == "a:b@* a:d@x"


@given(scopes)
def test_covers_what_one_of_its_permissions_covers(scope: Scope) -> None:
    assert allowed(scope) == frozenset().union(*map(allowed, scope.permissions))


def test_a_word_allows_nothing() -> None:
    scope = Scope.parse("data:get openid")
    assert not scope.covers("data:get", "x")
    assert not scope.covers("data:get", "*")


@pytest.mark.parametrize(
    ("text", "part", "held"),
    [
        ("openid a:b@x", "openid", True),
        ("openid a:b@x", "a:b@x", True),
        ("openid a:b@x", "a:b", False),
        ("openid a:b@x", "open", False),
        ("a:b@*", "a:b@x", False),
        ("*", "*", True),
        ("data:get-all", "data:get", False),
        ("", "", False),
        ("openid", "", False),
    ],
)
def test_contains_compares_whole(text: str, part: str, *, held: bool) -> None:
    assert (part in Scope.parse(text)) is held


def test_truth() -> None:
    assert not Scope()
    assert Scope.parse("openid")
    assert Scope.parse("a:b@x")


def test_is_immutable_and_hashable() -> None:
    scope = Scope.parse("a:b@x")
    with pytest.raises(AttributeError):
        scope.words = ("openid",)  # type: ignore[misc]
    assert {scope: 1}[Scope.parse(" a:b@x ")] == 1
