"""Whatever an issuer answers is recorded, whoever asked, and what is not as described fails a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.issuer.http.sockets import raw_answer
from tests.journeys.workers import every_worker
from tests.recorded import NotDescribed, Recorded, recorded
from tests.recording import sitecustomize
from tests.running_issuer import BIN, RunningIssuer, clean_environment, start_issuer
from tests.vectors import PROJECT
from verifier import Verifier

WRONG = {
    "method": "GET",
    "path": "/livez",
    "raw_path": "/livez",
    "status": 200,
    "headers": [["content-type", "application/json"], ["x-request-id", "abcdef-1"]],
    "body": "eyJzdGF0dXMiOiJhLXNlY3JldCJ9",  # {"status":"a-secret"}
}
DESCRIBED = {**WRONG, "body": "eyJzdGF0dXMiOiJhbGl2ZSJ9"}  # {"status":"alive"}
STORY = """
import os
from pathlib import Path

def test_before():
    pass

def test_it():
    (Path(os.environ["{name}"]) / "process").write_text({line!r} + "\\n")

def test_after():
    pass
"""
SAID = "GET /livez -> 200: body at $.status: it breaks"


def folder() -> Path:
    return Path(os.environ[sitecustomize.NAME])


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    with start_issuer(tmp_path_factory.mktemp("issuer")) as running:
        yield running


def by_socket(issuer: RunningIssuer) -> None:
    raw_answer(issuer.url, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")


def by_the_standard_library(issuer: RunningIssuer) -> None:
    with urllib.request.urlopen(f"{issuer.url}/livez") as answer:  # noqa: S310 - the URL is the tests' own
        answer.read()


def by_command_line(issuer: RunningIssuer) -> None:
    environment = clean_environment(HOURMARK_URL=issuer.url, HOURMARK_TOKEN=issuer.admin_key)
    subprocess.run([BIN / "hourmark", "whoami"], env=environment, check=True, capture_output=True)


def by_verifier(issuer: RunningIssuer) -> None:
    Verifier(issuer.url, "urn:hourmark:services").close()


@pytest.mark.parametrize(
    ("ask", "answered"),
    [
        (by_socket, "GET /livez -> 200"),
        (by_the_standard_library, "GET /livez -> 200"),
        (by_command_line, "GET /v1/me -> 200"),
        (by_verifier, "GET /.well-known/jwks.json -> 200"),
    ],
)
def test_whoever_asks(issuer: RunningIssuer, ask: Callable[[RunningIssuer], None], answered: str) -> None:
    seen = Recorded(folder())
    seen.pass_over()
    ask(issuer)
    assert answered in map(str, seen.new())


def test_every_worker_records(tmp_path: Path) -> None:
    with start_issuer(tmp_path, 2) as host, every_worker(host) as workers:
        recording = {int(file.name.partition("-")[0]) for file in folder().iterdir()}
        assert {worker.process for worker in workers} <= recording


@pytest.mark.parametrize(("line", "failed"), [(DESCRIBED, 0), (WRONG, 1)])
def test_a_wrong_answer_fails_the_test_in_which_it_was_given(
    tmp_path: Path, line: dict[str, Any], failed: int
) -> None:
    story = tmp_path / "test_story.py"
    story.write_text(STORY.format(name=sitecustomize.NAME, line=json.dumps(line)))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-q", story],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == failed, done.stdout
    assert (SAID in done.stdout) == bool(failed)
    assert ("ERROR at teardown of test_it" in done.stdout) == bool(failed)
    assert "a-secret" not in done.stdout


def test_what_comes_behind_the_last_test_is_compared_when_the_session_ends(tmp_path: Path) -> None:
    earlier = dict(os.environ)
    with pytest.raises(NotDescribed), recorded(tmp_path):
        (folder() / "process").write_text(f"{json.dumps(WRONG)}\n")
    assert os.environ == earlier


def test_a_line_is_read_once_and_when_it_is_whole(tmp_path: Path) -> None:
    seen, line = Recorded(tmp_path), json.dumps(DESCRIBED)
    with (tmp_path / "process").open("w") as file:
        for written, whole in ((line[:9], 0), (line[9:], 0), ("\n", 1), (f"{line}\n{line}\n{line[:9]}", 2)):
            file.write(written)
            file.flush()
            assert len(list(seen.new())) == whole
    (tmp_path / "other").write_text(f"{json.dumps(WRONG)}\n")
    with pytest.raises(NotDescribed, match="body at"):
        seen.compare()
    seen.compare()
    for whole in (0, 1):
        with (tmp_path / "other").open("a") as file:
            file.write(f"{json.dumps(WRONG)}\n")
        if not whole:
            seen.pass_over()
        assert len(list(seen.new())) == whole


def test_a_header_that_is_there_twice_is_a_list(tmp_path: Path) -> None:
    headers = [["WWW-Authenticate", "Basic"], ["www-authenticate", "Bearer"]]
    (tmp_path / "process").write_text(f"{json.dumps(WRONG | {'headers': headers})}\n")
    (answer,) = Recorded(tmp_path).new()
    assert answer.headers == {"www-authenticate": "Basic, Bearer"}


def test_an_issuer_that_does_not_record_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH")
    with pytest.raises(AssertionError, match="nobody compares"):
        start_issuer(tmp_path)
