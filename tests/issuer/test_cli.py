"""hourmarkd as an operator types it: what it says when something is in the way, and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from issuer.cli.main import main
from keys import KeyEncryptionKey, RoleKey
from tests.running_issuer import BIN, clean_environment, free_port, start_issuer

EVERYWHERE = "0.0.0.0"  # noqa: S104 - it is refused
WRONG_USAGE = ("nonsense", "init", "serve --port many", "serve --workers 0", "keys list -o yaml", "keys lost")
COMMANDS = ("", "init", "serve", "db", "db upgrade", "keys", "keys list", "audit", "audit verify")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def hourmarkd(command: str, folder: Path, **settings: str) -> Done:
    """Runs it to its end, with its data in `folder`."""
    environment = clean_environment(**{"HOURMARKD_DATA_DIR": str(folder), "NO_COLOR": "1"} | settings)
    program = [str(BIN / "hourmarkd"), *command.split()]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def in_this_process(command: str, **settings: str) -> Done:
    """For tables of settings, which are read before anything is touched: processes would take minutes."""
    environment = clean_environment(**{f"HOURMARKD_{name}": value for name, value in settings.items()})
    with patch.dict(os.environ, environment, clear=True):
        done = CliRunner().invoke(cli, command.split())
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return Done(done.exit_code, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of an issuer that is initialised and was never served."""
    folder = tmp_path_factory.mktemp("made")
    assert hourmarkd("init --admin admin", folder).code == 0
    return folder


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield str(listener.getsockname()[1])


def assert_refused(done: Done, code: int, *said: str) -> None:
    """One line for people, on stderr, and no traceback."""
    assert (done.code, done.out) == (code, ""), done
    lines = done.err.splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("hourmarkd: ")
    for text in said:
        assert text in lines[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    done = hourmarkd(f"{command} --help", tmp_path)
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


@pytest.mark.parametrize("command", ["serve", "keys list", "db upgrade"])
def test_without_a_database_init_is_named_and_nothing_is_made(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "data"
    assert_refused(
        hourmarkd(command, folder, HOURMARKD_PORT=str(free_port())), 1, "`hourmarkd init --admin NAME`"
    )
    assert not folder.exists()


@pytest.mark.parametrize("command", ["serve", "keys list"])
def test_an_empty_database_names_init(tmp_path: Path, command: str) -> None:
    sqlite3.connect(tmp_path / "hourmark.db").close()
    settings = {
        "HOURMARKD_PORT": str(free_port()),
        "HOURMARKD_KEY_ENCRYPTION_KEY": KeyEncryptionKey.generate().to_text(),
    }
    assert_refused(hourmarkd(command, tmp_path, **settings), 1, "`hourmarkd init --admin NAME`")


def test_init_shows_people_the_role_key_and_what_to_do_with_it(tmp_path: Path) -> None:
    done = hourmarkd("init --admin ada", tmp_path)
    assert (done.code, done.err) == (0, "")
    (shown,) = [line.strip() for line in done.out.splitlines() if line.startswith("    hmk_")]
    assert f"curl -u '{shown}'" in done.out
    assert RoleKey.parse(shown).reveal() == shown


def test_init_keeps_its_files_to_itself_and_the_secret_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    made = json.loads(hourmarkd("init --admin ada -o json", folder).out)
    assert set(made) == {"issuer", "principal", "access", "secret", "signing_key"}
    assert made["principal"] == "user:ada"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "key-encryption-key").stat().st_mode) == 0o600
    assert not [file for file in folder.iterdir() if made["secret"].encode() in file.read_bytes()]


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


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PORT": "many"}, "HOURMARKD_PORT"),
        ({"PORT": "70000"}, "HOURMARKD_PORT"),
        ({"TOKEN_TTL": "3601"}, "HOURMARKD_TOKEN_TTL"),
        ({"STATUS_EXP": "1"}, "HOURMARKD_STATUS_EXP"),
        ({"AUDIENCES": " "}, "HOURMARKD_AUDIENCES"),
        ({"ALGORITHM": "HS256"}, "HOURMARKD_ALGORITHM"),
        ({"ISSUER": "issuer.example"}, "HOURMARKD_ISSUER"),
        ({"ISSUER": "https://issuer.example/"}, "HOURMARKD_ISSUER"),
        ({"ISSUER": "https://issuer.example?x=1"}, "HOURMARKD_ISSUER"),
        ({"TRUSTED_PROXIES": "10.0.0.0/33"}, "HOURMARKD_TRUSTED_PROXIES"),
        ({"CONFIG_FILE": "nowhere.toml"}, "HOURMARKD_CONFIG_FILE: "),
        ({"HOST": EVERYWHERE}, "HOURMARKD_ISSUER"),
        ({"HOST": "::"}, "HOURMARKD_ISSUER"),
        ({"HOST": EVERYWHERE, "ISSUER": "http://issuer.example"}, "HOURMARKD_ISSUER"),
        ({"HOST": EVERYWHERE, "ISSUER": "https://issuer.example"}, "HOURMARKD_KEY_ENCRYPTION_KEY"),
    ],
)
def test_a_bad_setting_is_named(settings: dict[str, str], said: str) -> None:
    assert_refused(in_this_process("serve", **settings), 2, said)


@pytest.mark.parametrize(
    ("text", "said"),
    [("port = ", "HOURMARKD_CONFIG_FILE"), ("prot = 1", "HOURMARKD_PROT"), ("port = -1", "HOURMARKD_PORT")],
)
def test_a_bad_settings_file_is_explained(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "hourmarkd.toml"
    file.write_text(text)
    assert_refused(in_this_process("serve", CONFIG_FILE=str(file)), 2, said)


def test_each_bad_setting_has_its_line(made: Path) -> None:
    done = hourmarkd("serve", made, HOURMARKD_PORT="many", HOURMARKD_TOKEN_TTL="0")
    assert done.code == 2
    assert [line.split(": ")[:2] for line in done.err.splitlines()] == [
        ["hourmarkd", "HOURMARKD_PORT"],
        ["hourmarkd", "HOURMARKD_TOKEN_TTL"],
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"HOURMARKD_KEY_ENCRYPTION_KEY": KeyEncryptionKey.generate().to_text()}, "does not open"),
        ({"HOURMARKD_KEY_ENCRYPTION_KEY": "too-short-a-key"}, "HOURMARKD_KEY_ENCRYPTION_KEY"),
        ({"HOURMARKD_KEY_ENCRYPTION_KEY_FILE": "nowhere"}, "nowhere"),
        ({"HOURMARKD_KEY_ENCRYPTION_KEY_FILE": "{data}/hourmark.db"}, "key-encryption key"),
        ({"HOURMARKD_DATABASE_URL": "postgresql+psycopg://u:hidden@127.0.0.1:1/x"}, "HOURMARKD_DATABASE_URL"),
        ({"HOURMARKD_DATABASE_URL": "nonsense:hidden"}, "HOURMARKD_DATABASE_URL"),
        ({"HOURMARKD_DATABASE_URL": "mysql://u:hidden@h/x"}, "HOURMARKD_DATABASE_URL"),
        ({"HOURMARKD_DATABASE_URL": "sqlite:///{data}/key-encryption-key"}, "HOURMARKD_DATABASE_URL"),
    ],
)
def test_what_stands_in_the_way_is_said(made: Path, settings: dict[str, str], said: str) -> None:
    given = {name: value.format(data=made) for name, value in settings.items()}
    done = hourmarkd("serve", made, HOURMARKD_PORT=str(free_port()), **given)
    assert_refused(done, 1, said)
    assert "hidden" not in done.err
    assert not [value for name, value in given.items() if name.endswith("KEY") and value in done.err]


def test_a_port_in_use_is_said_and_the_command_line_goes_before_the_environment(
    made: Path, taken_port: str
) -> None:
    done = hourmarkd(f"serve --port {taken_port}", made, HOURMARKD_PORT=str(free_port()))
    assert_refused(done, 1, f"127.0.0.1:{taken_port}", "in use", "--port")


def test_a_database_is_one_issuers(tmp_path: Path) -> None:
    with start_issuer(tmp_path) as issuer:
        issuer.stop()
        done = hourmarkd("serve", tmp_path, **issuer.settings | {"HOURMARKD_ISSUER": "http://127.0.0.1:1"})
        assert_refused(done, 1, f"set HOURMARKD_ISSUER={issuer.url}", "HOURMARKD_DATA_DIR")


def test_another_key_encryption_key_lists_no_keys(made: Path) -> None:
    other = KeyEncryptionKey.generate().to_text()
    assert_refused(hourmarkd("keys list", made, HOURMARKD_KEY_ENCRYPTION_KEY=other), 1, "does not open")


def test_a_setting_that_does_not_exist_is_named(made: Path) -> None:
    done = hourmarkd("keys list", made, HOURMARKD_TOKEN_TTLL="5")
    said = "hourmarkd: HOURMARKD_TOKEN_TTLL is passed over: there is no such setting\n"
    assert (done.code, done.err) == (0, said)


def test_the_audit_chain_is_checked(tmp_path: Path) -> None:
    assert hourmarkd("init --admin admin", tmp_path).code == 0
    whole = hourmarkd("audit verify", tmp_path)
    assert (whole.code, whole.out, whole.err) == (0, "", "The audit chain holds.\n")
    with closing(sqlite3.connect(tmp_path / "hourmark.db")) as database, database:
        database.execute("UPDATE audit SET actor = 'nobody' WHERE number = 2")
    assert_refused(hourmarkd("audit verify", tmp_path), 1, "broken at row 2")


def test_keys_are_listed_with_their_phase(made: Path) -> None:
    text, as_json = hourmarkd("keys list", made), hourmarkd("keys list -o json", made)
    assert (text.code, as_json.code) == (0, 0)
    (key,) = json.loads(as_json.out)
    assert set(key) == {"kid", "algorithm", "phase", "published_at", "signs_from"}
    assert (key["algorithm"], key["phase"]) == ("ES256", "current")
    assert text.out.split() == [*key.values()]


def test_upgrading_what_is_current_succeeds(made: Path) -> None:
    done = hourmarkd("db upgrade", made)
    assert (done.code, done.out, done.err) == (0, "", "The schema is current.\n")


def test_serving_says_where_it_listens_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with start_issuer(tmp_path) as issuer:
        first = issuer.log.read_text().splitlines()[0]
        assert first == f"Hourmark's issuer {issuer.url} listens on {issuer.url.removeprefix('http://')}"
        issuer.stop(signal.SIGINT)
        assert issuer.process.returncode == 130
        assert "Traceback" not in issuer.log.read_text()
