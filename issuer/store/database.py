"""A database and its transactions: SQLite in WAL mode, or PostgreSQL.

Every writing transaction holds one lock from its beginning to its commit (SQLite's own, PostgreSQL's
advisory one), so the numbers that it gives out follow the order of the commits.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, create_engine, func, select

from issuer.store.tables import AuditRow, Change

_READ_ONLY = "25006"
"""PostgreSQL's read_only_sql_transaction."""
_LOCK = 0x686F75726D61726B  # "hourmark"
_BUSY_SECONDS = 5
NOTICES_SILENCE: dict[str, int] = {
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""For connections to PostgreSQL (libpq's names): a machine that lost its power says no word about it, and
whoever waits for its answer would wait for a quarter of an hour."""


class StoreUnavailable(Exception):
    """The database is gone, locked or full; nothing was changed. Trying again later is right."""


@dataclass(slots=True)
class Transaction:
    """A writing transaction: its session, its time, who acts, and the two logs that it adds to."""

    session: Session
    now: int
    actor: str
    client_id: str | None = None
    """The app that acts for `actor`, if one does."""

    def changed(self, kind: str, ref: str) -> None:
        """Tells every process to look at `ref` again."""
        last = self.session.exec(select(func.max(Change.number))).one() or 0
        self.session.add(Change(number=last + 1, kind=kind, ref=ref))
        self.session.flush()

    def audit(self, action: str, target: str, **detail: object) -> None:
        """Adds a row to the chain. `detail` never holds a secret."""
        last = self.session.exec(select(AuditRow).order_by(AuditRow.number.desc()).limit(1)).first()  # type: ignore[attr-defined]
        row = AuditRow(
            number=last.number + 1 if last else 1,
            at=self.now,
            actor=self.actor,
            action=action,
            target=target,
            detail=json.dumps(detail, sort_keys=True),
            client_id=self.client_id,
            previous_hash=last.hash if last else "",
            hash="",
        )
        row.hash = chain_hash(row)
        self.session.add(row)
        self.session.flush()


def chain_hash(row: AuditRow) -> str:
    """SHA-256 over everything in the row but this hash itself; over no client where there was none."""
    fields = [row.number, row.at, row.actor, row.action, row.target, row.detail, row.previous_hash]
    if row.client_id is not None:
        fields.append(row.client_id)
    return sha256(json.dumps(fields).encode()).hexdigest()


class Database:
    """An engine that opens short transactions."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._path = Path(self.url.database or "")
        self._file: tuple[int, int] | None = None
        self._writer = threading.Lock()
        self.engine = create_engine(self.url, **_engine_options(is_sqlite=self.is_sqlite))
        if self.is_sqlite:
            self._prepare_sqlite()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent snapshot. Raises StoreUnavailable."""
        self.check_file()
        isolation: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with (
            _unavailable(),
            self.engine.connect().execution_options(**isolation) as connection,
            Session(connection) as session,
        ):
            yield session

    @contextmanager
    def write(self, *, actor: str, now: int, client_id: str | None = None) -> Iterator[Transaction]:
        """A transaction that commits at the end of the block, or not at all. Raises StoreUnavailable.

        client_id: the app that acts for `actor`, if one does.
        """
        self.check_file()
        with (
            _unavailable(),
            self._turn(),
            self.engine.connect().execution_options(hourmark_write=True) as connection,
            Session(connection) as session,
            session.begin(),
        ):
            self.lock(session.connection())
            yield Transaction(session, now, actor, client_id)
            if not self.is_sqlite:
                session.execute(text("NOTIFY hourmark_changes"))
            self.check_file()

    def check_file(self) -> None:
        """Raises StoreUnavailable unless SQLite's file is the one that was first seen in its place.

        Open connections would go on writing to a file that was moved away, and all of that would be lost.
        """
        if not self.is_sqlite:
            return
        try:
            status = self._path.stat()
        except OSError:
            found = None
        else:
            found = (status.st_dev, status.st_ino)
        if self._file is None:
            self._file = found  # still None before `init`
        elif self._file != found:
            raise StoreUnavailable("the database file is gone or was replaced: restart when it is back")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite lets writers try again, in no order: those of one process wait for each other here."""
        if not self.is_sqlite:
            yield
            return
        if not self._writer.acquire(timeout=_BUSY_SECONDS):
            raise StoreUnavailable("the database is busy with other changes")
        try:
            yield
        finally:
            self._writer.release()

    def lock(self, connection: Connection) -> None:
        """Waits for all other writers; SQLite did so when this transaction began."""
        if not self.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})

    def close(self) -> None:
        self.engine.dispose()

    def _prepare_sqlite(self) -> None:
        @event.listens_for(self.engine, "connect")
        def connect(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own type
            try:
                self.check_file()
            except StoreUnavailable:
                connection.close()
                raise
            # The driver would begin transactions by itself, and late; the listener below does so at once.
            connection.isolation_level = None
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(self.engine, "begin")
        def begin(connection: Connection) -> None:
            writes = connection.get_execution_options().get("hourmark_write", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        # The driver's text may quote statement parameters; its kind is enough.
        raise StoreUnavailable(f"the database does not answer: {type(error.orig).__name__}") from error
    except PoolTimeout as error:
        raise StoreUnavailable("every connection to the database is in use") from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _READ_ONLY:
            raise StoreUnavailable("the database takes no writes: it is a standby, or set so") from error
        if not error.connection_invalidated:
            raise
        raise StoreUnavailable("the connection to the database was lost") from error


def _engine_options(*, is_sqlite: bool) -> dict[str, Any]:
    if is_sqlite:
        return {"connect_args": {"timeout": _BUSY_SECONDS}, "hide_parameters": True}
    options = f"-c lock_timeout={_BUSY_SECONDS}s -c statement_timeout={2 * _BUSY_SECONDS}s"
    # Whatever an administrator made the default: a writer must see what was committed while it waited.
    options += r" -c default_transaction_isolation=read\ committed"
    return {
        "connect_args": {"connect_timeout": 2, "options": options, **NOTICES_SILENCE},
        "hide_parameters": True,
        "pool_pre_ping": True,
        "pool_size": 4,
    }
