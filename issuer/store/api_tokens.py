"""API tokens: role keys that have a name, a purpose and an end, made by people for their programs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import Select

from issuer.store import role_keys
from issuer.store.database import Transaction
from issuer.store.refusals import Conflict, NotFound
from issuer.store.secrets import HashKeyInForce
from issuer.store.tables import ApiTokenRow, Principal, RoleKeyRow
from keys import RoleKey
from verifier import Scope


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One of them, without its secret."""

    owner: Principal
    key: RoleKeyRow
    row: ApiTokenRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What it was made for, beside what that means in permissions."""

    description: str
    presets: tuple[str, ...]
    label_selectors: tuple[str, ...]
    resources: tuple[str, ...]
    audiences: tuple[str, ...]


def create(
    tx: Transaction,
    owner: Principal,
    presented: RoleKey,
    hash_key: HashKeyInForce,
    *,
    name: str,
    scope: Scope,
    purpose: Purpose,
    expires_at: int | None,
) -> ApiToken:
    """Raises Conflict if its owner has one of this name."""
    if tx.session.exec(_all_of(owner).where(RoleKeyRow.name == name)).first() is not None:
        raise Conflict(
            f"{owner.name} has an API token {name} already: take another name, renew it, or delete it"
        )
    key = role_keys.create(tx, owner, presented, hash_key, name=name, scope=scope, expires_at=expires_at)
    row = ApiTokenRow(
        access=key.access,
        description=purpose.description,
        presets=" ".join(purpose.presets),
        label_selectors=" ".join(purpose.label_selectors),
        resources=" ".join(purpose.resources),
        audiences=" ".join(purpose.audiences),
    )
    tx.session.add(row)
    tx.session.flush()
    return ApiToken(owner, key, row)


def list_of(
    session: Session, owner: Principal, *, after: str, limit: int, expired: bool | None, now: int
) -> list[ApiToken]:
    """By id, from behind `after` on; only those that have or have not `expired` by `now`."""
    found = _all_of(owner).where(RoleKeyRow.access > after)
    expires_at = col(RoleKeyRow.expires_at)
    if expired is not None:
        found = found.where(expires_at <= now if expired else or_(expires_at.is_(None), expires_at > now))
    rows = session.exec(found.order_by(RoleKeyRow.access).limit(limit))
    return [ApiToken(owner, key, row) for key, row in rows]


def get(session: Session, access: str) -> ApiToken:
    """Raises NotFound."""
    found = session.exec(
        select(Principal, RoleKeyRow, ApiTokenRow)
        .join(RoleKeyRow, col(RoleKeyRow.principal_id) == Principal.id)
        .join(ApiTokenRow, col(ApiTokenRow.access) == RoleKeyRow.access)
        .where(RoleKeyRow.access == access)
    ).first()
    if found is None:
        raise NotFound(f"there is no API token {access}")
    return ApiToken(*found)


def among(session: Session, accesses: Iterable[str]) -> set[str]:
    """Which of these access ids are those of API tokens."""
    return set(session.exec(select(ApiTokenRow.access).where(col(ApiTokenRow.access).in_(list(accesses)))))


def _all_of(owner: Principal) -> Select[RoleKeyRow, ApiTokenRow]:
    return (
        select(RoleKeyRow, ApiTokenRow)
        .join(ApiTokenRow, col(ApiTokenRow.access) == RoleKeyRow.access)
        .where(RoleKeyRow.principal_id == owner.id)
    )
