"""Users' passwords, as hashes that are slow to make."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlmodel import Session, col, update

from issuer.store import credentials, users
from issuer.store.database import Transaction
from issuer.store.tables import UserAccount
from issuer.store.users import User


@dataclass(frozen=True, slots=True)
class KnownPassword:
    """Of a user who may sign in by it."""

    user_id: int
    hash: str = field(repr=False)


def find(session: Session, user: str) -> KnownPassword | None:
    """None if there is no such user, or one who is disabled or has no password."""
    found = users.find(session, user)
    if found is None or found.account.disabled_at is not None or found.account.password_hash is None:
        return None
    return KnownPassword(found.principal.id, found.account.password_hash)


def is_still(tx: Transaction, known: KnownPassword) -> bool:
    """Whether it is the user's password now."""
    account = tx.session.get(UserAccount, known.user_id)
    return account is not None and account.password_hash == known.hash


def set_hash(tx: Transaction, user: User, password_hash: str, *, keep: int | None = None) -> None:
    """The user's password from now on. Everywhere else the user is signed out.

    keep: the session in which it was changed.
    """
    user.account.password_hash = password_hash
    tx.session.add(user.account)
    credentials.end_sign_ins_of(tx, user.principal, keep=keep)
    tx.audit("user:set-password", user.principal.name)


def replace_hash(tx: Transaction, known: KnownPassword, password_hash: str) -> None:
    """The same password under newer parameters, unless it was changed meanwhile."""
    tx.session.execute(
        update(UserAccount)
        .where(col(UserAccount.principal_id) == known.user_id, col(UserAccount.password_hash) == known.hash)
        .values(password_hash=password_hash)
    )
