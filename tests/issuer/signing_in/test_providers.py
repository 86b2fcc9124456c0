"""What the settings may say of a provider, and which roles its groups stand for."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from issuer.signing_in.providers import UpstreamProvider, UpstreamProviders

TABLE = {"ml-team": "org.tests.ml", "ml-leads": "org.tests.ml", "ops": "org.tests.ops"}


def provider(**given: object) -> UpstreamProvider:
    return UpstreamProvider.model_validate({"issuer": "https://idp.example", "client_id": "hourmark"} | given)


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        ([], set()),
        (["ml-team"], {"org.tests.ml"}),
        (["ml-team", "ml-leads", "ml-team"], {"org.tests.ml"}),
        (["ops", "everybody", "ml-leads"], {"org.tests.ml", "org.tests.ops"}),
        (["org.tests.ml", "role:org.tests.ml", "ML-TEAM", "ml-team ", "ml", "ml-team,ops", "*", ""], set()),
    ],
    ids=lambda value: str(sorted(value)),
)
def test_groups_stand_for_the_roles_that_the_settings_name(groups: list[str], roles: set[str]) -> None:
    assert provider(roles=TABLE).roles_of(groups) == roles


def test_without_a_table_groups_stand_for_nothing() -> None:
    assert provider().roles_of(TABLE) == set()


@pytest.mark.parametrize(
    "given",
    [
        {"issuer": "http://idp.example"},
        {"issuer": "idp.example"},
        {"scope": "profile email"},
        {"client_secret": "a", "client_secret_file": "/b"},
        {"roles": ["ml-team"]},
        {"roles": {"ml-team": ["org.tests.ml"]}},
        {"default_role": "org.tests.ml"},
    ],
    ids=str,
)
def test_what_no_provider_can_be(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        provider(**given)


@pytest.mark.parametrize("name", ["", "Corp", "a/b", "-a", "a.b", "a" * 32])
def test_names_that_are_no_part_of_a_path(name: str) -> None:
    with pytest.raises(ValueError, match="name is lower-case"):
        TypeAdapter(UpstreamProviders).validate_python({name: provider()})


def test_a_secret_is_not_shown() -> None:
    assert "swordfish" not in repr(provider(client_secret="swordfish"))
