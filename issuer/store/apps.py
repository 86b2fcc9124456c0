"""Apps: OAuth clients that somebody registered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from issuer.store import status_indices, user_grants, visits
from issuer.store.database import Transaction
from issuer.store.refusals import Conflict, NotFound
from issuer.store.tables import AppRow, Principal, UserAccount
from issuer.store.user_grants import CONSENT
from verifier import InvalidPermission, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What is registered of an app (RFC 7591 section 2), and can be changed."""

    description: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    host: str | None
    scope: str
    authentication: str
    secret_hash: bytes | None = field(repr=False)
    jwks: str | None
    id_token_algorithm: str | None
    labels: Mapping[str, str] = field(default_factory=dict)
    audience: str | None = None


def create(
    tx: Transaction,
    client_id: str,
    name: str,
    registration: Registration,
    *,
    owner: Principal,
    role: Principal | None,
) -> AppRow:
    """Raises Conflict if there is an app of this name, or for this host."""
    if find(tx.session, name) is not None:
        raise Conflict(f"there is an app {name} already")
    _refuse_taken_host(tx.session, client_id, registration.host)
    if role is not None and of_role(tx.session, role):
        raise Conflict(f"{role.name} is another app already")
    row = AppRow(
        client_id=client_id,
        name=name,
        owner_id=owner.id,
        role_id=None if role is None else role.id,
        status_index=status_indices.allocate(tx, _owner(client_id)),
        created_at=tx.now,
        created_by=tx.actor,
        **_columns(registration),
    )
    tx.session.add(row)
    tx.session.flush()
    tx.changed("principal", owner.name)
    tx.audit("app:register", name, client_id=client_id, scope=row.scope, host=row.host)
    return row


def find(session: Session, name: str) -> AppRow | None:
    return session.exec(select(AppRow).where(AppRow.name == name)).first()


def get(session: Session, name: str) -> AppRow:
    """Raises NotFound."""
    row = find(session, name)
    if row is None:
        raise NotFound(f"there is no app {name}")
    return row


def of_role(session: Session, role: Principal) -> list[AppRow]:
    """Those that are this role when they act for nobody."""
    return list(session.exec(select(AppRow).where(AppRow.role_id == role.id)))


def of_role_named(session: Session, name: str) -> AppRow | None:
    """The app that this role is, if it is one."""
    found = select(AppRow).join(Principal, col(Principal.id) == AppRow.role_id)
    return session.exec(found.where(Principal.name == name, col(Principal.deleted_at).is_(None))).first()


def of_owner(session: Session, owner: Principal) -> list[AppRow]:
    """By name."""
    return list(session.exec(select(AppRow).where(AppRow.owner_id == owner.id).order_by(AppRow.name)))


def is_in_force(session: Session, row: AppRow) -> bool:
    """Whether its owner is there to answer for it: without one it stands still."""
    account = session.get(UserAccount, row.owner_id)
    is_deleted = session.get_one(Principal, row.owner_id).deleted_at is not None
    return not is_deleted and (account is None or account.disabled_at is None)


def by_index(session: Session, status_index: int) -> list[AppRow]:
    """The one whose own tokens have this index."""
    return list(session.exec(select(AppRow).where(AppRow.status_index == status_index)))


def page(session: Session, *, after: str, limit: int) -> list[AppRow]:
    """By name, from behind `after` on."""
    found = select(AppRow).where(AppRow.name > after)
    return list(session.exec(found.order_by(AppRow.name).limit(limit)))


def at_host(session: Session, host: str) -> AppRow | None:
    """The app that is found there, behind a proxy."""
    return session.exec(select(AppRow).where(AppRow.host == host)).first()


def labels_of(row: AppRow) -> dict[str, str]:
    labels: dict[str, str] = json.loads(row.labels)
    return labels


def change(tx: Transaction, row: AppRow, registration: Registration) -> None:
    """Ends every token that was issued at it if it may want less than before.

    Another way to prove who it is ends what was got by the one before, as another secret does. Another place
    to send people to ends what they let it have: nobody was asked about that place.
    """
    _refuse_taken_host(tx.session, row.client_id, registration.host)
    is_narrowed = registration.scope != row.scope
    is_elsewhere = registration.host != row.host
    before = set(json.loads(row.redirect_uris))
    is_proven_anew = (registration.authentication, registration.jwks) != (row.authentication, row.jwks)
    for column, value in _columns(registration).items():
        setattr(row, column, value)
    row.version += 1
    tx.session.add(row)
    if is_narrowed:
        user_grants.end_tokens(tx, user_grants.of_client(tx.session, row.client_id))
        _narrow_consents(tx, row)
    if is_elsewhere:
        visits.end(tx, visits.of_client(tx.session, row.client_id))
    if not before.issuperset(registration.redirect_uris) or (is_elsewhere and row.host is not None):
        user_grants.end(tx, user_grants.of_client(tx.session, row.client_id))
    if is_proven_anew:
        end_tokens(tx, [row])
    tx.changed("principal", tx.session.get_one(Principal, row.owner_id).name)
    tx.audit("app:update", row.name, client_id=row.client_id, scope=row.scope, host=row.host)


def _narrow_consents(tx: Transaction, row: AppRow) -> None:
    """What it wants no more is not agreed to when it wants it again."""
    wanted = Scope.parse(row.scope)
    for consent in user_grants.of_client(tx.session, row.client_id, kind=CONSENT):
        before = Scope.parse(consent.scope or "")
        try:
            consent.scope = user_grants.spelled(Scope.of((before & wanted).permissions, before.words))
        except InvalidPermission:
            user_grants.end(tx, [consent])
        else:
            tx.session.add(consent)


def set_secret(tx: Transaction, row: AppRow, secret_hash: bytes) -> None:
    """The one before ends now, with all tokens that were got with it; what users let the app have goes on."""
    end_tokens(tx, [row])
    row.secret_hash = secret_hash
    row.version += 1
    tx.session.add(row)
    tx.audit("app:renew-secret", row.name, client_id=row.client_id)


def delete_app(tx: Transaction, row: AppRow) -> None:
    """For good, with everything that users let it have."""
    user_grants.end(tx, user_grants.of_client(tx.session, row.client_id))
    status_indices.revoke(tx, [(row.status_index, _owner(row.client_id))])
    visits.end(tx, visits.of_client(tx.session, row.client_id))
    tx.changed("principal", tx.session.get_one(Principal, row.owner_id).name)
    tx.session.delete(row)
    tx.session.flush()
    tx.audit("app:delete", row.name, client_id=row.client_id)


def end_tokens(tx: Transaction, rows: Iterable[AppRow]) -> None:
    """Ends every token that these apps have; what users let them have goes on."""
    rows = list(rows)
    end_own_tokens(tx, rows)
    end_tokens_on_behalf(tx, rows)


def end_own_tokens(tx: Transaction, rows: Iterable[AppRow]) -> None:
    """Ends the tokens that these apps got for themselves."""
    for row in rows:
        status_indices.revoke(tx, [(row.status_index, _owner(row.client_id))])
        row.status_index = status_indices.allocate(tx, _owner(row.client_id))
        tx.session.add(row)


def end_tokens_on_behalf(tx: Transaction, rows: Iterable[AppRow]) -> None:
    """Ends the tokens with which these apps act for users; consents and sign-ins go on."""
    for row in rows:
        user_grants.end_tokens(tx, user_grants.of_client(tx.session, row.client_id))


def _refuse_taken_host(session: Session, client_id: str, host: str | None) -> None:
    """Whatever the port: proxies choose a site by its name, and hand on the port that a client wrote."""
    if host is None:
        return
    name = _name_of(host)
    others = session.exec(select(AppRow).where(col(AppRow.host).is_not(None), AppRow.client_id != client_id))
    for taken in others:
        if _name_of(taken.host or "") == name:
            raise Conflict(f"the host {name} is the app {taken.name}'s")


def _name_of(host: str) -> str:
    """Without its port."""
    return host if host.endswith("]") else host.rpartition(":")[0] or host


def _columns(registration: Registration) -> dict[str, Any]:
    return {
        "description": registration.description,
        "redirect_uris": json.dumps(registration.redirect_uris),
        "post_logout_redirect_uris": json.dumps(registration.post_logout_redirect_uris),
        "host": registration.host,
        "labels": json.dumps(dict(sorted(registration.labels.items()))),
        "audience": registration.audience,
        "scope": registration.scope,
        "authentication": registration.authentication,
        "secret_hash": registration.secret_hash,
        "jwks": registration.jwks,
        "id_token_algorithm": registration.id_token_algorithm,
    }


def _owner(client_id: str) -> str:
    return f"app:{client_id}"
