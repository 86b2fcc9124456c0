"""Where a user is signed in, in browsers and at clients; each can be ended, and all of them at once."""

from __future__ import annotations

from sqlmodel import Session, col, or_, select

from issuer.store import credentials, user_grants
from issuer.store.database import Transaction
from issuer.store.tables import Principal, UserGrant
from issuer.store.user_grants import SESSION, SIGN_IN

_KINDS = (SESSION, SIGN_IN)


def page_of_user(
    session: Session, user: Principal, *, before: int | None, limit: int, now: int
) -> list[UserGrant]:
    """Those that are good at `now`, the newest first, from before id `before` on."""
    found = select(UserGrant).where(
        UserGrant.user_id == user.id,
        col(UserGrant.kind).in_(_KINDS),
        or_(col(UserGrant.expires_at).is_(None), col(UserGrant.expires_at) > now),
    )
    if before is not None:
        found = found.where(UserGrant.id < before)
    return list(session.exec(found.order_by(col(UserGrant.id).desc()).limit(limit)))


def end(tx: Transaction, user: Principal, sign_in_id: int) -> None:
    """It ends with its tokens. Again it does nothing. Raises NotFound if it is none of the user's."""
    row = user_grants.find(tx.session, user, sign_in_id, _KINDS)
    if row is not None:
        user_grants.end_session(tx, row)
        tx.audit("user:sign-out", user.name, client_id=row.client_id)


def end_all(tx: Transaction, user: Principal) -> None:
    """Signs the user out everywhere; role keys and consents go on."""
    credentials.end_sign_ins_of(tx, user)
    tx.audit("user:sign-out-everywhere", user.name)
