"""Users: people with roles. What a user may do is what the roles allow, and follows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, delete, select

from issuer.store import apps, credentials, names, principals
from issuer.store.credentials import Deleted
from issuer.store.database import Transaction
from issuer.store.refusals import Conflict, NotFound
from issuer.store.tables import Invitation, Membership, PasskeyRow, Principal, UpstreamIdentity, UserAccount
from verifier import Permission

USER_PREFIX = "user:"


@dataclass(frozen=True, slots=True)
class User:
    """A principal that is a person."""

    principal: Principal
    account: UserAccount

    @property
    def name(self) -> str:
        return self.principal.name.removeprefix(USER_PREFIX)


def create(tx: Transaction, name: str, *, display_name: str = "", email: str | None = None) -> User:
    """Raises InvalidName, or Conflict if there is, or ever was, a user of this name."""
    principal = principals.create(tx, USER_PREFIX + names.check_user_name(name))
    account = UserAccount(principal_id=principal.id, display_name=display_name, email=email)
    tx.session.add(account)
    tx.session.flush()
    return User(principal, account)


def find(session: Session, name: str) -> User | None:
    found = session.exec(
        select(Principal, UserAccount)
        .join(UserAccount, col(UserAccount.principal_id) == Principal.id)
        .where(Principal.name == USER_PREFIX + name, col(Principal.deleted_at).is_(None))
    ).first()
    return None if found is None else User(*found)


def get(session: Session, name: str) -> User:
    """Raises NotFound."""
    user = find(session, name)
    if user is None:
        raise NotFound(f"there is no {USER_PREFIX}{name}")
    return user


def list_all(
    session: Session,
    *,
    after: str,
    limit: int,
    within: Iterable[Permission],
    prefix: str = "",
    disabled: bool | None = None,
) -> list[User]:
    """Those whose names begin with `prefix`, in the order of their names, from behind `after` on.

    within: permissions of which one must name the user.
    """
    found = (
        select(Principal, UserAccount)
        .join(UserAccount, col(UserAccount.principal_id) == Principal.id)
        .where(
            names.begins_with(Principal.name, USER_PREFIX + prefix),
            names.named_within(Principal.name, USER_PREFIX, within),
            Principal.name > USER_PREFIX + after,
            col(Principal.deleted_at).is_(None),
        )
    )
    if disabled is not None:
        disabled_at = col(UserAccount.disabled_at)
        found = found.where(disabled_at.is_not(None) if disabled else disabled_at.is_(None))
    return [User(*row) for row in session.exec(found.order_by(Principal.name).limit(limit))]


def set_profile(tx: Transaction, user: User, *, display_name: str, email: str | None) -> None:
    user.account.display_name, user.account.email = display_name, email
    tx.session.add(user.account)
    principals.changed(tx, user.principal)
    tx.audit("user:update", user.principal.name)


def disable(tx: Transaction, user: User) -> None:
    """Nothing of this user opens anything from now on, nor do its apps. Again it does nothing."""
    if user.account.disabled_at is not None:
        return
    user.account.disabled_at = tx.now
    tx.session.add(user.account)
    credentials.end_sign_ins_of(tx, user.principal)
    credentials.end_tokens_of(tx, user.principal)
    apps.end_tokens(tx, apps.of_owner(tx.session, user.principal))
    principals.changed(tx, user.principal)
    tx.audit("user:disable", user.principal.name)


def enable(tx: Transaction, user: User) -> None:
    """Role keys and apps work again; tokens from before stay ended. Again it does nothing."""
    if user.account.disabled_at is None:
        return
    user.account.disabled_at = None
    tx.session.add(user.account)
    principals.changed(tx, user.principal)
    tx.audit("user:enable", user.principal.name)


def delete_user(tx: Transaction, user: User) -> Deleted:
    """For good, with everything personal, and the apps that it owns."""
    for table in (PasskeyRow, UpstreamIdentity, Invitation):
        tx.session.execute(delete(table).where(col(table.user_id) == user.principal.id))
    tx.session.execute(delete(UserAccount).where(col(UserAccount.principal_id) == user.principal.id))
    return principals.delete_principal(tx, user.principal.name)


def give_role(tx: Transaction, user: User, role: Principal) -> Membership:
    """Raises Conflict if the user holds it already."""
    if tx.session.get(Membership, (user.principal.id, role.id)) is not None:
        raise Conflict(f"{user.principal.name} holds {role.name} already")
    membership = Membership(
        user_id=user.principal.id, role_id=role.id, created_at=tx.now, created_by=tx.actor
    )
    tx.session.add(membership)
    tx.session.flush()
    principals.changed(tx, user.principal)
    tx.audit("user:assign", user.principal.name, role=role.name)
    return membership


def take_role(tx: Transaction, user: User, role: Principal) -> None:
    """Ends every token that was issued while the user held it. Again it does nothing."""
    membership = tx.session.get(Membership, (user.principal.id, role.id))
    if membership is None:
        return
    tx.session.delete(membership)
    credentials.end_tokens_of(tx, user.principal)
    principals.changed(tx, user.principal)
    tx.audit("user:unassign", user.principal.name, role=role.name)


def memberships(session: Session, user: User) -> list[tuple[Principal, Membership]]:
    """The roles that a user holds, by name."""
    return [
        (role, membership)
        for role, membership in session.exec(
            select(Principal, Membership)
            .join(Membership, col(Membership.role_id) == Principal.id)
            .where(Membership.user_id == user.principal.id)
            .order_by(Principal.name)
        )
    ]


def holders(
    session: Session, role: Principal, *, after: str, limit: int, within: Iterable[Permission]
) -> list[tuple[Principal, Membership]]:
    """The users who hold a role, in the order of their names, from behind `after` on.

    within: permissions of which one must name the user.
    """
    return [
        (user, membership)
        for user, membership in session.exec(
            select(Principal, Membership)
            .join(Membership, col(Membership.user_id) == Principal.id)
            .where(
                Membership.role_id == role.id,
                names.named_within(Principal.name, USER_PREFIX, within),
                Principal.name > USER_PREFIX + after,
            )
            .order_by(Principal.name)
            .limit(limit)
        )
    ]
