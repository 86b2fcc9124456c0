"""Asked, within what is held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.registry.access import SelectorOnRepositories, granted, refuse_selectors
from issuer.registry.scopes import parse
from verifier import Permission, Scope


@pytest.mark.parametrize(
    ("asked", "held", "expected"),
    [
        ("repository:a/b:pull,push", "repository:pull@a/b", ["repository:a/b:pull"]),
        ("repository:a/b:pull,push", "repository:push@a/* repository:pull@a/*", ["repository:a/b:pull,push"]),
        ("repository:a/b:push", "repository:pull@a/b", []),
        ("repository:a/b:*", "repository:pull@a/b", ["repository:a/b:pull"]),
        ("repository:a/b:*", "repository:*@a/b", ["repository:a/b:pull,push,delete"]),
        ("repository:a/b:delete", "repository:delete@a/*", ["repository:a/b:delete"]),
        ("repository:a/b:delete", "repository:push@a/*", []),
        ("repository:a/b:pull", "*", ["repository:a/b:pull"]),
        ("repository:a/b:pull repository:c:pull", "repository:pull@c", ["repository:c:pull"]),
        ("registry:catalog:*", "registry:catalog@*", ["registry:catalog:*"]),
        ("registry:catalog:*", "repository:*@*", []),
        ("registry:catalog:pull", "*", []),
        ("registry:other:*", "*", []),
        ("data:a/b:get", "*", []),
        # Of one letter more or less a name is another one.
        ("repository:a/bc:pull", "repository:pull@a/b", []),
        ("repository:a:pull", "repository:pull@a/*", []),
        # No label is ever on a repository.
        ("repository:a/b:pull", "repository:pull@*[team=nlp]", []),
    ],
)
def test_what_is_asked_for_within_what_is_held(asked: str, held: str, expected: list[str]) -> None:
    assert [str(each) for each in granted(parse([asked]), Scope.parse(held))] == expected


@pytest.mark.parametrize(
    "name",
    [
        *(
            "a/b/../../secret",
            "../a",
            "a/..",
            "a//b",
            "/a",
            "a/",
            "*",
            "a/*",
            "A/b",
            "a/B",
            "a b",
            "a_",
            "a..b",
        ),
        *(
            "registry.example:5000/a",
            "a@b",
            "a%2fb",
            "ä",
            "a___b",
            ".",
            "-",
            "a/.",
            "x" * 256,
            "a" + "/a" * 128,
        ),
    ],
)
def test_what_no_repository_can_be_called_is_granted_to_nobody(name: str) -> None:
    for actions in ("pull", "pull,push", "*"):
        assert granted(parse([f"repository:{name}:{actions}"]), Scope.parse("*")) == ()


@pytest.mark.parametrize("name", ["a", "a/b/c/d", "a.b_c__d---e/0", "x" * 255])
def test_what_one_can_be_called(name: str) -> None:
    (found,) = granted(parse([f"repository:{name}:pull"]), Scope.parse("*"))
    assert (found.name, found.actions) == (name, ("pull",))


_NAMES = st.sampled_from(["a", "a/b", "a/c", "b"])
_ACTIONS = st.sets(st.sampled_from(["pull", "push", "delete", "*"]), min_size=1)
_HELD = st.sets(
    st.tuples(st.sampled_from(["pull", "push", "delete", "*"]), st.sampled_from(["a", "a/*", "*", "b"])),
    max_size=4,
)


@given(asked=st.dictionaries(_NAMES, _ACTIONS, max_size=4), held=_HELD)
def test_never_more_than_asked_nor_than_held(asked: dict[str, set[str]], held: set[tuple[str, str]]) -> None:
    rights = Scope.parse(" ".join(f"repository:{action}@{name}" for action, name in held))
    texts = [f"repository:{name}:{','.join(sorted(actions))}" for name, actions in asked.items()]
    access = {each.name: set(each.actions) for each in granted(parse(texts), rights)}
    for name, actions in asked.items():
        wanted = {"pull", "push", "delete"} if "*" in actions else actions
        allowed = {action for action in wanted if rights.covers(f"repository:{action}", name)}
        assert access.get(name, set()) == allowed


def test_a_selector_on_repositories_is_refused_with_what_to_write_instead() -> None:
    for text in ("repository:pull@*[a=b]", "repository:*@[a=b]", "registry:catalog@*[a=b]", "*:pull@*[a=b]"):
        with pytest.raises(SelectorOnRepositories, match="have no labels"):
            refuse_selectors([Permission.parse("data:get@*[a=b]"), Permission.parse(text)])
    refuse_selectors(
        map(
            Permission.parse, ("repository:pull@a/*", "data:get@*[a=b]", "*:*@*[a=b]", "*:delete@*[a=b]", "*")
        )
    )
