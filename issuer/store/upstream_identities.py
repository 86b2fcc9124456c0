"""Who users are at other OpenID providers: by issuer and subject, never by what anybody can claim."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session, col, select

from issuer.store import principals, users
from issuer.store.database import Transaction
from issuer.store.principals import ROLE_PREFIX
from issuer.store.refusals import Conflict
from issuer.store.tables import Principal, UpstreamIdentity, UserAccount
from issuer.store.users import User


def find_user(session: Session, issuer: str, subject: str) -> User | None:
    """The user, disabled or not."""
    found = session.exec(
        select(Principal, UserAccount)
        .join(UserAccount, col(UserAccount.principal_id) == Principal.id)
        .join(UpstreamIdentity, col(UpstreamIdentity.user_id) == Principal.id)
        .where(UpstreamIdentity.issuer == issuer, UpstreamIdentity.subject == subject)
    ).first()
    return None if found is None else User(*found)


def of_user(session: Session, user: Principal) -> list[UpstreamIdentity]:
    """By issuer."""
    found = select(UpstreamIdentity).where(UpstreamIdentity.user_id == user.id)
    return list(session.exec(found.order_by(UpstreamIdentity.issuer, UpstreamIdentity.subject)))


def link(tx: Transaction, user: Principal, issuer: str, subject: str) -> None:
    """This user signs in there from now on too. Raises Conflict if somebody else does as this subject."""
    known = tx.session.get(UpstreamIdentity, (issuer, subject))
    if known is not None:
        if known.user_id == user.id:
            return
        raise Conflict("another user signs in by that account")
    tx.session.add(UpstreamIdentity(issuer=issuer, subject=subject, user_id=user.id, created_at=tx.now))
    tx.session.flush()
    tx.audit("user:link", user.name, issuer=issuer, subject=subject)


def unlink(tx: Transaction, user: Principal, issuer: str, subject: str) -> None:
    """Again it does nothing."""
    known = tx.session.get(UpstreamIdentity, (issuer, subject))
    if known is not None and known.user_id == user.id:
        tx.session.delete(known)
        tx.audit("user:unlink", user.name, issuer=issuer, subject=subject)


def follow_groups(tx: Transaction, user: User, provider: str, roles: Iterable[str]) -> None:
    """Gives the roles that the provider's groups stand for, and takes those that they gave before.

    Roles that somebody else gave stay. A role that is not there is left out.
    """
    given_by = f"upstream:{provider}"
    wanted = set(roles)
    held = {role.name.removeprefix(ROLE_PREFIX): row for role, row in users.memberships(tx.session, user)}
    for name in sorted(wanted - held.keys()):
        role = principals.find(tx.session, ROLE_PREFIX + name)
        if role is not None:
            users.give_role(tx, user, role).created_by = given_by
    for name in sorted(held.keys() - wanted):
        if held[name].created_by == given_by:
            users.take_role(tx, user, principals.get(tx.session, ROLE_PREFIX + name))
