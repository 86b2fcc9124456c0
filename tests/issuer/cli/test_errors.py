"""What went wrong, for programs: one object on stderr where a command was asked for JSON, words elsewhere."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from issuer.cli import errors
from keys import KeyEncryptionKey
from tests.issuer.cli.command import Done, full, hourmarkd

OTHER_KEY = KeyEncryptionKey.generate().to_text()
FILE_KEY = {"KEY_ENCRYPTION_KEY_FILE": "nowhere"}


def refusal(done: Done) -> dict[str, Any]:
    """The one object on stderr."""
    said = json.loads(done.err)
    assert set(said) == {"error", "code", "hint"}
    assert isinstance(said, dict)
    return said


@pytest.mark.parametrize(
    ("command", "settings", "ended", "hint"),
    [
        ("keys lost -o json", {}, ("usage", 2), "`hourmarkd keys --help` shows the right form"),
        ("keys list -ojson --all", {}, ("usage", 2), "`hourmarkd keys list --help` shows the right form"),
        ("kyes list --output=json", {}, ("usage", 2), "`hourmarkd --help` shows the right form"),
        ("init --output json", {}, ("usage", 2), "`hourmarkd init --help` shows the right form"),
        ("keys list -o json", {"PORT": "many"}, ("invalid_setting", 2), None),
        ("keys list -o json", {"CONFIG_FILE": "nowhere.toml"}, ("invalid_setting", 2), None),
        ("config show -o json", {"PORT": "many"}, ("invalid_setting", 2), None),
        (
            "keys list -o json",
            {"DATA_DIR": "nowhere"},
            ("not_ready", 1),
            "run `hourmarkd init --admin NAME` first",
        ),
        ("keys list -o json", FILE_KEY, ("not_ready", 1), "name it with HOURMARKD_KEY_ENCRYPTION_KEY_FILE"),
        ("keys list -o json", {"KEY_ENCRYPTION_KEY": OTHER_KEY}, ("seal_broken", 1), None),
        (
            "keys list -o json",
            {"DATABASE_URL": "postgresql+psycopg://u:hidden@127.0.0.1:1/x"},
            ("database_unavailable", 1),
            "check HOURMARKD_DATABASE_URL",
        ),
        ("init --admin ../up -o json", {}, ("invalid_name", 1), None),
        ("init --admin ada -o json", {"DATA_DIR": "/dev/null/data"}, ("system_error", 1), None),
        ("keys revoke nobody --yes -o json", {}, ("unknown_signing_key", 1), None),
    ],
)
def test_an_error_for_programs(
    made: Path, command: str, settings: dict[str, str], ended: tuple[str, int], hint: str | None
) -> None:
    done = hourmarkd(command, made, **full(settings))
    said = refusal(done)
    assert ((said["code"], done.code), said["hint"]) == (ended, hint)
    assert said["error"]
    assert "hidden" not in done.err


def test_several_wrong_settings_are_one_error(made: Path) -> None:
    done = hourmarkd("keys list -o json", made, HOURMARKD_PORT="many", HOURMARKD_TOKEN_TTL="0")
    for name in ("HOURMARKD_PORT: ", "HOURMARKD_TOKEN_TTL: "):
        assert name in refusal(done)["error"]


def test_nobody_there_to_confirm(made: Path) -> None:
    (key,) = json.loads(hourmarkd("keys list -o json", made).out)
    done = hourmarkd(f"keys revoke -o json -- {key['kid']}", made)
    said = refusal(done)
    assert (done.code, said["code"], said["hint"]) == (2, "not_confirmed", "say it with --yes")


def test_a_broken_audit_chain(tmp_path: Path) -> None:
    assert hourmarkd("init --admin admin", tmp_path).code == 0
    with closing(sqlite3.connect(tmp_path / "hourmark.db")) as database, database:
        database.execute("UPDATE audit SET actor = 'nobody' WHERE number = 2")
    done = hourmarkd("audit verify -o json", tmp_path)
    said = refusal(done)
    assert (done.code, said["code"], said["hint"]) == (1, "audit_chain_broken", "compare it with a backup")
    assert json.loads(done.out)["first_broken"] == 2


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("keys list -o json", True),
        ("keys list -ojson", True),
        ("keys list --output json", True),
        ("keys list --output=json", True),
        ("keys list -o text", False),
        ("keys list -o", False),
        ("init --admin json", False),
        ("keys revoke -- -ojson", False),
    ],
)
def test_who_is_answered_as_json(line: str, wanted: bool) -> None:
    assert errors.wants_json(line.split()) is wanted
