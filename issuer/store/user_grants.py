"""What a user's tokens are issued from beside role keys: sessions, sign-ins at clients, consents.

Each owns an index of the status list. Whatever ends a grant, or narrows it, takes its index from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, delete, or_, select, update

from issuer.store import rights, status_indices, visits
from issuer.store.database import Transaction
from issuer.store.refusals import NotFound
from issuer.store.tables import (
    AuthorizationCode,
    DeviceCode,
    Principal,
    RefreshToken,
    UserAccount,
    UserGrant,
    Visit,
)
from verifier import Scope

SESSION, SIGN_IN, CONSENT = "session", "sign-in", "consent"


@dataclass(frozen=True, slots=True)
class Authentication:
    """When and how a user proved who it is."""

    at: int
    """Unix seconds (`auth_time`)."""
    methods: tuple[str, ...]
    """By the names of RFC 8176 (`amr`)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a user, or a device, asks from."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class LoadedGrant:
    """All that issuing a token from it needs to know."""

    row: UserGrant
    user: Principal
    account: UserAccount
    held: Scope
    """What the user may do at this moment."""
    roles: Mapping[str, Scope]
    """Of each role that the user holds, by name, its whole permissions."""


def create(
    tx: Transaction,
    kind: str,
    user: Principal,
    client_id: str,
    *,
    scope: Scope | None,
    authentication: Authentication,
    place: Place,
    expires_at: int | None,
    audience: str | None = None,
    session_id: int | None = None,
    cookie_hash: bytes | None = None,
) -> UserGrant:
    """scope: what the user consented to; None for all that the user may.

    Raises StatusListFull, InvalidPermission.

    audience: of its tokens, unless another one is asked for. session_id: the session that it began in.
    """
    row = UserGrant(
        kind=kind,
        user_id=user.id,
        client_id=client_id,
        scope=None if scope is None else spelled(scope),
        audience=audience,
        session_id=session_id,
        status_index=-1,
        cookie_hash=cookie_hash,
        authenticated_at=authentication.at,
        methods=" ".join(authentication.methods),
        address=place.address,
        user_agent=place.user_agent[:200],
        created_at=tx.now,
        expires_at=expires_at,
    )
    tx.session.add(row)
    tx.session.flush()
    _allocate(tx, row)
    return row


def spelled(scope: Scope) -> str:
    """As it is kept. Raises InvalidPermission for one that could not be read again."""
    text = str(scope)
    Scope.parse(text)
    return text


def load(session: Session, row: UserGrant) -> LoadedGrant | None:
    """None if the user is disabled or deleted."""
    user, account = session.get(Principal, row.user_id), session.get(UserAccount, row.user_id)
    if user is None or account is None or account.disabled_at is not None:
        return None
    held = rights.held(session, user)
    return LoadedGrant(row, user, account, held, rights.by_role(session, user, held))


def of_user(
    session: Session, user: Principal, *, kind: str | None = None, client_id: str | None = None
) -> list[UserGrant]:
    """The newest first."""
    found = select(UserGrant).where(UserGrant.user_id == user.id)
    if kind is not None:
        found = found.where(UserGrant.kind == kind)
    if client_id is not None:
        found = found.where(UserGrant.client_id == client_id)
    return list(session.exec(found.order_by(col(UserGrant.id).desc())))


def find(session: Session, user: Principal, grant_id: int, kinds: Collection[str]) -> UserGrant | None:
    """None if it is gone. Raises NotFound if it is none of the user's, or of another kind."""
    row = session.get(UserGrant, grant_id)
    if row is not None and (row.user_id != user.id or row.kind not in kinds):
        raise NotFound(f"{user.name} has no {' or '.join(kinds)} {grant_id}")
    return row


def of_client(session: Session, client_id: str, *, kind: str | None = None) -> list[UserGrant]:
    found = select(UserGrant).where(UserGrant.client_id == client_id)
    return list(session.exec(found if kind is None else found.where(UserGrant.kind == kind)))


def by_index(session: Session, status_index: int) -> UserGrant | None:
    """The grant that tokens with this index were issued from."""
    return session.exec(select(UserGrant).where(UserGrant.status_index == status_index)).first()


def by_cookie(session: Session, cookie_hash: bytes) -> UserGrant | None:
    """The session of a browser."""
    return session.exec(select(UserGrant).where(UserGrant.cookie_hash == cookie_hash)).first()


def end_session(tx: Transaction, row: UserGrant, *, at_client: str | None = None) -> None:
    """A browser's session ends, with the sign-ins that began in it and have no refresh token to last by.

    at_client: the client whose sign-ins end whatever they have, since it asked for this.
    """
    lasting = select(RefreshToken.grant_id)
    begun = select(UserGrant).where(
        UserGrant.session_id == row.id,
        or_(col(UserGrant.id).not_in(lasting), UserGrant.client_id == at_client),
    )
    end(tx, [row, *tx.session.exec(begun)])


def hand_on(tx: Transaction, before: UserGrant, row: UserGrant) -> None:
    """A session takes the place of another one of the same user: what began there goes on here."""
    for begun in (UserGrant, AuthorizationCode, DeviceCode, Visit):
        tx.session.execute(update(begun).where(col(begun.session_id) == before.id).values(session_id=row.id))
    end(tx, [before])


def end(tx: Transaction, rows: Iterable[UserGrant]) -> None:
    """They end now, with their tokens and everything that would give new ones."""
    rows = list(rows)
    status_indices.revoke(tx, [(row.status_index, _owner(row)) for row in rows])
    ids = [row.id for row in rows]
    visits.end(tx, visits.of_sessions(tx.session, ids))
    visits.end_tokens(tx, _visits_under(tx.session, rows))
    tx.session.execute(delete(RefreshToken).where(col(RefreshToken.grant_id).in_(ids)))
    tx.session.execute(delete(UserGrant).where(col(UserGrant.id).in_(ids)))


def end_tokens(tx: Transaction, rows: Iterable[UserGrant]) -> None:
    """Their tokens end now; they go on with fresh indices, and so do visits."""
    rows = list(rows)
    status_indices.revoke(tx, [(row.status_index, _owner(row)) for row in rows])
    touched = [*visits.of_sessions(tx.session, [row.id for row in rows]), *_visits_under(tx.session, rows)]
    visits.end_tokens(tx, {row.id: row for row in touched}.values())
    for row in rows:
        if row.expires_at is None or row.expires_at > tx.now:
            _allocate(tx, row)


def _visits_under(session: Session, rows: Iterable[UserGrant]) -> list[Visit]:
    """Those in which apps are handed what these let them have."""
    given = [(row.user_id, row.client_id) for row in rows if row.kind == CONSENT]
    return visits.under_consents(session, given) if given else []


def has_expired(session: Session, now: int) -> bool:
    """Whether the function below would find one."""
    return (
        session.exec(select(UserGrant.id).where(col(UserGrant.expires_at) <= now).limit(1)).first()
        is not None
    )


def forget_expired(tx: Transaction) -> None:
    """Deletes those that have expired: their tokens have too."""
    expired = select(UserGrant.id).where(col(UserGrant.expires_at) <= tx.now)
    tx.session.execute(delete(RefreshToken).where(col(RefreshToken.grant_id).in_(expired)))
    tx.session.execute(delete(UserGrant).where(col(UserGrant.expires_at) <= tx.now))


def note_use(session: Session, row: UserGrant, at: int) -> None:
    """Keeps when it was last used, outside the logs."""
    session.execute(update(UserGrant).where(col(UserGrant.id) == row.id).values(last_used_at=at))


def _allocate(tx: Transaction, row: UserGrant) -> None:
    row.status_index = status_indices.allocate(tx, _owner(row))
    if row.expires_at is not None:
        status_indices.expire(tx, row.status_index, _owner(row), row.expires_at)
    tx.session.add(row)
    tx.session.flush()


def _owner(row: UserGrant) -> str:
    return f"grant:{row.id}"
