"""An issuer double, and `hourmark` run in this process as a user would type it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from holder.cli import main
from tests.holder.issuer_double import IssuerDouble, serve


@dataclass(frozen=True)
class Done:
    """A command that has run."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The JSON error: the last line of stderr."""
        return dict(json.loads(self.err.splitlines()[-1]))


Hourmark = Callable[..., Done]


def says_what_helps(err: str) -> bool:
    """Whether the error at the end of `err` has something to try, in either form."""
    last = err.splitlines()[-1]
    return bool(json.loads(last)["hint"]) if last.startswith("{") else "\n  try: " in err


@pytest.fixture(scope="session")
def _served() -> Iterator[IssuerDouble]:
    double = IssuerDouble()
    stop = serve(double)
    yield double
    stop()


@pytest.fixture
def issuer(_served: IssuerDouble) -> IssuerDouble:
    """A fresh state behind the same port and signing key."""
    fresh = IssuerDouble(signing_key=_served.signing_key, url=_served.url)
    vars(_served).update(vars(fresh))
    return _served


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No variable and no file of whoever runs the tests is seen."""
    for name in [*os.environ]:
        if name.startswith("HOURMARK") or name in ("CI", "NO_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    # Wide and plain, whatever terminal the tests run on.
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def hourmark(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Hourmark:
    """`hourmark(*arguments, stdin=…, VARIABLE=…)`. Whatever goes wrong, it says what helps."""

    def run(*arguments: str, stdin: str = "", **environ: str) -> Done:
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            patch.setattr("sys.stdin", io.StringIO(stdin))
            capsys.readouterr()
            code = main(arguments)
        done = Done(code, *capsys.readouterr())
        if code not in (0, 5) or "Error: " in done.err:
            assert says_what_helps(done.err), done.err
        return done

    return run


@pytest.fixture
def admin(issuer: IssuerDouble, monkeypatch: pytest.MonkeyPatch) -> str:
    """HOURMARK_URL and HOURMARK_TOKEN of an administrator; gives the role key."""
    key = issuer.add_key().reveal()
    monkeypatch.setenv("HOURMARK_URL", issuer.url)
    monkeypatch.setenv("HOURMARK_TOKEN", key)
    return key
