"""What is forked is a `hourmarkd` like any other; an environment that could change its imports has none."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.preloaded import Preloaded, Preloader
from tests.running_issuer import RunningIssuer, clean_environment, start_issuer

Hourmarkd = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def preloader() -> Iterator[Preloader]:
    with closing(Preloader()) as opened:
        yield opened


@pytest.fixture
def hourmarkd(preloader: Preloader, tmp_path: Path) -> Hourmarkd:
    def run(*arguments: str, **settings: str) -> tuple[int, str, str]:
        out, err = tmp_path / "out", tmp_path / "err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            code = preloader.start(arguments, clean_environment(**settings), stdout, stderr).wait(30)
        return code, out.read_text(), err.read_text()

    return run


def test_arguments_settings_streams_and_exit_code_are_its_own(hourmarkd: Hourmarkd, tmp_path: Path) -> None:
    code, out, err = hourmarkd("config", "show", HOURMARKD_DATA_DIR=str(tmp_path / "ours"))
    assert (code, err) == (0, "")
    assert str(tmp_path / "ours") in out
    assert str(tmp_path) not in hourmarkd("config", "show")[1]
    code, out, err = hourmarkd("no-such-command")
    assert (code, out) == (2, "")
    assert "no-such-command" in err


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    with start_issuer(tmp_path_factory.mktemp("issuer")) as running:
        yield running


def test_it_is_a_process_with_a_session_of_its_own(issuer: RunningIssuer) -> None:
    assert isinstance(issuer.process, Preloaded)
    assert os.getsid(issuer.process.pid) == issuer.process.pid
    assert issuer.process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        issuer.process.wait(0.01)


def test_all_make_keys_of_their_own(issuer: RunningIssuer, tmp_path: Path) -> None:
    """Nothing random was drawn before they were forked."""
    with start_issuer(tmp_path) as other, issuer.http("") as here, other.http("") as there:
        assert issuer.admin_key != other.admin_key
        first, second = here.get("/livez"), there.get("/livez")
        assert first.headers["x-request-id"] != second.headers["x-request-id"]
        kids = [
            {key["kid"] for key in http.get("/.well-known/jwks.json").json()["keys"]}
            for http in (here, there)
        ]
        assert kids[0].isdisjoint(kids[1])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_it_says_by_which_signal_it_ended(tmp_path: Path, how: signal.Signals) -> None:
    with start_issuer(tmp_path) as issuer:
        issuer.stop(how)
        assert issuer.process.returncode == -how


def test_another_environment_has_the_program_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    with start_issuer(tmp_path) as issuer:
        assert isinstance(issuer.process, subprocess.Popen)
