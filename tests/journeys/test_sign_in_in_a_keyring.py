"""The sign-in of the command line in a keyring: there alone, apart from other folders, and when it fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests import keyring_in_a_file
from tests.browsers import signed_in
from tests.journeys.person import Person
from tests.running_issuer import RunningIssuer, start_issuer


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    with start_issuer(tmp_path_factory.mktemp("issuer")) as running:
        with running.http() as admin:
            assert admin.post("/v1/users", json={"name": "other"}).status_code == 201
        yield running


@pytest.fixture
def keyring(tmp_path: Path) -> Path:
    return tmp_path / "keyring.json"


@pytest.fixture
def person(issuer: RunningIssuer, tmp_path: Path, keyring: Path) -> Iterator[Person]:
    with person_with(issuer, "admin", tmp_path / "one", keyring) as browser:
        yield browser


@contextmanager
def person_with(issuer: RunningIssuer, user: str, home: Path, keyring: Path) -> Iterator[Person]:
    more = {
        "PYTHON_KEYRING_BACKEND": keyring_in_a_file.NAME,
        keyring_in_a_file.FILE_VARIABLE: str(keyring),
    }
    with signed_in(issuer, user) as browser:
        yield Person(issuer, home, browser, more)


def secrets_in(keyring: Path) -> list[str]:
    return sorted(json.loads(keyring.read_text()).values())


def files_with(secret: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret in path.read_text()]


def test_it_is_there_and_in_no_file(person: Person, keyring: Path) -> None:
    assert "keyring" not in person.sign_in_here()
    (first,) = secrets_in(keyring)
    assert (first.startswith("hmr_"), files_with("hmr_", person.home)) == (True, [])
    status = person.run("status", "-o", "json")
    assert json.loads(status.stdout)["kept_in"] == "keyring"
    # The next one takes its place, and the one before is good no more.
    assert person.run("login", "token", "--scope", "role:get@*").returncode == 0
    (second,) = secrets_in(keyring)
    assert (first == second, files_with("hmr_", person.home)) == (False, [])
    assert person.run("logout").returncode == 0
    assert secrets_in(keyring) == []
    form = {"grant_type": "refresh_token", "client_id": "hourmark-cli", "refresh_token": second}
    assert httpx.post(f"{person.issuer.url}/v1/token", data=form).json()["error"] == "invalid_grant"


def test_two_folders_of_one_name_are_apart(
    issuer: RunningIssuer, person: Person, keyring: Path, tmp_path: Path
) -> None:
    with person_with(issuer, "other", tmp_path / "two", keyring) as other:
        for each in (person, other):
            each.sign_in_here()
        assert len(secrets_in(keyring)) == 2
        # Each has its next token by its own refresh token.
        for each, name in ((person, "user:admin"), (other, "user:other")):
            (kept,) = each.home.rglob("*.sign-in")
            kept.write_text(json.dumps(json.loads(kept.read_text()) | {"tokens": {}}))
            assert each.run("whoami", "--field", "principal").stdout == f"{name}\n"
        assert other.run("logout").returncode == 0
        assert person.run("login", "token", "--scope", "role:get@*").returncode == 0


def test_one_that_fails(person: Person) -> None:
    person.sign_in_here()
    person.more["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    done = person.run("login", "token", "--scope", "role:get@*")
    assert (done.returncode, "the keyring has its refresh token, and it failed" in done.stderr) == (4, True)
    # Whoever signs in without it has the sign-in in a file.
    assert "no keyring" in person.sign_in_here()
    assert len(files_with("hmr_", person.home)) == 1
    assert person.run("login", "token", "--scope", "role:get@*").returncode == 0


def test_one_that_keeps_nothing_any_more(person: Person) -> None:
    """What it refuses goes to the file, or the sign-in would be lost."""
    person.sign_in_here()
    person.more[keyring_in_a_file.READ_ONLY_VARIABLE] = "1"
    assert person.run("login", "token", "--scope", "role:get@*").returncode == 0
    (kept,) = files_with("hmr_", person.home)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(person.run("status", "-o", "json").stdout)["kept_in"] == str(kept)
    assert person.run("login", "token", "--scope", "role:create@*").returncode == 0
