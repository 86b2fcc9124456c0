"""What the page of a new API token prints is copied, and works: curl, command line, Python, docker."""

from __future__ import annotations

import re
from html import unescape
from uuid import uuid4

import pytest

from tests.browsers import Browser, signed_in
from tests.clients import claims
from tests.issuer.http.world import OTHER_REGISTRY, REGISTRY, SERVICES, World, made
from tests.journeys.registry.clients import Home
from tests.running_registry import RunningRegistry

_COMMAND = re.compile(r'<code id="([a-z0-9-]+)">(.*?)</code>', re.DOTALL)
_SOURCED = "set -a; . ./hourmark.env; set +a"
"""How shells read the file that the page offers."""


def commands(page: str) -> dict[str, str]:
    """What is printed there, by its id."""
    return {name: unescape(text) for name, text in _COMMAND.findall(page)}


def new_token(browser: Browser) -> str:
    """The page that shows one."""
    browser.get("/tokens/new")
    form = {"name": f"t{uuid4().hex[:8]}", "preset-read": "on", "expires": "7"}
    return browser.send("/tokens/new", form).text


@pytest.fixture
def reader(world: World) -> str:
    """A user who may query apps and jobs."""
    name = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": name}))
    made(world.admin.post(f"/v1/users/{name}/roles", json={"role": world.role("app:query@*", "job:query@*")}))
    return name


def test_what_is_printed_works(world: World, registry: RunningRegistry, reader: str, home: Home) -> None:
    with signed_in(world.issuer, reader) as browser:
        printed = commands(new_token(browser))
        (home.folder / "hourmark.env").write_text(browser.press("Download as .env").text)
    assert set(printed) == {"curl", "cli", "python", "docker-1", "docker-2"}

    def run(*lines: str) -> str:
        return home("sh", "-euc", "\n".join((_SOURCED, *lines)))

    by_curl = re.findall(r'"access_token":"([^"]+)"', run(printed["curl"]))
    by_command_line = run(printed["cli"]).split()[-1:]
    (home.folder / "program.py").write_text(f"{printed['python']}\nprint(token)\n")
    by_python = run("python program.py").split()
    for raw in (*by_curl, *by_command_line, *by_python):
        said = claims(raw)
        assert (said["sub"], said["aud"]) == (f"user:{reader}", SERVICES)
    assert [len(each) for each in (by_curl, by_command_line, by_python)] == [1, 1, 1]
    assert [printed[name].split()[-1] for name in ("docker-1", "docker-2")] == [REGISTRY, OTHER_REGISTRY]
    # A registry is found at its name elsewhere; here it has a port of this machine.
    assert "Login Succeeded" in run(printed["docker-1"].replace(REGISTRY, registry.address))
    assert registry.address in home.config.read_text()


@pytest.mark.parametrize(
    ("audience", "shown"),
    [(SERVICES, {"curl", "cli", "python"}), (OTHER_REGISTRY, {"docker-1"})],
    ids=["services", "registry"],
)
def test_what_is_printed_is_for_the_services_of_the_token(
    world: World, reader: str, audience: str, shown: set[str]
) -> None:
    asked = {"name": f"t{uuid4().hex[:8]}", "presets": ["read"], "owner": f"user:{reader}"}
    token = made(world.admin.post("/v1/tokens", json={**asked, "audiences": [audience]}))
    with signed_in(world.issuer, reader) as browser:
        printed = commands(browser.press("Renew", {"grace": "0"}, on=f"/tokens/{token['id']}").text)
    assert set(printed) == shown
    assert all(OTHER_REGISTRY in text for text in printed.values()) == (shown == {"docker-1"})
