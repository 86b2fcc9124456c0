"""Browsers that were let in at an app behind a proxy: by a code that is good once, then by a cookie.

A visit has no rights of its own. It is as good as the credential that opened it, and ends with that. It owns
an index of the status list, which the tokens carry that the app is handed: they end with the visit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, delete, or_, select, tuple_, update

from issuer.store import status_indices
from issuer.store.database import Transaction
from issuer.store.refusals import NotFound
from issuer.store.tables import AppRow, Principal, StatusIndex, Visit
from keys import Handle, handle_hash

CODE_LIFETIME = 60
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What opened a visit: a secret of a role key, a session in a browser, or a token."""

    principal_id: int
    secret_id: int | None = None
    session_id: int | None = None
    claims: str | None = None
    """JSON: of the token."""
    token_index: int | None = None
    """Of the status list: the token's."""
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
    address: str,
    user_agent: str,
    lifetime: int,
    hash_key: bytes,
) -> str:
    """Returns the code that the browser carries to the app. Raises StatusListFull."""
    code = Handle.VISIT_CODE.generate()
    most = tx.now + lifetime
    row = Visit(
        code_hash=handle_hash(code, hash_key),
        browser_hash=browser_hash,
        client_id=client_id,
        principal_id=opened.principal_id,
        secret_id=opened.secret_id,
        session_id=opened.session_id,
        claims=opened.claims,
        status_index=-1,
        target=target,
        address=address,
        user_agent=user_agent[:200],
        code_expires_at=tx.now + CODE_LIFETIME,
        created_at=tx.now,
        expires_at=min(most, opened.expires_at or most),
    )
    tx.session.add(row)
    tx.session.flush()
    _allocate(tx, row, parent=opened.token_index)
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
    row = tx.session.exec(select(Visit).where(Visit.code_hash == code_hash)).first()
    if row is None:
        return None
    is_good = row.client_id == client_id and row.browser_hash == browser_hash and row.code_expires_at > tx.now
    if not used or not is_good:
        leave(tx, row)
        return None
    cookie = Handle.VISIT.generate()
    row.cookie_hash = handle_hash(cookie, hash_key)
    tx.session.add(row)
    return Begun(cookie, row.target, row.expires_at)


def by_cookie(session: Session, cookie_hash: bytes) -> Visit | None:
    return session.exec(select(Visit).where(Visit.cookie_hash == cookie_hash)).first()


def by_index(session: Session, status_index: int) -> list[Visit]:
    """The one whose tokens have this index."""
    return list(session.exec(select(Visit).where(Visit.status_index == status_index)))


def page_of(
    session: Session, principal: Principal, *, before: int | None, limit: int, now: int
) -> list[tuple[Visit, AppRow]]:
    """Those that go on at `now`, each with its app; the newest first, from before id `before` on."""
    found = (
        select(Visit, AppRow)
        .join(AppRow, col(AppRow.client_id) == Visit.client_id)
        .join(StatusIndex, col(StatusIndex.index) == Visit.status_index)
        .where(
            Visit.principal_id == principal.id,
            col(Visit.cookie_hash).is_not(None),
            Visit.expires_at > now,
            # The token that opened it may have ended.
            col(StatusIndex.is_set).is_(False),
        )
    )
    if before is not None:
        found = found.where(Visit.id < before)
    return list(session.exec(found.order_by(col(Visit.id).desc()).limit(limit)))


def find(session: Session, principal: Principal, visit_id: int) -> Visit | None:
    """None if it is gone. Raises NotFound if it is none of the principal's."""
    row = session.get(Visit, visit_id)
    if row is not None and row.principal_id != principal.id:
        raise NotFound(f"{principal.name} has no visit {visit_id}")
    return row


def of_principal(session: Session, principal: Principal) -> list[Visit]:
    return list(session.exec(select(Visit).where(Visit.principal_id == principal.id)))


def of_client(session: Session, client_id: str) -> list[Visit]:
    return list(session.exec(select(Visit).where(Visit.client_id == client_id)))


def of_secrets(session: Session, ids: Collection[int]) -> list[Visit]:
    """Those that these secrets of role keys opened."""
    return list(session.exec(select(Visit).where(col(Visit.secret_id).in_(ids))))


def of_sessions(session: Session, ids: Collection[int]) -> list[Visit]:
    """Those that these sessions opened."""
    return list(session.exec(select(Visit).where(col(Visit.session_id).in_(ids))))


def under_consents(session: Session, given: Collection[tuple[int, str]]) -> list[Visit]:
    """Those in which apps are handed tokens. given: by whom to which client."""
    return list(session.exec(select(Visit).where(tuple_(Visit.principal_id, Visit.client_id).in_(given))))


def leave(tx: Transaction, row: Visit) -> None:
    """Ends this one, and nothing else."""
    principal, client_id = tx.session.get_one(Principal, row.principal_id), row.client_id
    end(tx, [row])
    tx.audit("app:leave", principal.name, client_id=client_id)


def end(tx: Transaction, rows: Iterable[Visit]) -> None:
    """They end now, with the tokens that the app was handed."""
    rows = list(rows)
    status_indices.revoke(tx, [(row.status_index, _owner(row)) for row in rows])
    tx.session.execute(delete(Visit).where(col(Visit.id).in_([row.id for row in rows])))


def end_at(tx: Transaction, rows: Iterable[Visit], ends_at: int) -> None:
    """They end then, if not before."""
    for row in rows:
        if row.expires_at > ends_at:
            row.expires_at = ends_at
            tx.session.add(row)
            status_indices.revoke_from(tx, row.status_index, _owner(row), ends_at)


def end_tokens(tx: Transaction, rows: Iterable[Visit]) -> None:
    """What the app was handed ends now; they go on with fresh indices.

    Those that a token opened end: it was narrowed with the rest, and is good for no other index.
    """
    rows = list(rows)
    end(tx, [row for row in rows if row.claims is not None])
    lasting = [row for row in rows if row.claims is None]
    status_indices.revoke(tx, [(row.status_index, _owner(row)) for row in lasting])
    for row in lasting:
        if row.expires_at > tx.now:
            _allocate(tx, row)


def has_expired(session: Session, now: int) -> bool:
    """Whether the function below would find one."""
    return session.exec(select(Visit.id).where(_is_over(now)).limit(1)).first() is not None


def forget_expired(tx: Transaction) -> None:
    """Deletes those that are over, and those whose code was never used: no token has their index."""
    for row in tx.session.exec(select(Visit).where(_is_over(tx.now))):
        if row.cookie_hash is None:
            status_indices.expire(tx, row.status_index, _owner(row), tx.now)
        tx.session.delete(row)
    tx.session.flush()


def _is_over(now: int) -> ColumnElement[bool]:
    never_used = and_(col(Visit.cookie_hash).is_(None), col(Visit.code_expires_at) <= now)
    return or_(col(Visit.expires_at) <= now, never_used)


def _allocate(tx: Transaction, row: Visit, *, parent: int | None = None) -> None:
    row.status_index = status_indices.allocate(tx, _owner(row), parent=parent)
    status_indices.expire(tx, row.status_index, _owner(row), row.expires_at)
    tx.session.add(row)
    tx.session.flush()


def _owner(row: Visit) -> str:
    return f"visit:{row.id}"
