"""Browsers that were let in at an app behind a proxy: by a code that is good once, then by a cookie.

A visit has no rights of its own. It is as good as the credential that opened it, and ends with that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, delete, or_, select, update

from issuer.store.database import Transaction
from issuer.store.tables import Principal, Visit
from keys import Handle, handle_hash

CODE_LIFETIME = 60
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What opened a visit: a secret of a role key, or a session in a browser."""

    principal_id: int
    secret_id: int | None = None
    session_id: int | None = None
    expires_at: int | None = None
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A visit whose code was used."""

    cookie: str = field(repr=False)
    target: str
    expires_at: int


def begin(
    tx: Transaction,
    client_id: str,
    opened: Opened,
    *,
    target: str,
    browser_hash: bytes,
    lifetime: int,
    hash_key: bytes,
) -> str:
    """Returns the code that the browser carries to the app."""
    code = Handle.VISIT_CODE.generate()
    most = tx.now + lifetime
    tx.session.add(
        Visit(
            code_hash=handle_hash(code, hash_key),
            browser_hash=browser_hash,
            client_id=client_id,
            principal_id=opened.principal_id,
            secret_id=opened.secret_id,
            session_id=opened.session_id,
            target=target,
            code_expires_at=tx.now + CODE_LIFETIME,
            created_at=tx.now,
            expires_at=min(most, opened.expires_at or most),
        )
    )
    tx.session.flush()
    principal = tx.session.get_one(Principal, opened.principal_id)
    tx.audit("app:enter", principal.name, client_id=client_id)
    return code


def redeem(
    tx: Transaction, code: str, client_id: str, *, browser_hash: bytes, hash_key: bytes
) -> Begun | None:
    """Uses the code up, whoever brings it. None if it is no good, or was given to another browser.

    One that comes again ends the visit that it became.
    """
    code_hash = handle_hash(code, hash_key)
    used = tx.session.exec(
        update(Visit)
        .where(col(Visit.code_hash) == code_hash, col(Visit.used_at).is_(None))
        .values(used_at=tx.now)
    ).rowcount
    row = tx.session.get(Visit, code_hash)
    if row is None:
        return None
    is_good = row.client_id == client_id and row.browser_hash == browser_hash and row.code_expires_at > tx.now
    if not used or not is_good:
        _end(tx, row)
        return None
    cookie = Handle.VISIT.generate()
    row.cookie_hash = handle_hash(cookie, hash_key)
    tx.session.add(row)
    return Begun(cookie, row.target, row.expires_at)


def by_cookie(session: Session, cookie_hash: bytes) -> Visit | None:
    return session.exec(select(Visit).where(Visit.cookie_hash == cookie_hash)).first()


def end(tx: Transaction, cookie_hash: bytes) -> None:
    """Whoever was let in by this cookie is not any more."""
    row = by_cookie(tx.session, cookie_hash)
    if row is not None:
        tx.actor = tx.session.get_one(Principal, row.principal_id).name
        _end(tx, row)


def end_of_secrets(tx: Transaction, ids: Iterable[int]) -> None:
    tx.session.execute(delete(Visit).where(col(Visit.secret_id).in_(list(ids))))


def end_of_sessions(tx: Transaction, ids: Iterable[int]) -> None:
    tx.session.execute(delete(Visit).where(col(Visit.session_id).in_(list(ids))))


def end_of_client(tx: Transaction, client_id: str) -> None:
    tx.session.execute(delete(Visit).where(col(Visit.client_id) == client_id))


def has_expired(session: Session, now: int) -> bool:
    """Whether the function below would find one."""
    return session.exec(select(Visit.code_hash).where(_is_over(now)).limit(1)).first() is not None


def forget_expired(tx: Transaction) -> None:
    """Deletes those that are over, and those whose code was never used."""
    tx.session.execute(delete(Visit).where(_is_over(tx.now)))


def _is_over(now: int) -> ColumnElement[bool]:
    never_used = and_(col(Visit.cookie_hash).is_(None), col(Visit.code_expires_at) <= now)
    return or_(col(Visit.expires_at) <= now, never_used)


def _end(tx: Transaction, row: Visit) -> None:
    principal = tx.session.get_one(Principal, row.principal_id)
    tx.session.delete(row)
    tx.session.flush()
    tx.changed("principal", principal.name)
    tx.audit("app:leave", principal.name, client_id=row.client_id)
