"""Which repositories the settings let everybody pull, and which settings are none."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from issuer.settings import Settings
from verifier import Scope


def rights(services: str, pulls: str) -> dict[str, str]:
    settings = Settings.model_validate({"registry_services": services, "registry_anonymous_pulls": pulls})
    return {service: str(scope) for service, scope in settings.anonymous_rights.items()}


def test_nothing_unless_it_is_named() -> None:
    assert rights("one two", "") == {"one": "", "two": ""}
    assert Settings().anonymous_rights == {}


def test_what_is_named_is_for_one_registry() -> None:
    assert rights("one one/deep", "one/a,one/deep/b/*,one/c-*") == {
        "one": "repository:pull@a repository:pull@c-*",
        "one/deep": "repository:pull@b/*",
    }
    assert rights("one", "one/*")["one"] == "repository:pull@*"
    assert not Settings(registry_services=("one",)).anonymous_rights["one"] & Scope.parse("*")


@pytest.mark.parametrize(
    ("services", "pulls", "said"),
    [
        ("urn:hourmark:services", "", "is another audience too"),
        ("http://127.0.0.1:8700", "", "is another audience too"),
        ("one one", "", "is another audience too"),
        ("", "one/a", "SERVICE/REPOSITORY"),
        ("one", "a", "SERVICE/REPOSITORY"),
        ("one", "one", "SERVICE/REPOSITORY"),
        ("one", "one/", "SERVICE/REPOSITORY"),
        ("one", "one/a[b=c]", "SERVICE/REPOSITORY"),
        ("one", "one/a@b", "SERVICE/REPOSITORY"),
        ("one", "one/A", "SERVICE/REPOSITORY"),
        ("one", "one/../a", "SERVICE/REPOSITORY"),
        ("one", "one//a", "SERVICE/REPOSITORY"),
        ("one", "one/../*", "SERVICE/REPOSITORY"),
    ],
)
def test_settings_that_are_refused(services: str, pulls: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        rights(services, pulls)
