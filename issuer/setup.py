"""From nothing to an issuer that can start: data folder, key-encryption key, schema, first keys and user."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from issuer.settings import Settings
from issuer.store import principals, role_keys, schema, signing_keys, status_indices
from issuer.store.database import Database
from issuer.store.tables import StatusListVersion
from keys import KeyEncryptionKey, RoleKey, SigningKey
from verifier import Permission

_KEY_FILE = "key-encryption-key"
_HASH_KEY_BYTES = 32


class SetupError(Exception):
    """The issuer cannot start like this; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Initialised:
    """What `init` made. The role key is shown once."""

    principal: str
    role_key: RoleKey
    kid: str


def open_database(settings: Settings) -> Database:
    """A database of the current schema. Raises SetupError."""
    database = Database(settings.resolved_database_url)
    if not _exists(database):
        raise SetupError("there is no database yet: run `hourmarkd init --admin NAME` first")
    states = {
        "empty": "the database is empty: run `hourmarkd init --admin NAME` first",
        "outdated": "the database has another version's schema: run `hourmarkd db upgrade`",
    }
    problem = states.get(schema.state(database))
    if problem is not None:
        database.close()
        raise SetupError(problem)
    return database


def upgrade(settings: Settings) -> None:
    """Raises SetupError if there is nothing to upgrade."""
    database = Database(settings.resolved_database_url)
    if not _exists(database):
        raise SetupError("there is no database yet: run `hourmarkd init --admin NAME` first")
    schema.upgrade(database)
    database.close()


def read_key_encryption_key(settings: Settings, *, may_generate: bool = False) -> KeyEncryptionKey:
    """From the settings; else from a file beside the data, which `init` makes. Raises SetupError."""
    if settings.key_encryption_key is not None:
        return _parse_key(settings.key_encryption_key.get_secret_value(), "HOURMARKD_KEY_ENCRYPTION_KEY")
    path = settings.key_encryption_key_file or settings.data_dir / _KEY_FILE
    try:
        if may_generate and settings.key_encryption_key_file is None and not path.exists():
            kek = KeyEncryptionKey.generate()
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(kek.to_text() + "\n")
            return kek
        return _parse_key(path.read_text(), str(path))
    except OSError as error:
        raise SetupError(f"the key-encryption key {path} cannot be used: {error.strerror}") from error


def initialise(settings: Settings, admin: str) -> Initialised:
    """Makes everything, in one transaction behind the schema. Raises SetupError, principals.InvalidName."""
    name = f"user:{principals.check_user_name(admin)}"
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    kek = read_key_encryption_key(settings, may_generate=True)
    database = Database(settings.resolved_database_url)
    schema.upgrade(database)
    role_key, signing_key = RoleKey.generate(), SigningKey.generate(settings.algorithm)
    with database.write(actor="hourmarkd init", now=int(time.time())) as tx:
        if tx.session.get(StatusListVersion, status_indices.LIST_ID) is not None:
            raise SetupError("the database is initialised already; nothing was changed")
        tx.session.add(
            StatusListVersion(
                id=status_indices.LIST_ID, version=1, signed_version=0, document="", signed_at=0
            )
        )
        signing_keys.add(tx, signing_key, kek, signs_from=tx.now)
        hash_key = signing_keys.add_hash_key(tx, os.urandom(_HASH_KEY_BYTES), kek)
        principal = principals.create(tx, name)
        principals.add_policy(tx, name, Permission.parse("*"))
        role_keys.create(tx, principal, role_key, hash_key, name="first", scope=None, expires_at=None)
    database.close()
    return Initialised(name, role_key, signing_key.kid)


def _exists(database: Database) -> bool:
    """Connecting would make an empty SQLite file where there is none."""
    return not database.is_sqlite or os.path.exists(database.url.database or "")  # noqa: PTH110 - "" is no path


def _parse_key(text: str, where: str) -> KeyEncryptionKey:
    try:
        return KeyEncryptionKey.parse(text)
    except ValueError as error:
        raise SetupError(f"{where}: {error}") from None
