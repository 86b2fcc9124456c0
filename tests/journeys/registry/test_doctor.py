"""What `hourmarkd doctor --registry` says of real registries, whose settings may be wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from issuer.doctor import registries
from issuer.signing import SigningKeys
from tests.browsers import inside
from tests.issuer.http.world import REGISTRY, World
from tests.journeys.registry.conftest import BOTH_MODES
from tests.running_registry import DEBIANS, RunningRegistry, start_registry

pytestmark = BOTH_MODES
Found = list[tuple[str, str]]


@pytest.fixture(scope="session")
def patient(
    world: World, program: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningRegistry]:
    """A registry whose settings are changed."""
    folder = tmp_path_factory.mktemp("patient")
    with start_registry(folder, world.issuer, REGISTRY, program) as running:
        yield running


@pytest.fixture
def config(patient: RunningRegistry) -> Iterator[Path]:
    path = patient.folder / "trust" / "config.yml"
    before = path.read_text()
    yield path
    path.write_text(before)


def examine(world: World, url: str) -> Found:
    with inside(world.issuer) as there:
        signing = SigningKeys(there.database, there.kek, there.settings)
        found = list(registries.check(there.settings, signing, url, time.time))
    assert all(each.check == f"registry {url}" for each in found)
    assert all((each.mend is None) == (each.level == "ok") for each in found)
    return [(str(each.level), each.said) for each in found]


def with_settings(world: World, patient: RunningRegistry, config: Path, **changes: object) -> Found:
    """What is found when these members of `auth.token` are others, or, for None, are missing."""
    token = yaml.safe_load(config.read_text())["auth"]["token"] | changes
    kept = {name: value for name, value in token.items() if value is not None}
    config.write_text(yaml.safe_dump({"auth": {"token": kept}}))
    with patient.restart() as restarted:
        return [each for each in examine(world, restarted.url) if "it agrees with" not in each[1]]


def test_a_registry_with_our_files_is_sound(world: World, registry: RunningRegistry) -> None:
    found = examine(world, registry.url)
    assert {level for level, _ in found} == {"ok"}
    assert found[0][1] == f"it calls itself {REGISTRY} and sends clients here"
    assert [each for each in examine(world, registry.address) if each not in found] == []


@pytest.mark.parametrize("wrong", ["{issuer}/", "https://{rest}", "{issuer}/v1/registry/token", REGISTRY])
def test_another_issuer_is_named(world: World, patient: RunningRegistry, config: Path, wrong: str) -> None:
    text = wrong.format(issuer=world.url, rest=world.url.partition("://")[2])
    said = f"it refuses every token: its `issuer` is {text}, and not {world.url}"
    assert with_settings(world, patient, config, issuer=text)[1:] == [("failure", said)]


def test_an_issuer_that_cannot_be_guessed_is_one_of_several_reasons(
    world: World, patient: RunningRegistry, config: Path
) -> None:
    (found,) = with_settings(world, patient, config, issuer="https://elsewhere.example")[1:]
    assert (
        found[0],
        "knows no " in found[1],
        f"its `issuer` is another one than {world.url}" in found[1],
    ) == (
        "failure",
        True,
        True,
    )


def test_algorithms_that_version_3_takes_unless_it_is_told(
    world: World, patient: RunningRegistry, config: Path
) -> None:
    found = with_settings(world, patient, config, signingalgorithms=None)
    said = "`signingalgorithms` is missing: it takes other algorithms than ES256, too"
    expected = [] if patient.program == DEBIANS else [("warning", said)]
    assert [each for each in found if each[0] != "ok"] == expected


def test_another_service_or_realm(world: World, patient: RunningRegistry, config: Path) -> None:
    said = "it calls itself stranger.example, which is no registry service here"
    assert with_settings(world, patient, config, service="stranger.example") == [("failure", said)]
    found = with_settings(world, patient, config, service=REGISTRY, realm="https://elsewhere.example/token")
    assert found[0][0] == "warning"
    assert found[0][1].startswith("it sends clients to https://elsewhere.example/token, and not to ")
    patient.stop()
    ((level, text),) = examine(world, patient.url)
    assert (level, "nothing answers there" in text) == ("failure", True)
