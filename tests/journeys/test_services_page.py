"""docs/services.md: each service in it is written down, started and asked as printed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from tests.issuer.http.world import SERVICES, World
from tests.journeys.client import seconds_until
from tests.journeys.conftest import NewDatabase
from tests.journeys.printed import command_blocks, fenced_blocks
from tests.journeys.terminal import Terminal
from tests.running_issuer import BIN, RunningIssuer, clean_environment, free_port
from tests.vectors import PROJECT
from tests.verifier import forge
from verifier import InsufficientScope, Token
from verifier.errors import Code
from verifier.labels import InvalidLabel

PAGE = (PROJECT / "docs" / "services.md").read_text()
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
ISSUER, PORT = "http://127.0.0.1:8700", "8800"
FILE = re.compile(r"# (\S+\.py)\n")
READ = "data:get@urn:hourmark:data:samples"


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough: services know nothing of databases."""
    return dict


@contextmanager
def served(section: str, issuer: RunningIssuer, folder: Path) -> Iterator[httpx.Client]:
    """Its files, and its command; the only changes are the issuer's URL and the port."""
    for block in fenced_blocks(section, "python"):
        named = FILE.match(block)
        assert named, "the first line of a file is its name"
        file = folder / named[1]
        file.parent.mkdir(exist_ok=True)
        file.write_text(block.replace(ISSUER, issuer.url))
    ((command,),) = command_blocks(section)
    port = str(free_port())
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command.replace(PORT, port)}"],
            cwd=folder,
            env=clean_environment(PATH=f"{BIN}{os.pathsep}{os.environ['PATH']}"),
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    def is_alive() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        with suppress(httpx.TransportError):
            return client.get("/livez").is_success
        return False

    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            seconds_until(is_alive)
            yield client
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("framework", ["Starlette", "FastAPI", "Flask", "Django"])
def test_a_service_as_printed(issuer: RunningIssuer, world: World, framework: str, tmp_path: Path) -> None:
    reader, stranger = world.holder(READ), world.holder("data:get@urn:hourmark:data:other")
    with served(SECTIONS[framework], issuer, tmp_path) as client:
        host = str(client.base_url).rstrip("/")
        with Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=reader.text) as terminal:
            terminal(f"ROLE_KEY={reader.text}")
            (tries,) = command_blocks(SECTIONS["Try it"])
            *lets_in, alone = (line.replace(f"http://127.0.0.1:{PORT}", host) for line in tries)
            for line in lets_in:
                told = terminal(line)
                assert "200" in told.splitlines()[0], told
                assert f"role:{reader.role}" in told
            assert "www-authenticate: bearer" in terminal(alone).lower()
        refused = client.get("/data/samples", headers=stranger.bearer)
        assert (refused.status_code, READ in refused.headers["www-authenticate"]) == (403, True)


def test_labels_as_printed() -> None:
    printed: dict[str, Any] = {}
    (block,) = fenced_blocks(SECTIONS["Labels"], "python")
    exec(block, printed)  # noqa: S102 - the page's own words
    submit, relabel, listed = (printed[name] for name in ("submit", "relabel", "listed"))
    token = Token.from_claims(forge.claims(scope="app:*@*[model=base]"))
    got = submit(token, "app_1", "mine", {"size": "small", "hourmark/id": "app_2"})
    assert got == {"size": "small", "model": "base", "hourmark/id": "app_1", "hourmark/type": "app"}
    assert relabel(token, "mine", got, {"model": "base"}) == {
        name: value for name, value in got.items() if name != "size"
    }
    for outside in ({"model": "large"}, {}):
        with pytest.raises(InsufficientScope):
            relabel(token, "mine", got, outside)
    with pytest.raises(InsufficientScope):
        submit(token, "app_2", "other", {"model": "large"})
    with pytest.raises(InvalidLabel):
        submit(token, "app_2", "other", {"hourmark/owner": "me"})
    assert listed(token, {"mine": got, "other": {"model": "large"}}) == ["mine"]


def test_every_reason_is_explained() -> None:
    table = SECTIONS["What an answer means"]
    assert [code for code in get_args(Code) if f"`{code}`" not in table] == []
    assert SERVICES in SECTIONS["Try it"]
