"""The service that answers at the issuer's URL, looked at from outside."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.issuer.cli.command import hourmarkd
from tests.issuer.doctor.world import FAILURE, OK, WARNING, World, the
from tests.running_issuer import RunningIssuer, start_issuer
from tests.verifier import forge
from tests.verifier.issuer_double import IssuerDouble, Request

METADATA = "/.well-known/openid-configuration"


def await_next_key(issuer: RunningIssuer) -> None:
    """A service makes it a second after its first start."""
    with issuer.http("") as http:
        while len(http.get("/.well-known/jwks.json").json()["keys"]) < 2:
            assert issuer.process.poll() is None
            time.sleep(0.05)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    with start_issuer(tmp_path_factory.mktemp("examined")) as running:
        await_next_key(running)
        yield running


@pytest.fixture
def served(issuer: RunningIssuer) -> World:
    return World(Path(issuer.settings["HOURMARKD_DATA_DIR"]), issuer.settings)


def test_a_service_that_runs_is_sound(served: World, issuer: RunningIssuer) -> None:
    found = served.examine()
    assert [finding for finding in found if finding.level is not OK] == []
    for check in ("service", "service's keys", "service's list", "service's clock"):
        the(found, check)
    done = hourmarkd("doctor -o json", served.folder, **issuer.settings)
    assert (done.code, done.err) == (0, "")
    assert {finding["level"] for finding in json.loads(done.out)} == {"ok"}


def test_its_clock(served: World) -> None:
    found = the(served.examine(lambda: time.time() - 20), "service's clock")
    assert (found.level, "ahead of" in found.said) == (WARNING, True)


def test_a_database_that_is_another_issuers(served: World, issuer: RunningIssuer) -> None:
    (found,) = served.trouble(HOURMARKD_ISSUER="http://127.0.0.1:1")
    assert (found[:2], f"set HOURMARKD_ISSUER={issuer.url}" in found[2]) == (("issuer", FAILURE), True)


def test_a_service_on_another_database(issuer: RunningIssuer, tmp_path: Path) -> None:
    """As after HOURMARKD_DATA_DIR was changed for one of the two only."""
    other = World.make(tmp_path, HOURMARKD_ISSUER=issuer.url)
    (found,) = other.trouble()
    assert (found[:2], "another database" in found[2]) == (("service's keys", FAILURE), True)


def test_a_service_that_does_not_hear_what_is_revoked(
    served: World, issuer: RunningIssuer, tmp_path: Path
) -> None:
    """The database goes on, in a copy here; the service stays where it was."""
    ahead = World(tmp_path, issuer.settings | {"HOURMARKD_DATA_DIR": str(tmp_path)})
    with closing(sqlite3.connect(served.database)) as database:
        database.execute("VACUUM INTO ?", (str(ahead.database),))
    ahead.key.write_bytes(served.key.read_bytes())
    for file in (ahead.database, ahead.key):
        file.chmod(0o600)
    assert ahead.trouble() == []
    ahead.change("UPDATE status_list SET version = version + 1, signed_version = signed_version + 1")
    (found,) = ahead.trouble()
    assert (found[:2], "do not get through" in found[2]) == (("service's list", FAILURE), True)


@pytest.fixture
def double() -> Iterator[IssuerDouble]:
    with IssuerDouble() as opened:
        yield opened


def test_a_service_whose_documents_no_verifier_accepts(world: World, double: IssuerDouble) -> None:
    """Its keys are another database's, and its list is signed by a key that is not among them."""
    double.jwks = forge.jwks(forge.key(owner="other"))
    double.answers[METADATA] = lambda request: request.send(json.dumps({"issuer": double.url}).encode())
    troubles = world.trouble(HOURMARKD_ISSUER=double.url)
    assert [each[:2] for each in troubles] == [("service's keys", FAILURE), ("service's list", FAILURE)]
    assert "unknown_key" in troubles[1][2]


def endless(request: Request) -> None:
    request.begin(2**40)
    while True:
        request.wfile.write(b"x" * 65536)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda request: request.send(b'{"issuer": "https://other.example"}'), "https://other.example"),
        (lambda request: request.send(b"<html>"), "another issuer answers"),
        (lambda request: request.send(b"{}", 404), "status 404"),
        (lambda request: request.send(b"", 302, Location="/elsewhere"), "status 302"),
        (endless, "longer than any document"),
    ],
)
def test_something_else_answers(
    world: World, double: IssuerDouble, answer: Callable[[Request], None], said: str
) -> None:
    double.answers[METADATA] = answer
    (found,) = world.trouble(HOURMARKD_ISSUER=double.url)
    assert (found[:2], "HOURMARKD_ISSUER" in found[2]) == (("service", FAILURE), True)
    assert said in found[2]


@pytest.mark.parametrize("listens", [True, False])
def test_nothing_answers(world: World, listens: bool) -> None:
    """Nothing is there, or it takes the connection and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if listens:
            listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        found = the(world.examine(HOURMARKD_ISSUER=url), "service")
    assert (found.level, "nothing answers" in found.said) == (WARNING, True)
