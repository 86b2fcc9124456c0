"""`hourmarkd config show`: every setting, where it comes from, what is wrong with it, and no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from issuer.settings import Settings
from tests.issuer.cli.command import Done, full, hourmarkd

EVERYWHERE = "0.0.0.0"  # noqa: S104 - it is refused
SHOWN = "********"


def shown(done: Done) -> dict[str, tuple[Any, ...]]:
    """Value, source and place of each setting."""
    return {
        row["name"].removeprefix("HOURMARKD_"): (row["value"], row["source"], row["where"])
        for row in json.loads(done.out)["settings"]
    }


def test_every_setting_is_shown_with_its_default(tmp_path: Path) -> None:
    done = hourmarkd("config show -o json", tmp_path)
    rows = shown(done)
    assert (done.code, done.err) == (0, "")
    assert list(rows) == [name.upper() for name in Settings.model_fields]
    assert rows["DATA_DIR"] == (str(tmp_path), "environment", "HOURMARKD_DATA_DIR")
    assert rows["ISSUER"] == ("http://127.0.0.1:8700", "default", "")
    assert rows["DATABASE_URL"] == (f"sqlite:///{tmp_path}/hourmark.db", "default", "")
    assert rows["KEY_ENCRYPTION_KEY"] == (None, "default", "")
    assert rows["KEY_ENCRYPTION_KEY_FILE"] == (f"{tmp_path}/key-encryption-key", "default", "")
    assert not [*tmp_path.iterdir()]


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hourmarkd.toml"
    file.write_text('port = 8731\ntoken_ttl = 60\naudiences = ["urn:a", "urn:b"]\n')
    done = hourmarkd("config show -o json", HOURMARKD_CONFIG_FILE=str(file), HOURMARKD_TOKEN_TTL="90")
    rows = shown(done)
    assert rows["PORT"] == ("8731", "file", f"{file}: port")
    assert rows["AUDIENCES"] == ("urn:a,urn:b", "file", f"{file}: audiences")
    assert rows["TOKEN_TTL"] == ("90", "environment", "HOURMARKD_TOKEN_TTL")
    assert rows["ISSUER"] == ("http://127.0.0.1:8731", "default", "")


def test_people_see_a_table(tmp_path: Path) -> None:
    done = hourmarkd("config show", HOURMARKD_DATA_DIR=str(tmp_path), HOURMARKD_PORT="8731")
    lines = [line.split() for line in done.out.splitlines()]
    assert ["HOURMARKD_PORT", "8731", "HOURMARKD_PORT"] in lines
    assert ["HOURMARKD_TOKEN_TTL", "3600", "default"] in lines
    assert ["HOURMARKD_KEY_ENCRYPTION_KEY", "-", "default"] in lines
    assert len(lines) == len(Settings.model_fields)


SECRET = "verysecret"


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("KEY_ENCRYPTION_KEY", "Q" * 43, SHOWN),
        ("KEY_ENCRYPTION_KEY", f"no key, and still a {SECRET}", SHOWN),
        ("DATABASE_URL", f"postgresql+psycopg://u:{SECRET}@h/x", f"postgresql+psycopg://u:{SHOWN}@h/x"),
        ("DATABASE_URL", f"postgresql://u:a@{SECRET}@h/x", f"postgresql://u:{SHOWN}@h/x"),
        ("DATABASE_URL", f"postgresql://u@h/x?password={SECRET}", f"postgresql://u@h/x?password={SHOWN}"),
        ("DATABASE_URL", f"postgresql://h/x?sslpassword={SECRET}", f"postgresql://h/x?sslpassword={SHOWN}"),
        ("DATABASE_URL", f"nonsense {SECRET}", SHOWN),
        ("DATABASE_URL", f"postgresql://u:a/{SECRET}@h:many/x", SHOWN),
        ("DATABASE_URL", f"postgresql://u:{SECRET}", SHOWN),
        ("ISSUER", f"https://u:{SECRET}@issuer.example", f"https://{SHOWN}@issuer.example"),
    ],
)
def test_no_secret_is_shown(name: str, given: str, expected: str, output: str) -> None:
    done = hourmarkd(f"config show -o {output}", **full({name: given}))
    assert expected in done.out
    for text in (done.out, done.err):
        assert SECRET not in text
        assert given not in text


def test_of_unknown_names_only_the_names_are_shown() -> None:
    """A typing error in a secret's name does not make it less secret."""
    done = hourmarkd("config show -o json", HOURMARKD_KEY_ENCRYPTION_KEYY=SECRET)
    assert (done.code, json.loads(done.out)["unknown"]) == (0, ["HOURMARKD_KEY_ENCRYPTION_KEYY"])
    assert done.err == "hourmarkd: HOURMARKD_KEY_ENCRYPTION_KEYY is passed over: there is no such setting\n"
    assert SECRET not in done.out


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"PORT": "many"}, "HOURMARKD_PORT"),
        ({"TOKEN_TTL": "0"}, "HOURMARKD_TOKEN_TTL"),
        ({"TRUSTED_PROXIES": "nowhere"}, "HOURMARKD_TRUSTED_PROXIES"),
        ({"OUTSIDE_PRIVATE_NETWORKS": "nowhere"}, "HOURMARKD_OUTSIDE_PRIVATE_NETWORKS"),
        ({"HOST": EVERYWHERE}, ""),
        ({"DATABASE_URL": "mysql://h/x"}, "HOURMARKD_DATABASE_URL"),
    ],
)
def test_what_is_wrong_is_said_beside_all_the_others(settings: dict[str, str], named: str) -> None:
    done = hourmarkd("config show -o json", **full(settings))
    (problem,) = json.loads(done.out)["problems"]
    assert (done.code, problem["name"]) == (2, named)
    assert problem["reason"] in done.err
    assert len(shown(done)) == len(Settings.model_fields)
    for name, value in settings.items():
        assert shown(done)[name] == (value, "environment", f"HOURMARKD_{name}")


GOOD_PRESET = {"title": "x", "description": "y", "permissions": ["app:query@*"]}


@pytest.mark.parametrize(
    ("presets", "said"),
    [
        ({"a": {"title": "x", "permissions": ["app:query@*"]}}, "a.description: Field required"),
        ({"a": GOOD_PRESET, "b": GOOD_PRESET | {"permissions": []}}, "b.permissions: "),
        ({"b": GOOD_PRESET | {"permissions": ["app:query@x"]}}, "b.permissions: 'app:query@x' is for some"),
        ({"b": GOOD_PRESET | {"permissions": ["nonsense"]}}, "b.permissions: "),
        ({"b": GOOD_PRESET | {"permissions": "app:query@*"}}, "b.permissions: "),
        ({"b": GOOD_PRESET | {"titel": "x"}}, "b.titel: "),
        ({"Bad Name": GOOD_PRESET}, "Bad Name: "),
    ],
)
def test_which_preset_is_wrong_and_in_what(presets: object, said: str) -> None:
    done = hourmarkd("config show", **full({"PRESETS": json.dumps(presets)}))
    (line,) = done.err.splitlines()
    assert (done.code, line.startswith(f"hourmarkd: HOURMARKD_PRESETS: {said}")) == (2, True), line


KEY_FORM = "a key-encryption key is 32 random bytes in base64url, 43 characters"
POSTGRESQL_FORM = "postgresql+psycopg://USER:PASSWORD@HOST/NAME"


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("KEY_ENCRYPTION_KEY", SECRET, KEY_FORM),
        ("KEY_ENCRYPTION_KEY", "", KEY_FORM),
        ("DATABASE_URL", SECRET, POSTGRESQL_FORM),
        ("DATABASE_URL", f"postgresql+psycopg://u:a/{SECRET}@h:many/x", POSTGRESQL_FORM),
        ("DATABASE_URL", f"mysql://u:{SECRET}@h/x", POSTGRESQL_FORM),
        ("DATABASE_URL", f"postgresql://u:{SECRET}@h/x", POSTGRESQL_FORM),
        ("DATABASE_URL", "sqlite://", "sqlite:////PATH/FILE"),
        ("DATABASE_URL", "sqlite:///:memory:", "sqlite:////PATH/FILE"),
    ],
)
def test_a_secret_of_the_wrong_form_is_refused_unquoted(name: str, given: str, said: str) -> None:
    """`serve` could not start with it; nobody need start it to learn that."""
    done = hourmarkd("config show", **full({name: given}))
    (line,) = done.err.splitlines()
    assert (done.code, line.startswith(f"hourmarkd: HOURMARKD_{name}: "), said in line) == (2, True, True)
    assert SECRET not in done.out + done.err
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({name.lower(): given})
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["", "sqlite:////srv/hourmark.db", "sqlite+pysqlite:///hourmark.db", "postgresql+psycopg://u:p@h:5/x"],
)
def test_a_database_url_that_can_be_used(url: str) -> None:
    assert hourmarkd("config show", HOURMARKD_DATABASE_URL=url).code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [("port = ", "HOURMARKD_CONFIG_FILE"), ("prot = 1", "hourmarkd.toml: prot: there is no such setting")],
)
def test_a_settings_file_that_cannot_be_used(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "hourmarkd.toml"
    file.write_text(text)
    done = hourmarkd("config show -o json", HOURMARKD_CONFIG_FILE=str(file), HOURMARKD_PORT="8731")
    assert (done.code, said in done.err) == (2, True)
    assert shown(done)["PORT"] == ("8731", "environment", "HOURMARKD_PORT")
