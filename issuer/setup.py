"""From nothing to an issuer that can start: data folder, key-encryption key, schema, first keys and user."""

from __future__ import annotations

import os
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

from issuer.obstacle import Obstacle
from issuer.settings import Settings
from issuer.signing_in import invitations
from issuer.store import names, principals, role_keys, schema, signing_keys, status_indices, users
from issuer.store.database import Database
from issuer.store.tables import StatusListVersion
from keys import KeyEncryptionKey, RoleKey, SigningKey
from verifier import Permission

_INITIALISED = (
    "the database is initialised already; nothing was changed",
    "`hourmarkd serve` runs it, `hourmarkd doctor` looks at it",
)
_KEY_SETTING = "name it with HOURMARKD_KEY_ENCRYPTION_KEY_FILE"
_HASH_KEY_BYTES = 32


class SetupError(Obstacle):
    """The issuer cannot start like this."""


@dataclass(frozen=True, slots=True)
class Initialised:
    """What `init` made. The role key is shown once."""

    principal: str
    role_key: RoleKey
    kid: str
    setup_url: str = field(repr=False)
    """By it the first user sets up how to sign in, within minutes."""


def open_database(settings: Settings) -> Database:
    """An initialised database of the current schema. Raises SetupError."""
    database = Database(settings.resolved_database_url)
    try:
        _require_existence(database)
        _refuse_outdated(database)
        if schema.state(database) == "empty" or not _is_initialised(database):
            raise SetupError("the database is empty", "run `hourmarkd init --admin NAME` first")
    except BaseException:
        database.close()
        raise
    return database


def upgrade(settings: Settings) -> None:
    """Raises SetupError if there is nothing to upgrade."""
    with closing(Database(settings.resolved_database_url)) as database:
        _require_existence(database)
        schema.upgrade(database)


def read_key_encryption_key(settings: Settings, *, may_generate: bool = False) -> KeyEncryptionKey:
    """From the settings; else from a file beside the data, which `init` makes. Raises SetupError."""
    if settings.key_encryption_key is not None:
        return _parse_key(settings.key_encryption_key.get_secret_value(), "HOURMARKD_KEY_ENCRYPTION_KEY")
    path = settings.resolved_key_encryption_key_file
    try:
        if may_generate and settings.key_encryption_key_file is None and not path.exists():
            _generate_key_file(path)
        return _parse_key(path.read_text(), str(path))
    except OSError as error:
        raise SetupError(
            f"the key-encryption key {path} cannot be used: {error.strerror}", _KEY_SETTING
        ) from error
    except UnicodeDecodeError as error:
        raise SetupError(f"the key-encryption key's file {path} holds no text", _KEY_SETTING) from error


def initialise(settings: Settings, admin: str) -> Initialised:
    """Makes everything, in one transaction behind the schema. Raises SetupError, names.InvalidName."""
    name = f"user:{names.check_user_name(admin)}"
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(Database(settings.resolved_database_url)) as database:
        if database.is_sqlite:
            _make_private_file(database.url.database or "")
        _refuse_outdated(database)
        schema.upgrade(database)
        if _is_initialised(database):
            raise SetupError(*_INITIALISED)
        kek = read_key_encryption_key(settings, may_generate=True)
        role_key, signing_key = RoleKey.generate(), SigningKey.generate(settings.algorithm)
        with database.write(actor="hourmarkd init", now=int(time.time())) as tx:
            if tx.session.get(StatusListVersion, status_indices.LIST_ID) is not None:
                raise SetupError(*_INITIALISED)
            tx.session.add(
                StatusListVersion(
                    id=status_indices.LIST_ID, version=1, signed_version=0, document="", signed_at=0
                )
            )
            signing_keys.add(tx, signing_key, kek, signs_from=tx.now)
            hash_key = signing_keys.add_hash_key(tx, os.urandom(_HASH_KEY_BYTES), kek)
            principal = users.create(tx, admin).principal
            principals.add_policy(tx, name, Permission.parse("*"))
            role_keys.create(tx, principal, role_key, hash_key, name="first", scope=None, expires_at=None)
            link = invitations.invite(
                tx, principal, hash_key.key, settings.issuer_url, seconds=invitations.FIRST_LIFETIME
            )
    return Initialised(name, role_key, signing_key.kid, link)


def _require_existence(database: Database) -> None:
    """Connecting would make an empty SQLite file where there is none."""
    if database.is_sqlite and not os.path.exists(database.url.database or ""):  # noqa: PTH110 - "" is no path
        raise SetupError("there is no database yet", "run `hourmarkd init --admin NAME` first")


def _make_private_file(path: str) -> None:
    """SQLite takes an empty file for a new database, and gives the files beside it the same mode."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _refuse_outdated(database: Database) -> None:
    if schema.state(database) == "outdated":
        raise SetupError("the database has another version's schema", "run `hourmarkd db upgrade`")


def _is_initialised(database: Database) -> bool:
    """An `init` that was killed leaves the schema and nothing in it."""
    with database.read() as session:
        return session.get(StatusListVersion, status_indices.LIST_ID) is not None


def _generate_key_file(path: Path) -> None:
    """On disk whole before anything is sealed with it, or not there at all; never in place of another."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-") as file:
        file.write(KeyEncryptionKey.generate().to_text() + "\n")
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _parse_key(text: str, where: str) -> KeyEncryptionKey:
    try:
        return KeyEncryptionKey.parse(text)
    except ValueError as error:
        raise SetupError(f"{where}: {error}", "give the one that this database was made with") from None
