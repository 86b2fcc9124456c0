"""`hourmarkd serve`: what stands in its way is said in one line."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from keys import KeyEncryptionKey
from tests.issuer.cli.command import assert_refused, full, hourmarkd, in_a_process
from tests.running_issuer import free_port, start_issuer, start_program

EVERYWHERE = "0.0.0.0"  # noqa: S104 - it is refused


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
        ({"ISSUER": "https://ada:secret@issuer.example"}, "HOURMARKD_ISSUER"),
        ({"TRUSTED_PROXIES": "10.0.0.0/33"}, "HOURMARKD_TRUSTED_PROXIES"),
        (
            {"KEY_ENCRYPTION_KEY": "too-short-a-key"},
            "HOURMARKD_KEY_ENCRYPTION_KEY: a key-encryption key is 32",
        ),
        ({"DATABASE_URL": "nonsense:hidden"}, "HOURMARKD_DATABASE_URL: it is no database URL"),
        ({"CONFIG_FILE": "nowhere.toml"}, "HOURMARKD_CONFIG_FILE: "),
        ({"HOST": EVERYWHERE}, "HOURMARKD_ISSUER"),
        ({"HOST": "::"}, "HOURMARKD_ISSUER"),
        ({"HOST": EVERYWHERE, "ISSUER": "http://issuer.example"}, "HOURMARKD_ISSUER"),
        ({"HOST": EVERYWHERE, "ISSUER": "https://issuer.example"}, "HOURMARKD_KEY_ENCRYPTION_KEY"),
    ],
)
def test_a_bad_setting_is_named(settings: dict[str, str], said: str) -> None:
    assert_refused(hourmarkd("serve", **full(settings)), 2, said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = ", "HOURMARKD_CONFIG_FILE"),
        ("prot = 1", "hourmarkd.toml: prot: there is no such setting"),
        ("port = -1", "HOURMARKD_PORT"),
    ],
)
def test_a_bad_settings_file_is_explained(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "hourmarkd.toml"
    file.write_text(text)
    assert_refused(hourmarkd("serve", HOURMARKD_CONFIG_FILE=str(file)), 2, said)


def test_each_bad_setting_has_its_line(made: Path) -> None:
    done = in_a_process("serve", made, HOURMARKD_PORT="many", HOURMARKD_TOKEN_TTL="0")
    assert done.code == 2
    assert [line.split(": ")[:2] for line in done.err.splitlines()] == [
        ["hourmarkd", "HOURMARKD_PORT"],
        ["hourmarkd", "HOURMARKD_TOKEN_TTL"],
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"HOURMARKD_KEY_ENCRYPTION_KEY": KeyEncryptionKey.generate().to_text()}, "does not open"),
        ({"HOURMARKD_KEY_ENCRYPTION_KEY_FILE": "nowhere"}, "nowhere"),
        ({"HOURMARKD_KEY_ENCRYPTION_KEY_FILE": "{data}/hourmark.db"}, "key-encryption key"),
        ({"HOURMARKD_DATABASE_URL": "postgresql+psycopg://u:hidden@127.0.0.1:1/x"}, "HOURMARKD_DATABASE_URL"),
        ({"HOURMARKD_DATABASE_URL": "sqlite:///{data}/key-encryption-key"}, "HOURMARKD_DATABASE_URL"),
    ],
)
def test_what_stands_in_the_way_is_said(made: Path, settings: dict[str, str], said: str) -> None:
    given = {name: value.format(data=made) for name, value in settings.items()}
    done = in_a_process("serve", made, HOURMARKD_PORT=str(free_port()), **given)
    assert_refused(done, 1, said)
    assert "hidden" not in done.err
    assert not [value for name, value in given.items() if name.endswith("KEY") and value in done.err]


def test_a_port_in_use_is_said_and_the_command_line_goes_before_the_environment(
    made: Path, taken_port: str
) -> None:
    done = in_a_process(f"serve --port {taken_port}", made, HOURMARKD_PORT=str(free_port()))
    assert_refused(done, 1, f"127.0.0.1:{taken_port}", "in use", "--port")


def test_a_database_is_one_issuers(tmp_path: Path) -> None:
    with start_issuer(tmp_path) as issuer:
        issuer.stop()
        done = in_a_process("serve", tmp_path, **issuer.settings | {"HOURMARKD_ISSUER": "http://127.0.0.1:1"})
        assert_refused(done, 1, f"set HOURMARKD_ISSUER={issuer.url}", "HOURMARKD_DATA_DIR")


def test_serving_says_where_it_listens_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with start_program(tmp_path) as issuer:
        first = issuer.log.read_text().splitlines()[0]
        assert first == f"Hourmark's issuer {issuer.url} listens on {issuer.url.removeprefix('http://')}"
        issuer.stop(signal.SIGINT)
        assert issuer.process.returncode == 130
        assert "Traceback" not in issuer.log.read_text()
