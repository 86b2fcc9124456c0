"""`hourmarkd init`: what it makes, what it shows, and what it refuses."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from keys import RoleKey
from tests.issuer.cli.command import assert_refused, hourmarkd


def test_init_shows_people_the_role_key_and_what_to_do_with_it(tmp_path: Path) -> None:
    done = hourmarkd("init --admin ada", tmp_path)
    assert (done.code, done.err) == (0, "")
    (shown,) = [line.strip() for line in done.out.splitlines() if line.startswith("    hmk_")]
    assert f"curl -u '{shown}'" in done.out
    assert RoleKey.parse(shown).reveal() == shown


def test_init_keeps_its_files_to_itself_and_the_secret_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    made = json.loads(hourmarkd("init --admin ada -o json", folder).out)
    assert set(made) == {"issuer", "principal", "access", "secret", "signing_key", "setup_url"}
    assert made["principal"] == "user:ada"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "key-encryption-key").stat().st_mode) == 0o600
    for secret in (made["secret"], made["setup_url"].partition("=")[2]):
        assert not [file for file in folder.iterdir() if secret.encode() in file.read_bytes()]


def test_init_again_changes_nothing(made: Path) -> None:
    before = hourmarkd("keys list", made)
    assert_refused(hourmarkd("init --admin eve", made), 1, "initialised already", "nothing was changed")
    assert hourmarkd("keys list", made) == before


@pytest.mark.parametrize("name", ["../up", "role:x"])
def test_init_refuses_a_name_that_no_user_can_have(tmp_path: Path, name: str) -> None:
    assert_refused(hourmarkd(f"init --admin {name}", tmp_path / "data"), 1, "is not a user name")
    assert not (tmp_path / "data").exists()


def test_init_in_an_impossible_place_says_which(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_refused(hourmarkd("init --admin ada", tmp_path / "file" / "data"), 1, str(tmp_path / "file"))
