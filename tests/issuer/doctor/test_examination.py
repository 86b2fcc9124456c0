"""Each real thing broken for real: the check that looks at it says so, with what mends it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from issuer.store.database import Database
from keys import KeyEncryptionKey
from tests.issuer.doctor.world import FAILURE, PASSWORD, WARNING, World, the
from tests.issuer.store.databases import execute
from tests.postgresql import PostgresServer

EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing listens
OTHER_KEY = KeyEncryptionKey.generate().to_text()


def test_a_new_issuer_is_sound_and_only_waits_to_be_served(world: World) -> None:
    found = world.examine()
    assert world.trouble() == []
    troubled = {finding.check: finding.mend for finding in found if finding.mend}
    assert set(troubled) == {"service", "status list", "signing keys"}
    assert all("`hourmarkd serve`" in mend for mend in troubled.values())
    checks = [finding.check for finding in found]
    for check in ("settings", "key-encryption key", "database file", "disk", "database", "sealed keys"):
        assert check in checks
    for check in ("status list's room", "audit", "issuer"):
        assert check in checks


def test_it_changes_nothing(world: World) -> None:
    before = world.database.read_bytes()
    world.examine()
    assert world.database.read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "check", "level", "said"),
    [
        ({"HOURMARKD_PORT": "many"}, "settings", FAILURE, "HOURMARKD_PORT"),
        ({"HOURMARKD_HOST": EVERYWHERE}, "settings", FAILURE, "HOURMARKD_ISSUER"),
        ({"HOURMARKD_CONFIG_FILE": "nowhere.toml"}, "settings", FAILURE, "nowhere.toml"),
        ({"HOURMARKD_PROT": "1"}, "settings", WARNING, "HOURMARKD_PROT"),
        ({"HOURMARKD_DATA_DIR": "nowhere"}, "database", FAILURE, "`hourmarkd init --admin NAME`"),
        ({"HOURMARKD_DATABASE_URL": f"nonsense:{PASSWORD}"}, "settings", FAILURE, "HOURMARKD_DATABASE_URL"),
        ({"HOURMARKD_KEY_ENCRYPTION_KEY": PASSWORD}, "settings", FAILURE, "HOURMARKD_KEY_ENCRYPTION_KEY"),
        (
            {"HOURMARKD_DATABASE_URL": f"postgresql+psycopg://u:{PASSWORD}@127.0.0.1:1/x"},
            "database",
            FAILURE,
            "HOURMARKD_DATABASE_URL",
        ),
        (
            {"HOURMARKD_DATABASE_URL": f"mysql://u:{PASSWORD}@h/x"},
            "settings",
            FAILURE,
            "HOURMARKD_DATABASE_URL",
        ),
        ({"HOURMARKD_KEY_ENCRYPTION_KEY": OTHER_KEY}, "sealed keys", FAILURE, "does not open"),
        ({"HOURMARKD_KEY_ENCRYPTION_KEY_FILE": "nowhere"}, "sealed keys", FAILURE, "nowhere"),
        (
            {"HOURMARKD_HOST": EVERYWHERE, "HOURMARKD_ISSUER": "https://127.0.0.1:1"}
            | {"HOURMARKD_KEY_ENCRYPTION_KEY_FILE": "{key}"},
            "key-encryption key",
            FAILURE,
            "beside the data",
        ),
        ({"HOURMARKD_ISSUER": "https://127.0.0.1:1"}, "key-encryption key", WARNING, "beside the data"),
    ],
)
def test_a_setting_that_does_not_fit(
    world: World, settings: dict[str, str], check: str, level: str, said: str
) -> None:
    given = {name: value.format(key=world.key) for name, value in settings.items()}
    (found,) = world.trouble(**given)
    assert found[:2] == (check, level)
    assert said in found[2]


@pytest.mark.parametrize(
    ("file", "mode", "check", "level"),
    [
        ("key-encryption-key", 0o604, "key-encryption key", FAILURE),
        ("key-encryption-key", 0o660, "key-encryption key", FAILURE),
        ("key-encryption-key", 0o640, "key-encryption key", WARNING),
        ("hourmark.db", 0o644, "database file", FAILURE),
        ("hourmark.db", 0o640, "database file", WARNING),
    ],
)
def test_a_file_that_others_may_open(world: World, file: str, mode: int, check: str, level: str) -> None:
    path = world.folder / file
    path.chmod(mode)
    (found,) = world.trouble()
    assert (found[:2], f"chmod 600 {path}" in found[2]) == ((check, level), True)
    path.chmod(0o600)
    assert world.trouble() == []


def test_a_database_larger_than_what_is_free(world: World) -> None:
    """A hole of 100 TB at its end, which takes no room and which SQLite does not look at."""
    with world.database.open("r+b") as file:
        try:
            file.truncate(14 * 2**40)
        except OSError:
            pytest.skip("this file system has no files of that size")
    (found,) = world.trouble()
    assert (found[:2], "make room" in found[2]) == (("disk", WARNING), True)


@pytest.mark.parametrize(
    ("statement", "check", "said"),
    [
        ("UPDATE alembic_version SET version_num = '0000'", "database", "`hourmarkd db upgrade`"),
        ("DELETE FROM status_list", "database", "`hourmarkd init --admin NAME`"),
        ("UPDATE signing_key SET sealed = zeroblob(60)", "sealed keys", "restore the row"),
        ("UPDATE hash_key SET sealed = (SELECT sealed FROM signing_key)", "sealed keys", "hash key 1"),
        ("UPDATE signing_key SET revoked_at = signs_from", "signing keys", "`hourmarkd serve`"),
        (
            "UPDATE signing_key SET signs_from = signs_from - 31 * 86400",
            "signing keys",
            "should have been replaced",
        ),
        ("UPDATE status_list SET signed_version = 1, version = 2", "status list", "version 2 is not signed"),
        ("UPDATE status_list SET signed_version = 1, signed_at = 1", "status list", "revocation_stale"),
        ("UPDATE audit SET actor = 'nobody' WHERE number = 2", "audit", "broken at row 2"),
        ("DELETE FROM audit WHERE number = 2", "audit", "broken at row 3"),
    ],
)
def test_a_row_that_was_changed(world: World, statement: str, check: str, said: str) -> None:
    world.change(statement)
    (found,) = world.trouble()
    assert found[:2] == (check, FAILURE)
    assert said in found[2]


def test_a_list_that_nobody_signs_again(world: World) -> None:
    world.change(f"UPDATE status_list SET signed_version = 1, signed_at = {int(time.time()) - 2000}")  # noqa: S608 - no input
    found = the(world.examine(), "status list")
    assert (found.level, "no service runs" in found.said) == (WARNING, True)


@pytest.mark.parametrize(("used", "level"), [(900_000, WARNING), (1_040_000, FAILURE)])
def test_a_list_that_fills(world: World, used: int, level: str) -> None:
    world.change(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {used}) "  # noqa: S608 - no input
        "INSERT INTO status_index (\"index\", owner, is_set) SELECT i, 'x', 0 FROM n"
    )
    (found,) = world.trouble()
    assert found[:2] == ("status list's room", level)


def test_a_database_that_is_no_database(world: World) -> None:
    world.database.write_bytes(b"x" * 4096)
    (found,) = world.trouble()
    assert found[:2] == ("database", FAILURE)


@pytest.fixture
def on_postgresql(postgres_server: PostgresServer, tmp_path: Path) -> World:
    return World.make(tmp_path, HOURMARKD_DATABASE_URL=postgres_server.create_database())


def test_on_postgresql_too(on_postgresql: World) -> None:
    assert on_postgresql.trouble() == []
    assert the(on_postgresql.examine(), "clock").mend is None


@pytest.mark.parametrize(("skew", "level"), [(-10, WARNING), (100, FAILURE)])
def test_the_databases_clock(on_postgresql: World, skew: int, level: str) -> None:
    found = the(on_postgresql.examine(lambda: time.time() + skew), "clock")
    assert (found.level, "NTP" in str(found.mend)) == (level, True)


def test_a_clock_of_postgresql_that_is_wrong(on_postgresql: World) -> None:
    """Its own clock cannot be set here, so its function for it is replaced."""
    database = Database(on_postgresql.settings["HOURMARKD_DATABASE_URL"])
    name = database.url.database
    execute(
        database,
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
        "$$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$",
    )
    execute(database, f"ALTER DATABASE {name} SET search_path = public, pg_catalog")
    database.close()
    found = the(on_postgresql.examine(), "clock")
    assert (found.level, "3600 s ahead" in found.said) == (FAILURE, True)


def test_a_postgresql_that_is_gone(tmp_path: Path, postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database().replace("host=", "host=/nowhere")
    found = World(tmp_path, {"HOURMARKD_DATABASE_URL": url}).trouble()
    assert [each[:2] for each in found] == [("database", FAILURE)]
