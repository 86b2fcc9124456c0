"""Set-up links: by one of them a user sets up, once, how to sign in. Also when a password was lost."""

from __future__ import annotations

from sqlmodel import Session, col, delete, select

from issuer.store import rights, role_keys, users
from issuer.store.database import Transaction
from issuer.store.tables import Invitation, Principal
from issuer.store.users import USER_PREFIX, User

_OPERATOR = "hourmarkd"


def create(tx: Transaction, user: Principal, link_hash: bytes, *, expires_at: int) -> Invitation:
    """The user's only one: those from before end."""
    tx.session.execute(delete(Invitation).where(col(Invitation.user_id) == user.id))
    row = Invitation(
        hash=link_hash, user_id=user.id, created_at=tx.now, created_by=tx.actor, expires_at=expires_at
    )
    tx.session.add(row)
    tx.session.flush()
    tx.audit("user:invite", user.name, expires_at=expires_at)
    return row


def find(session: Session, link_hash: bytes, now: int) -> User | None:
    """Whose it is, if it is good and the user may sign in."""
    found = session.exec(
        select(Principal.name, Invitation.created_by)
        .join(Invitation, col(Invitation.user_id) == Principal.id)
        .where(Invitation.hash == link_hash, Invitation.expires_at > now)
    ).first()
    user = None if found is None else users.find(session, found[0].removeprefix(USER_PREFIX))
    if found is None or user is None or user.account.disabled_at is not None:
        return None
    return user if _may_be_made_by(session, found[1], user.principal, now) else None


def _may_be_made_by(session: Session, maker: str, user: Principal, now: int) -> bool:
    """Whether whoever made a link could still make it: else it would lead to more than they hold."""
    if maker.startswith(_OPERATOR):
        return True
    held = role_keys.held_by(session, maker, now)
    return held is not None and not rights.held(session, user).beyond(held)


def use_up(tx: Transaction, link_hash: bytes) -> User | None:
    """As `find`; it is gone afterwards. Of two at once, one gets it."""
    user = find(tx.session, link_hash, tx.now)
    if user is None:
        return None
    done = tx.session.exec(delete(Invitation).where(col(Invitation.hash) == link_hash))
    return user if done.rowcount else None


def has_expired(session: Session, now: int) -> bool:
    """Whether the function below would find one."""
    expired = select(Invitation.user_id).where(col(Invitation.expires_at) <= now)
    return session.exec(expired.limit(1)).first() is not None


def forget_expired(tx: Transaction) -> None:
    tx.session.execute(delete(Invitation).where(col(Invitation.expires_at) <= tx.now))
