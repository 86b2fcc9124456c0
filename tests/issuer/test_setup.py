from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import select

from issuer import setup
from issuer.settings import Settings
from issuer.setup import SetupError, initialise, open_database, read_key_encryption_key, upgrade
from issuer.signing import SigningKeys
from issuer.store import audit, names, role_keys, schema, signing_keys
from issuer.store.database import Database
from issuer.store.tables import AuditRow
from keys import KeyEncryptionKey, SealBroken
from tests.issuer.store import databases
from tests.issuer.store.databases import KEK, count, execute
from tests.running_issuer import clean_environment

database_url = databases.database_url
TABLES = (
    "principal",
    "policy",
    "role_key",
    "secret",
    "status_index",
    "status_list",
    "signing_key",
    "hash_key",
)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", database_url=SecretStr(database_url))


def rows(settings: Settings) -> list[int]:
    with closing(Database(settings.resolved_database_url)) as database:
        return [count(database, table) for table in (*TABLES, "audit", "change")]


def key_file(settings: Settings) -> Path:
    return settings.data_dir / "key-encryption-key"


def test_from_nothing_to_an_issuer_that_can_start(settings: Settings) -> None:
    made = initialise(settings, "ada")
    assert made.principal == "user:ada"
    kek = read_key_encryption_key(settings)
    with closing(open_database(settings)) as database:
        signing = SigningKeys(database, kek, settings)
        signing.load(int(time.time()))
        assert signing.current.kid == made.kid, "the first key signs at once"
        with database.read() as session:
            loaded = role_keys.load(session, made.role_key.access)
            assert loaded is not None
            assert (loaded.principal.name, str(loaded.held), loaded.row.scope) == ("user:ada", "*", None)
            hash_keys = signing_keys.open_hash_keys(session, kek)
            assert [s.hash for s in loaded.secrets] == [made.role_key.hash(hash_keys[1])]
            assert audit.check_chain(session).first_broken is None
            actions = list(session.exec(select(AuditRow.action).order_by(AuditRow.number)))  # type: ignore[arg-type]
    made_first = ["signing-key:create", "principal:create", "role-policy:create", "role-key:create"]
    assert actions == [*made_first, "user:invite"]
    assert made.setup_url.startswith(f"{settings.issuer_url}/setup?invitation=hmi_")
    assert "hmi_" not in repr(made)


def test_only_the_owner_reads_the_key_file(settings: Settings) -> None:
    mask = os.umask(0)
    try:
        initialise(settings, "ada")
    finally:
        os.umask(mask)
    assert key_file(settings).stat().st_mode & 0o777 == 0o600
    assert settings.data_dir.stat().st_mode & 0o777 == 0o700
    assert key_file(settings).stat().st_nlink == 1
    assert {path.name.partition(".")[0] for path in settings.data_dir.iterdir()} == {"key-encryption-key"}


def test_a_given_key_is_not_written_down(database_url: str, tmp_path: Path) -> None:
    given = Settings(
        data_dir=tmp_path / "data",
        database_url=SecretStr(database_url),
        key_encryption_key=SecretStr(KEK.to_text()),
    )
    initialise(given, "ada")
    assert not key_file(given).exists()
    with closing(open_database(given)) as database:
        SigningKeys(database, KEK, given).load(int(time.time()))


def test_again_it_refuses_and_changes_nothing(settings: Settings) -> None:
    initialise(settings, "ada")
    before, key = rows(settings), key_file(settings).read_bytes()
    with pytest.raises(SetupError, match="initialised already; nothing was changed"):
        initialise(settings, "eve")
    assert (rows(settings), key_file(settings).read_bytes()) == (before, key)


def test_again_on_another_host_it_leaves_no_key_file(settings: Settings, tmp_path: Path) -> None:
    """A key that seals nothing would be found by `serve`, and open nothing."""
    initialise(settings, "ada")
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    with pytest.raises(SetupError, match="nothing was changed"):
        initialise(elsewhere, "eve")
    assert list(elsewhere.data_dir.iterdir()) == []


def test_an_outdated_database_is_not_upgraded_by_the_way(settings: Settings) -> None:
    initialise(settings, "ada")
    with closing(Database(settings.resolved_database_url)) as database:
        execute(database, "UPDATE alembic_version SET version_num = '0000'")
        for work in (lambda: initialise(settings, "eve"), lambda: open_database(settings)):
            with pytest.raises(SetupError, match="hourmarkd db upgrade"):
                work()
        assert schema.state(database) == "outdated"


KILLED = """
import os, signal, sys
from pathlib import Path
from issuer import setup
from issuer.settings import Settings
create = setup.role_keys.create
def kill(*given, **named):
    create(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setup.role_keys.create = kill
setup.initialise(Settings(), "ada")
"""


def test_killed_halfway_it_works_again(settings: Settings) -> None:
    environment = clean_environment(
        HOURMARKD_DATA_DIR=str(settings.data_dir), HOURMARKD_DATABASE_URL=settings.resolved_database_url
    )
    done = subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert rows(settings) == [0] * (len(TABLES) + 2)
    with pytest.raises(SetupError, match="the database is empty"):
        open_database(settings)
    initialise(settings, "ada")
    open_database(settings).close()


@pytest.mark.parametrize("where", ["SigningKey.generate", "schema.upgrade", "os.link", "principals.create"])
def test_failed_anywhere_it_works_again(
    settings: Settings, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    owner, _, name = where.partition(".")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):  # noqa: PT012 - one statement, patched
        patch.setattr(getattr(setup, owner), name, fail)
        initialise(settings, "ada")
    left = [path for path in settings.data_dir.iterdir() if path.name.startswith(".")]
    assert left == [], "nothing but the key and the database"
    assert initialise(settings, "ada").principal == "user:ada"


def test_a_bad_name_makes_nothing(settings: Settings) -> None:
    with pytest.raises(names.InvalidName):
        initialise(settings, "ada lovelace")
    assert not settings.data_dir.exists()


def test_another_key_encryption_key_is_named_as_the_cause(settings: Settings) -> None:
    made = initialise(settings, "ada")
    other = KeyEncryptionKey.generate()
    with closing(open_database(settings)) as database:
        with pytest.raises(SealBroken, match=f"signing key {made.kid} does not open: the key-encryption key"):
            SigningKeys(database, other, settings).load(int(time.time()))
        with database.read() as session, pytest.raises(SealBroken, match="hash key 1 does not open"):
            signing_keys.open_hash_keys(session, other)


def test_a_sealed_key_does_not_open_in_anothers_place(settings: Settings) -> None:
    initialise(settings, "ada")
    with closing(open_database(settings)) as database:
        execute(database, "UPDATE hash_key SET sealed = (SELECT sealed FROM signing_key)")
        with database.read() as session, pytest.raises(SealBroken):
            signing_keys.open_hash_keys(session, read_key_encryption_key(settings))


def test_a_database_without_anything(settings: Settings) -> None:
    with pytest.raises(SetupError, match="hourmarkd init"):
        open_database(settings)
    if settings.resolved_database_url.startswith("sqlite"):
        with pytest.raises(SetupError, match="no database yet"):
            upgrade(settings)
        assert not (settings.data_dir.parent / "hourmark.db").exists(), "looking makes no file"


def test_a_schema_without_anything_in_it(settings: Settings) -> None:
    """`db upgrade` on an empty database does not make an issuer of it."""
    with closing(Database(settings.resolved_database_url)) as database:
        schema.upgrade(database)
    with pytest.raises(SetupError, match="the database is empty: run `hourmarkd init"):
        open_database(settings)
    initialise(settings, "ada")
    upgrade(settings)
    open_database(settings).close()


@pytest.mark.parametrize("content", ["", "A" * 42, "A" * 44, "not a key", "AAAA\nAAAA"])
def test_an_unusable_key_file_is_named_and_not_quoted(tmp_path: Path, content: str) -> None:
    path = tmp_path / "kek"
    path.write_text(content)
    with pytest.raises(SetupError) as refused:
        read_key_encryption_key(Settings(key_encryption_key_file=path))
    assert str(refused.value).startswith(f"{path}: a key-encryption key is 32 random bytes")


def test_a_missing_key_file(tmp_path: Path) -> None:
    for given in (Settings(key_encryption_key_file=tmp_path / "none"), Settings(data_dir=tmp_path)):
        with pytest.raises(SetupError, match="cannot be used: No such file or directory"):
            read_key_encryption_key(given)
    # The operator named a file: a typing error in the name must not make another key.
    with pytest.raises(SetupError, match="cannot be used"):
        read_key_encryption_key(Settings(key_encryption_key_file=tmp_path / "none"), may_generate=True)
    assert not (tmp_path / "none").exists()


def test_only_the_owner_reads_what_sqlite_keeps(tmp_path: Path) -> None:
    alone = Settings(data_dir=tmp_path / "data")
    mask = os.umask(0)
    try:
        initialise(alone, "ada")
        with closing(open_database(alone)) as database, database.write(actor="ada", now=1) as tx:
            tx.changed("principal", "user:ada")
            modes = {path.name: path.stat().st_mode & 0o777 for path in alone.data_dir.glob("hourmark.db*")}
    finally:
        os.umask(mask)
    assert modes == dict.fromkeys(("hourmark.db", "hourmark.db-wal", "hourmark.db-shm"), 0o600)
