"""Scopes: spelling, what two of them share, what goes beyond."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.small_world import allowed, permissions, scopes, words
from verifier import InvalidPermission, Permission, Scope
from verifier import scope as scope_module
from verifier.scope import MAX_CHARACTERS, MAX_OVERLAPS, MAX_PARTS, _maximal, _remembered

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


def test_number_of_parts_is_bounded() -> None:
    parts = [f"a:b@{number}" if number % 2 else f"word{number}" for number in range(MAX_PARTS)]
    scope = Scope.parse("  ".join(parts))
    assert len(scope.permissions) + len(scope.words) == MAX_PARTS
    with pytest.raises(InvalidPermission, match="a scope has at most 256 parts: ask for less"):
        Scope.parse(" ".join([*parts, "one-more"]))


def test_only_short_texts_are_remembered() -> None:
    short, long = "a:b@" + "s" * 1020, "a:b@" + "l" * 1021
    before = _remembered.cache_info().misses
    assert Scope.parse(short) is Scope.parse(short)
    assert _remembered.cache_info().misses == before + 1
    assert Scope.parse(long) is not Scope.parse(long)
    assert Scope.parse(long) == Scope.parse(long)
    assert _remembered.cache_info().misses == before + 1


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


@given(scopes, scopes)
def test_and_is_the_meeting_of_all_pairs(one: Scope, other: Scope) -> None:
    pairs = {mine & theirs for mine in one.permissions for theirs in other.permissions}
    assert set((one & other).permissions) == naive_maximal({both for both in pairs if both is not None})


def labelled(letter: str, count: int) -> Scope:
    """Permissions that all overlap, none within another one."""
    return Scope.of(Permission.parse(f"a:b@*[{letter}{number}=1]") for number in range(count))


@pytest.mark.parametrize("count", [64, 256])
def test_what_is_inside_counts_for_no_overlap(count: int) -> None:
    scope = labelled("x", count)
    assert scope & scope == scope
    assert scope & Scope.parse("a:*@*") == scope


def test_overlaps_are_bounded() -> None:
    assert len((labelled("x", 32) & labelled("y", 32)).permissions) == MAX_OVERLAPS
    for one, other in ((32, 33), (33, 32), (256, 64)):
        with pytest.raises(InvalidPermission, match="the result would not fit a token: ask for less"):
            labelled("x", one) & labelled("y", other)


def test_one_permission_meets_any_number() -> None:
    assert len((Scope.parse("a:b@*[y=1]") & labelled("x", 3000)).permissions) == 3000


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


def naive_maximal(parts: set[Permission]) -> set[Permission]:
    return {
        one
        for one in parts
        if not one.is_contradictory and not any(one <= other for other in parts if other != one)
    }


@given(st.sets(permissions, max_size=40))
def test_of_absorbs_what_the_definition_absorbs(parts: set[Permission]) -> None:
    kept = list(_maximal(parts))
    assert len(kept) == len(set(kept))
    assert set(kept) == naive_maximal(parts)


@pytest.mark.parametrize(
    ("texts", "most"),
    [
        ([f"a:b@x{number}" for number in range(5000)], 0),
        ([f"a:b@{'x' * number}[x{number}=1]" for number in range(1, 300)], 0),
        ([f"a:b@{'x' * number}*[x{number}=1]" for number in range(300)], 0),
        ([f"a:b@{'x' * number}*" for number in range(300)], 300),
        ([f"a:b@*[x{number}=1]" for number in range(5000)], 0),
        ([f"a:b@*[x{one}=1,y{two}=1]" for one in range(256) for two in range(4)], 256 * 4 * 4),
        ([f"a:b@*[x{one}=1,y{two}=1]" for one in range(32) for two in range(32)], 32 * 32 * 64),
    ],
)
def test_of_compares_few(monkeypatch: pytest.MonkeyPatch, texts: list[str], most: int) -> None:
    compared = 0

    class Counted(frozenset[object]):
        def __le__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return super().__le__(other)  # type: ignore[operator]

    monkeypatch.setattr(scope_module, "frozenset", Counted, raising=False)
    assert Scope.of(map(Permission.parse, texts))
    assert compared <= most


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


def test_what_an_action_may_be_done_to_by_name() -> None:
    scope = Scope.parse("role:get@a.b.c role:*@x* *:get@y job:get@z role:delete@w role:get@v[group=A]")
    assert {str(each) for each in scope.names_for("role:get")} == {"role:get@a.b.c", "role:*@x*", "*:get@y"}
    assert Scope.parse("*").names_for("role:get") == Scope.parse("*").permissions
    assert Scope.parse("openid role:get").names_for("role:get") == ()
