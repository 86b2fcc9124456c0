"""What docker's scopes ask for, and what is none."""

from __future__ import annotations

import pytest

from issuer.registry.scopes import MAX_RESOURCES, TooManyResources, parse


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ([], {}),
        ([""], {}),
        (["repository:a/b:pull"], {("repository", "a/b"): {"pull"}}),
        (["repository:a/b:push,pull"], {("repository", "a/b"): {"pull", "push"}}),
        (
            ["repository:a:pull repository:b:push"],
            {("repository", "a"): {"pull"}, ("repository", "b"): {"push"}},
        ),
        (["repository:a:pull", "repository:a:push"], {("repository", "a"): {"pull", "push"}}),
        (["repository:a:pull,pull repository:a:pull"], {("repository", "a"): {"pull"}}),
        (["repository:host:5000/a:pull"], {("repository", "host:5000/a"): {"pull"}}),
        (["repository(plugin):a:pull"], {("repository", "a"): {"pull"}}),
        (["registry:catalog:*"], {("registry", "catalog"): {"*"}}),
    ],
)
def test_scopes_are_merged_by_resource(scopes: list[str], expected: dict[tuple[str, str], set[str]]) -> None:
    assert parse(scopes) == expected


@pytest.mark.parametrize(
    "scope",
    [
        *("repository", "repository:a", "repository::pull", ":a:pull", "repository:a:", "repository:a:pull,"),
        *(
            "repository:a:PULL",
            "REPOSITORY:a:pull",
            "repository(plugin:a:pull",
            "repository:a:pull:",
            "::",
            "*",
        ),
        *("repository:a:pull;push", "repository:a:pull\x00", "repository:a:\uff50ull"),
    ],
)
def test_what_has_another_form_asks_for_nothing(scope: str) -> None:
    assert parse([scope]) == {}


def test_so_many_resources_nobody_needs_at_once() -> None:
    many = [f"repository:r{number}:pull" for number in range(MAX_RESOURCES)]
    assert len(parse([*many, *many])) == MAX_RESOURCES
    with pytest.raises(TooManyResources, match=f"{MAX_RESOURCES} repositories"):
        parse([*many, "repository:another:pull"])
