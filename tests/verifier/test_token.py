"""What a token allows, and that nobody changes it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier import forge
from tests.verifier.small_world import scopes
from verifier import InsufficientScope, Scope, Token


def parsed(scope: str = "", **changes: Any) -> Token:
    return Token.from_claims(forge.claims(scope=scope, **changes))


def test_require() -> None:
    token = parsed("app:query@*[group=A] job:get@x data:get")
    token.require("app:query", "my-app", labels={"group": "A", "more": "1"})
    token.require("job:get", "x")
    for action, resource, labels in [
        ("app:query", "my-app", {}),
        ("app:query", "my-app", {"group": "B"}),
        ("app:get", "my-app", {"group": "A"}),
        ("job:get", "y", {}),
        ("data:get", "x", {}),
        ("data:get", "*", {}),
    ]:
        with pytest.raises(InsufficientScope):
            token.require(action, resource, labels)


def test_a_refusal_says_which_permission_would_do() -> None:
    with pytest.raises(InsufficientScope) as refusal:
        parsed().require("app:query", "my-app", {"b": "2", "a": "1"})
    assert refusal.value.code == "insufficient_scope"
    assert refusal.value.permission == "app:query@my-app[a=1,b=2]"
    with pytest.raises(InsufficientScope, match=r"does not allow app:query@my-app$"):
        parsed().require("app:query", "my-app")


def test_has_scope_compares_whole() -> None:
    token = parsed("openid data:get-all app:query@*")
    assert token.has_scope("openid")
    assert token.has_scope("app:query@*")
    assert not token.has_scope("data:get")
    assert not token.has_scope("app:query@x")


@pytest.mark.parametrize(
    ("scope", "labels", "stamped"),
    [
        ("job:create@*", {}, {}),
        ("job:create@*", {"a": "1"}, {"a": "1"}),
        ("job:create@*[group=A]", {}, {"group": "A"}),
        ("job:create@*[group=A]", {"group": "A"}, {"group": "A"}),
        ("job:create@*[group=A]", {"x": "1"}, {"group": "A", "x": "1"}),
        ("job:create@*[group=A,team=T]", {"x": "1"}, {"group": "A", "team": "T", "x": "1"}),
        ("job:create@* job:create@*[group=A]", {}, {}),
        ("job:create@*[a=1] job:create@*[a=1,b=2]", {}, {"a": "1"}),
        ("job:create@*[a=1] job:create@*[b=2]", {"a": "1"}, {"a": "1"}),
        ("job:create@*[a=1] job:create@*[b=2]", {"b": "2"}, {"b": "2"}),
        ("job:create@*[a=1] job:create@other[b=2]", {}, {"a": "1"}),
        ("job:create@*[a=1] app:create@*", {}, {"a": "1"}),
        ("job:create@*[hourmark/id=7]", {"hourmark/id": "7"}, {"hourmark/id": "7"}),
        ("job:create@*[hourmark/id=7] job:create@*[a=1]", {}, {"a": "1"}),
        ("job:create@*[my/hourmark/id=7]", {}, {"my/hourmark/id": "7"}),
    ],
)
def test_stamp(scope: str, labels: dict[str, str], stamped: dict[str, str]) -> None:
    given_labels = dict(labels)
    assert parsed(scope).stamp("job:create", "x", given_labels) == stamped
    assert given_labels == labels


@pytest.mark.parametrize(
    ("scope", "labels"),
    [
        ("", {}),
        ("job:create", {}),
        ("job:get@*", {}),
        ("job:create@y", {}),
        ("job:create@*[group=A]", {"group": "B"}),
        ("job:create@*[group=A,group=B]", {}),
        ("job:create@*[group=A,group=B]", {"group": "A"}),
        ("job:create@*[a=1] job:create@*[b=2]", {}),
        ("job:create@*[a=1] job:create@*[b=2,c=3]", {}),
        ("job:create@*[a=1] job:create@*[a=2]", {}),
        ("job:create@*[hourmark/id=7]", {}),
        ("job:create@*[hourmark/id=7,a=1]", {"a": "1"}),
        ("job:create@*[hourmark/id=7]", {"hourmark/id": "8"}),
    ],
)
def test_stamp_refuses(scope: str, labels: dict[str, str]) -> None:
    with pytest.raises(InsufficientScope, match="does not allow job:create@x"):
        parsed(scope).stamp("job:create", "x", labels)


@pytest.mark.parametrize(
    ("scope", "labels", "says"),
    [
        ("job:create@*[a=1] job:create@*[b=2,c=3]", {}, "set the labels a=1 or b=2,c=3$"),
        ("job:create@*[group=A]", {"group": "B"}, "set the labels group=A$"),
        ("job:create@*[a=1] job:create@y[b=2] app:create@*[c=3]", {"a": "2"}, "set the labels a=1$"),
        ("job:create@*[hourmark/id=7]", {}, "allow job:create@x$"),
        ("job:create@*[group=A,group=B]", {}, "allow job:create@x$"),
        (" ".join(f"job:create@*[a={n}]" for n in range(9)), {}, "a=3 or a=4, or one of 4 more$"),
    ],
)
def test_who_cannot_stamp_is_told_which_labels_would_do(
    scope: str, labels: dict[str, str], says: str
) -> None:
    with pytest.raises(InsufficientScope, match=says):
        parsed(scope).stamp("job:create", "x", labels)


@given(scopes, st.dictionaries(st.sampled_from(("x", "y")), st.sampled_from(("1", "2"))))
def test_what_is_stamped_is_within_reach(scope: Scope, labels: dict[str, str]) -> None:
    token = parsed(str(scope))
    try:
        stamped = token.stamp("app:get", "ab", labels)
    except InsufficientScope:
        return
    token.require("app:get", "ab", stamped)
    assert labels.items() <= stamped.items()


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Token)])
def test_is_immutable(name: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(parsed(), name, None)


def test_labels_are_immutable_and_the_tokens_own() -> None:
    labels = {"group": "A"}
    token = parsed(labels=labels)
    with pytest.raises(TypeError):
        token.labels["group"] = "B"  # type: ignore[index]
    labels["group"] = "B"
    assert token.labels == {"group": "A"}


def test_is_hashable() -> None:
    assert len({parsed("a:b@x", labels={"a": "b"}), parsed(" a:b@x", labels={"a": "b"})}) == 1
