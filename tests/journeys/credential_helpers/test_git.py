"""Real git, at a server that wants a token as the password."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from tests.clients import claims
from tests.issuer.http.world import World
from tests.journeys.credential_helpers.serving import served
from tests.journeys.terminal import Terminal


class Repositories(SimpleHTTPRequestHandler):
    """Bare repositories as files, for whoever has a token of this issuer as the password."""

    def __init__(self, *given: object, world: World, passwords: list[str], **more: str) -> None:
        self._world, self._passwords = world, passwords
        super().__init__(*given, **more)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        header = self.headers.get("Authorization", "").removeprefix("Basic ")
        user, _, password = base64.b64decode(header).decode().partition(":")
        if user == "hourmark" and self._world.is_active(password):
            self._passwords.append(password)
            super().do_GET()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *ignored: object) -> None:
        pass


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With one commit, in a folder that can be served as it is."""
    if shutil.which("git") is None:
        pytest.skip("no git: install it")
    bare, work = tmp_path / "served" / "repository.git", tmp_path / "work"
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "init.defaultBranch=main"]
    for line in (
        [*git, "init", "-q", str(work)],
        [*git, "-C", str(work), "commit", "-q", "--allow-empty", "-m", "first"],
        [*git, "clone", "-q", "--bare", str(work), str(bare)],
        [*git, "-C", str(bare), "update-server-info"],
    ):
        subprocess.run(line, check=True, capture_output=True)
    return bare


def test_git_clones_with_a_fresh_token(world: World, terminal: Terminal, repository: Path) -> None:
    passwords: list[str] = []
    handler = partial(Repositories, world=world, passwords=passwords, directory=str(repository.parent))
    with served(handler) as host, served(handler) as other:
        helper = f"!hourmark credential git --host {host} --scope data:get@x"
        terminal(f"git config --global credential.helper {json.dumps(helper)}")
        terminal(f"git clone -q http://{host}/repository.git cloned")
        terminal("git -C cloned log -1")
        refused = terminal.run(f"git clone -q http://{other}/repository.git elsewhere")
    assert passwords
    assert {claims(each)["scope"] for each in passwords} == {"data:get@x"}
    assert refused.code != 0, "another host gets nothing"
    asked = terminal(f"printf 'protocol=http\\nhost={host}\\n\\n' | git credential fill").split()
    assert asked[2] == "username=hourmark"
    assert claims(asked[3].removeprefix("password="))["scope"] == "data:get@x"


@pytest.mark.parametrize(
    ("operation", "asked", "code", "says"),
    [
        ("get", "protocol=https\\nhost=elsewhere.example\\n", 0, ""),
        ("get", "protocol=https\\nhost=git.example:8443\\n", 0, ""),
        ("get", "protocol=https\\nhost=git.example\\nusername=somebody\\n", 0, ""),
        ("get", "", 0, ""),
        ("store", "protocol=https\\nhost=git.example\\nusername=hourmark\\npassword=x\\n", 0, ""),
        ("erase", "protocol=https\\nhost=git.example\\n", 0, ""),
        ("get", "protocol=http\\nhost=git.example\\n", 1, "others could read it"),
    ],
)
def test_what_git_is_not_given(terminal: Terminal, operation: str, asked: str, code: int, says: str) -> None:
    done = terminal.run(f"printf '{asked}' | hourmark credential git --host git.example {operation}")
    assert (done.code, done.out, says in done.err) == (code, "", True)


@pytest.mark.parametrize(
    ("host", "write"),
    [
        ("https://git.example", "git.example"),
        ("https://me@git.example:8443/a", "git.example:8443"),
        ("git.example/acme", "git.example"),
        ("", "git.example"),
    ],
    ids=["scheme", "user and path", "path", "empty"],
)
def test_a_host_that_git_never_asks_for(terminal: Terminal, host: str, write: str) -> None:
    done = terminal.run(f"echo host=git.example | hourmark credential git --host '{host}' get")
    assert (done.code, done.out) == (2, "")
    assert f"--host {write}\n" in done.err
