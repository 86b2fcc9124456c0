"""What may be submitted as labels, and what a resource made with a token gets of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier import forge
from tests.verifier.small_world import allowed, scopes
from verifier import InsufficientScope, Scope, Token
from verifier.labels import ID, TYPE, InvalidLabel, as_submitted, changed

OWN = {ID: "app_1", TYPE: "app"}
_labels = st.dictionaries(st.sampled_from(("x", "y")), st.sampled_from(("1", "2")))


@pytest.mark.parametrize(
    "written", [{}, {"x": "1"}, {ID: "app_2", TYPE: "job"}, {"hourmark": "1", "my/hourmark/id": "2"}]
)
def test_id_and_type_are_its_own_whatever_was_written(written: dict[str, str]) -> None:
    assert as_submitted(written, resource_id="app_1", resource_type="app") == {**written, **OWN}


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"hourmark/owner": "me"}, "is reserved"),
        ({"hourmark/": "me"}, "is reserved"),
        ({"a b": "1"}, "letters, digits"),
        ({"": "1"}, "letters, digits"),
        ({"a": ""}, "letters, digits"),
        ({"a": "b,c=d"}, "letters, digits"),
        ({"a": "]"}, "letters, digits"),
        ({"a": 1}, "letters, digits"),
        ({"a": None}, "letters, digits"),
    ],
)
def test_what_nobody_can_write(written: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidLabel, match=says):
        as_submitted(written, resource_id="app_1", resource_type="app")


def test_changed_they_keep_what_the_platform_set() -> None:
    assert changed({"x": "2"}, {"x": "1", "y": "1", **OWN}) == {"x": "2", **OWN}
    for name in (ID, TYPE, "hourmark/owner"):
        with pytest.raises(InvalidLabel, match="leave it out"):
            changed({name: OWN.get(name, "me")}, OWN)
    with pytest.raises(InvalidLabel, match="letters, digits"):
        changed({"a b": "1"}, OWN)


def of(scope: object) -> Token:
    return Token.from_claims(forge.claims(scope=str(scope)))


@given(scopes, _labels)
def test_what_is_made_is_within_the_reach_of_the_token_that_made_it(
    scope: Scope, written: dict[str, str]
) -> None:
    token, submitted = of(scope), as_submitted(written, resource_id="app_1", resource_type="app")
    try:
        stamped = token.stamp("app:get", "ab", submitted)
    except InsufficientScope:
        return
    token.require("app:get", "ab", stamped)
    assert submitted.items() <= stamped.items(), "nothing that was written is lost"
    assert {name for name in stamped if name.startswith("hourmark/")} == OWN.keys()


@given(_labels, st.sampled_from(("app_1", "app_2")))
def test_a_selector_on_the_id_reaches_one_resource(written: dict[str, str], of_whom: str) -> None:
    """Made or relabelled as anybody likes, a resource never answers to the id of another."""
    token = of(f"app:query@*[{ID}={of_whom}]")
    for own in ("app_1", "app_2"):
        labels = as_submitted({**written, ID: of_whom}, resource_id=own, resource_type="app")
        labels = changed(written, labels)
        assert token.scope.covers("app:query", "ab", labels) == (own == of_whom)
        with pytest.raises(InsufficientScope):
            of(f"app:create@*[{ID}={of_whom}]").stamp("app:create", "ab", {**labels, ID: "app_3"})


@given(scopes, scopes, _labels)
def test_a_narrowed_token_stamps_nothing_that_the_wide_one_would_not_reach(
    wide: Scope, asked: Scope, written: dict[str, str]
) -> None:
    narrow = wide & asked
    assert allowed(narrow) <= allowed(wide) & allowed(asked)
    try:
        stamped = of(narrow).stamp("job:query", "abc", written)
    except InsufficientScope:
        return
    for each in (wide, asked):
        of(each).require("job:query", "abc", stamped)
