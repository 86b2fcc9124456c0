"""A database stocked with role keys: the rows that managing them would have made, in none of its time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing

from sqlalchemy import insert
from sqlmodel import SQLModel, func, select

from issuer.settings import Settings
from issuer.setup import open_database, read_key_encryption_key
from issuer.store import signing_keys
from issuer.store.database import Transaction
from issuer.store.secrets import HashKeyInForce
from issuer.store.tables import PolicyRow, Principal, RoleKeyRow, Secret, StatusIndex
from keys import RoleKey
from scripts.benchmarks.issuing import PERMISSION, Initialised

_KEYS_OF_A_ROLE = 10
_BATCH = 10_000
_ACTOR = "stock"


def stock(initialised: Initialised, count: int, *, revealed: int) -> list[tuple[str, str]]:
    """Adds `count` role keys of roles that hold PERMISSION. The issuer must not be running.

    Returns access and secret of `revealed` of them, evenly spread.
    """
    settings = Settings(issuer=initialised.url, data_dir=initialised.folder / "data")
    kept: list[tuple[str, str]] = []
    with closing(open_database(settings)) as database:
        with database.read() as session:
            hash_keys = signing_keys.open_hash_keys(session, read_key_encryption_key(settings))
        hash_key = max((HashKeyInForce(*item) for item in hash_keys.items()), key=lambda key: key.version)
        for first in range(0, count, _BATCH):
            keys = [RoleKey.generate() for _ in range(min(_BATCH, count - first))]
            kept += [(key.access, key.secret) for key in keys[:: max(1, count // revealed)]]
            with database.write(actor=_ACTOR, now=int(time.time())) as tx:
                for table, rows in _rows(tx, keys, hash_key):
                    tx.session.execute(insert(table), rows)
    return kept[:revealed]


def _rows(
    tx: Transaction, keys: Sequence[RoleKey], hash_key: HashKeyInForce
) -> Iterator[tuple[type[SQLModel], list[dict[str, object]]]]:
    """The rows of these keys, a table at a time, each behind those that it refers to."""
    roles = _ids(tx, Principal.id, -(-len(keys) // _KEYS_OF_A_ROLE))
    policies = _ids(tx, PolicyRow.id, len(roles))
    secrets = _ids(tx, Secret.id, len(keys))
    indices = _ids(tx, StatusIndex.index, len(keys))
    made: dict[str, object] = {"created_at": tx.now, "created_by": _ACTOR}
    yield Principal, [made | {"id": role, "name": f"role:org.stock.r{role}"} for role in roles]
    yield (
        PolicyRow,
        [
            made | {"id": policy, "principal_id": role, "permission": PERMISSION}
            for policy, role in zip(policies, roles, strict=True)
        ],
    )
    yield (
        RoleKeyRow,
        [
            made | {"access": key.access, "principal_id": roles[number // _KEYS_OF_A_ROLE], "name": "stock"}
            for number, key in enumerate(keys)
        ],
    )
    yield (
        Secret,
        [
            {
                "id": secret,
                "access": key.access,
                "hash": key.hash(hash_key.key),
                "hash_key_version": hash_key.version,
                "status_index": index,
                "created_at": tx.now,
            }
            for secret, key, index in zip(secrets, keys, indices, strict=True)
        ],
    )
    yield (
        StatusIndex,
        [
            {"index": index, "owner": f"secret:{secret}", "is_set": False}
            for secret, index in zip(secrets, indices, strict=True)
        ],
    )


def _ids(tx: Transaction, column: int, count: int) -> range:
    """The next numbers of a column."""
    first = (tx.session.exec(select(func.max(column))).one() or 0) + 1
    return range(first, first + count)
