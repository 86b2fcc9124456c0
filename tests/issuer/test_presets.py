"""What an API token reaches: never more than its presets mean, its owner may, or it was narrowed to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer import presets
from issuer.presets import Preset, UnusablePresets
from tests.verifier import forge
from tests.verifier.small_world import REQUESTS, allowed, scopes
from verifier import InsufficientScope, Permission, Scope, Token

PRESETS = {
    name: Preset(title=name, description=name, permissions=permissions)
    for name, permissions in {
        "look": ("app:get@*", "job:get@*"),
        "query": ("app:query@*",),
        "jobs": ("job:*@*",),
        "all": ("*:*@*",),
    }.items()
}
chosen = st.lists(st.sampled_from(list(PRESETS)), min_size=1, max_size=2)
resources = st.lists(st.sampled_from(("a", "ab", "a*", "b*", "*")), max_size=2)
selector = st.sampled_from(("x=1", "x=2", "y=1", "x=1,y=1"))
selectors = st.lists(selector, max_size=2)


@given(chosen, resources, selectors)
def test_it_reaches_what_all_three_say(chosen: list[str], resources: list[str], selectors: list[str]) -> None:
    """Exactly: an action of a preset, on one of the resources, with all labels of one of the selectors."""
    made = presets.scope_of(PRESETS, chosen, resources, selectors)
    wide = Scope.of(Permission.parse(each) for name in chosen for each in PRESETS[name].permissions)
    named = Scope.of(Permission.parse(f"*:*@{each}") for each in resources or ["*"])
    labelled = Scope.of(Permission.parse(f"*:*@*[{each}]") for each in selectors) if selectors else wide
    assert allowed(made) == allowed(wide) & allowed(named) & allowed(labelled)


@pytest.mark.parametrize("permission", ["role:assume@*", "role-key:create@*", "user:get@*", "audit:read@*"])
def test_a_selector_on_what_has_no_labels_is_refused(permission: str) -> None:
    launch = {"launch": Preset(title="x", description="x", permissions=("job:*@*", permission))}
    assert presets.scope_of(launch, ["launch"], [], []) == Scope.parse(f"job:*@* {permission}")
    with pytest.raises(UnusablePresets, match="has labels") as refused:
        presets.scope_of(launch, ["launch"], [], ["team=nlp"])
    assert refused.value.field == "label_selectors"


@given(chosen, resources, selectors, scopes)
def test_it_reaches_nothing_that_its_owner_does_not(
    chosen: list[str], resources: list[str], selectors: list[str], owner: Scope
) -> None:
    made = presets.scope_of(PRESETS, chosen, resources, selectors)
    assert allowed(made & owner) == allowed(made) & allowed(owner)


@given(
    chosen,
    st.lists(selector, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(("x", "y")), st.sampled_from("12")),
)
def test_what_is_made_with_it_is_within_its_selectors(
    chosen: list[str], selectors: list[str], written: dict[str, str]
) -> None:
    """Stamped or refused; and what was refused is taken with any of the labels that the refusal names."""
    scope = presets.scope_of(PRESETS, chosen, [], selectors)
    token = Token.from_claims(forge.claims(scope=str(scope)))
    try:
        stamped = token.stamp("job:get", "a", written)
    except InsufficientScope:
        for selector in scope.selectors_for("job:get", "a"):
            labels = dict(label.split("=") for label in selector.split(","))
            token.require("job:get", "a", token.stamp("job:get", "a", labels))
        return
    assert any(
        {*selector.split(",")} <= {f"{name}={value}" for name, value in stamped.items()}
        for selector in selectors
    )
    assert written.items() <= stamped.items()


@given(chosen, selectors, st.lists(st.sampled_from(("org.a.train", "org.a.*")), min_size=1, max_size=2))
def test_roles_of_jobs_add_nothing_but_themselves(
    chosen: list[str], selectors: list[str], roles: list[str]
) -> None:
    without = presets.scope_of(PRESETS, chosen, [], selectors)
    try:
        made = presets.scope_of(PRESETS, chosen, [], selectors, roles)
    except UnusablePresets:
        assert not {"jobs", "all"} & set(chosen)
        return
    assert allowed(made) == allowed(without)
    assert all(made.covers("role:assume", role.replace("*", "x")) for role in roles)
    assert without.covers("role:assume", "org.b.other") == made.covers("role:assume", "org.b.other")


def test_the_small_world_tells_a_wider_token_from_a_narrower_one() -> None:
    """Or the properties above could not fail."""
    scopes_ = [presets.scope_of(PRESETS, ["all"], [], [each]) for each in ("x=1", "x=2", "y=1", "x=1,y=1")]
    assert len({allowed(each) for each in scopes_}) == len(scopes_)
    assert allowed(presets.scope_of(PRESETS, ["all"], [], [])) == frozenset(REQUESTS)


@pytest.mark.parametrize(
    ("roles", "listed"),
    [
        ([], []),
        (["org.a.train"], ["org.a.train"]),
        (["org.a.*", "org.b.eval", "org.a.train"], ["org.a.*", "org.b.eval"]),
    ],
)
def test_the_roles_of_its_jobs_are_in_its_scope(roles: list[str], listed: list[str]) -> None:
    made = presets.scope_of(presets.defaults(), ["operator"], [], ["model=base"], roles)
    assert presets.job_roles_of(made) == listed
