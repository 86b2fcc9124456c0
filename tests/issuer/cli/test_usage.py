"""What every command has: help, exit code 2 for wrong usage, and what it says of a database in its way."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from keys import KeyEncryptionKey
from tests.issuer.cli.command import assert_refused, full, hourmarkd, in_a_process
from tests.running_issuer import clean_environment, free_port

WRONG_USAGE = (
    "nonsense",
    "init",
    "serve --port many",
    "serve --workers 0",
    "keys list -o yaml",
    "keys lost",
    "keys revoke",
    "keys export --format xml",
    "config",
    "doctor -o xml",
)
COMMANDS = (
    "",
    "init",
    "serve",
    "db",
    "db upgrade",
    "keys",
    "keys list",
    "keys rotate",
    "keys revoke",
    "keys export",
    "config",
    "config show",
    "doctor",
    "audit",
    "audit verify",
)
WITH_DATABASE = ("keys list", "keys rotate", "keys revoke KID --yes", "keys export", "audit verify")
SLOW_TO_LOAD = "{'pydantic', 'sqlalchemy', 'httpx', 'cryptography', 'uvicorn', 'starlette', 'alembic'}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    done = hourmarkd(f"{command} --help", tmp_path / "data")
    assert (done.code, done.err) == (0, "")
    assert "Usage: hourmarkd" in done.out
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("command", WRONG_USAGE)
def test_wrong_usage_is_exit_code_2_and_changes_nothing(tmp_path: Path, command: str) -> None:
    done = hourmarkd(command, tmp_path / "data")
    assert (done.code, done.out) == (2, "")
    assert "Usage: hourmarkd" in done.err
    assert "Traceback" not in done.err
    assert not [*tmp_path.iterdir()]


def test_the_version_is_that_of_the_distribution(tmp_path: Path) -> None:
    done = hourmarkd("--version nonsense", tmp_path)
    assert (done.code, done.out, done.err) == (0, f"hourmarkd {version('hourmark')}\n", "")


@pytest.mark.parametrize("command", [*WITH_DATABASE, "db upgrade"])
def test_without_a_database_init_is_named_and_nothing_is_made(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "data"
    done = hourmarkd(command, folder)
    assert_refused(done, 1, "`hourmarkd init --admin NAME`")
    assert not folder.exists()


def test_serving_without_a_database_names_init_too(tmp_path: Path) -> None:
    done = in_a_process("serve", tmp_path / "data", HOURMARKD_PORT=str(free_port()))
    assert_refused(done, 1, "`hourmarkd init --admin NAME`")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("command", WITH_DATABASE)
def test_an_empty_database_names_init(tmp_path: Path, command: str) -> None:
    sqlite3.connect(tmp_path / "hourmark.db").close()
    settings = {
        "DATA_DIR": str(tmp_path),
        "KEY_ENCRYPTION_KEY": KeyEncryptionKey.generate().to_text(),
    }
    assert_refused(hourmarkd(command, **full(settings)), 1, "`hourmarkd init --admin NAME`")


def test_a_setting_that_does_not_exist_is_named(made: Path) -> None:
    done = hourmarkd("keys list", made, HOURMARKD_TOKEN_TTLL="5")
    said = "hourmarkd: HOURMARKD_TOKEN_TTLL is passed over: there is no such setting\n"
    assert (done.code, done.err) == (0, said)


def test_upgrading_what_is_current_succeeds(made: Path) -> None:
    done = hourmarkd("db upgrade", made)
    assert (done.code, done.out, done.err) == (0, "", "The schema is current.\n")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_loads_nothing_that_is_slow_to_load(tmp_path: Path, option: str) -> None:
    program = (
        "import sys\nfrom issuer.cli import main\n"
        f"try:\n    main([{option!r}])\n"
        f"finally:\n    print(sorted({SLOW_TO_LOAD} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (0, "[]")
    assert not [*tmp_path.iterdir()]
