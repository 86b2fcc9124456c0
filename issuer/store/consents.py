"""What users let apps have. A consent owns a status index: what is issued under it ends with it."""

from __future__ import annotations

from sqlmodel import Session, col, select

from issuer.store import user_grants
from issuer.store.database import Transaction
from issuer.store.refusals import NotFound
from issuer.store.tables import AppRow, Principal, UserGrant
from issuer.store.user_grants import CONSENT, Authentication, Place
from verifier import Scope


def find(session: Session, user_id: int, client_id: str) -> UserGrant | None:
    return session.exec(
        select(UserGrant).where(
            UserGrant.kind == CONSENT, UserGrant.user_id == user_id, UserGrant.client_id == client_id
        )
    ).first()


def page_of_user(
    session: Session, user: Principal, *, before: int | None, limit: int
) -> list[tuple[UserGrant, AppRow, Principal]]:
    """Each with its app and the app's owner; the newest first, from before id `before` on."""
    found = (
        select(UserGrant, AppRow, Principal)
        .join(AppRow, col(AppRow.client_id) == UserGrant.client_id)
        .join(Principal, col(Principal.id) == AppRow.owner_id)
        .where(UserGrant.kind == CONSENT, UserGrant.user_id == user.id)
    )
    if before is not None:
        found = found.where(UserGrant.id < before)
    return list(session.exec(found.order_by(col(UserGrant.id).desc()).limit(limit)))


def scope_of(row: UserGrant | None) -> Scope:
    """What was let: nothing without a consent."""
    return Scope() if row is None else Scope.parse(row.scope or "")


def give(
    tx: Transaction,
    user: Principal,
    client_id: str,
    scope: Scope,
    *,
    authentication: Authentication,
    place: Place,
) -> UserGrant:
    """Lets the app have `scope`, beside what it was let before. Raises StatusListFull, InvalidPermission."""
    row = find(tx.session, user.id, client_id)
    if row is None:
        row = user_grants.create(
            tx,
            CONSENT,
            user,
            client_id,
            scope=scope,
            authentication=authentication,
            place=place,
            expires_at=None,
        )
    else:
        before = scope_of(row)
        together = Scope.of((*before.permissions, *scope.permissions), (*before.words, *scope.words))
        if together == before:
            return row
        row.scope = user_grants.spelled(together)
        tx.session.add(row)
    # Elsewhere it is known that there was none, or a narrower one.
    tx.changed("principal", user.name)
    tx.audit("consent:give", user.name, client_id=client_id, scope=row.scope)
    return row


def withdraw(tx: Transaction, user: Principal, client_id: str) -> None:
    """Ends it and every sign-in at the app, with all their tokens. Raises NotFound if there are none."""
    rows = user_grants.of_user(tx.session, user, client_id=client_id)
    if not rows:
        raise NotFound("there is no such app that acts for you")
    user_grants.end(tx, rows)
    tx.audit("consent:withdraw", user.name, client_id=client_id)


def withdraw_by_id(tx: Transaction, user: Principal, consent_id: int) -> None:
    """The same, by its own id. Again it does nothing. Raises NotFound if it is none of the user's."""
    row = user_grants.find(tx.session, user, consent_id, (CONSENT,))
    if row is not None:
        withdraw(tx, user, row.client_id)
