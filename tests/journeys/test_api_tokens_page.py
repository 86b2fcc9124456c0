"""docs/api-tokens.md: every command as printed, from the first token to its end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from keys import RoleKey
from tests.issuer.http.world import World
from tests.journeys.conftest import NewDatabase
from tests.journeys.printed import command_blocks
from tests.journeys.terminal import Terminal
from tests.vectors import PROJECT

PAGE = (PROJECT / "docs" / "api-tokens.md").read_text()
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough: the command line knows nothing of databases."""
    return dict


def test_as_printed(world: World, tmp_path: Path) -> None:
    maker = world.holder("app:*@*", "job:*@*", "role-key:*@*")
    with Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=maker.text) as terminal:

        def typed(section: str) -> list[str]:
            (block,) = command_blocks(SECTIONS[section])
            return [terminal(line) for line in block]

        presets, made, kept = typed("Make one")
        assert ("protected-endpoint" in presets, "selector: model=base" in made, kept) == (True, True, "")
        assert "job:query@*[hourmark/id=job_example]" in "".join(typed("Labels"))
        nightly = RoleKey.parse(terminal("echo $TOKEN").strip())
        for told in typed("Where it goes")[:-1]:
            assert nightly.access in told
        listed, _, once, again, _ = typed("Renew, delete")
        assert nightly.secret not in listed
        assert once != again
        assert terminal("echo $ID").strip() not in terminal("hourmark token list --field id")


def test_every_option_exists(tmp_path: Path) -> None:
    with Terminal(tmp_path) as terminal:
        told = terminal("hourmark token create --help")
    assert [option for option in re.findall(r"`(-[-\w]+)", SECTIONS["Make one"]) if option not in told] == []
