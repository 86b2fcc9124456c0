"""Role keys: made, renewed, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, delete, or_, select, update

from issuer.store import apps, names, rights, secrets, status_indices
from issuer.store.database import Transaction
from issuer.store.secrets import HashKeyInForce
from issuer.store.tables import (
    ApiTokenRow,
    AppRow,
    ExchangeCount,
    JobRow,
    Principal,
    RoleKeyRow,
    Secret,
    TrustPolicyRow,
    UserAccount,
)
from keys import RoleKey
from verifier import Permission, Scope


class NoSuchKey(Exception):
    """The principal has no role key of this access id."""


@dataclass(frozen=True, slots=True)
class LoadedKey:
    """All that an exchange needs to know of a role key."""

    principal: Principal
    row: RoleKeyRow
    secrets: list[Secret]
    held: Scope
    """What its principal may do."""
    roles: Mapping[str, Scope]
    """Of each role that its principal is or holds, by name, its whole permissions."""
    audiences: tuple[str, ...]
    """Which services it is for; () for all."""


def create(
    tx: Transaction,
    principal: Principal,
    presented: RoleKey,
    hash_key: HashKeyInForce,
    *,
    name: str,
    scope: Scope | None,
    expires_at: int | None,
) -> RoleKeyRow:
    """Keeps a new role key, without its secret."""
    row = RoleKeyRow(
        access=presented.access,
        principal_id=principal.id,
        name=name,
        scope=None if scope is None else str(scope),
        created_at=tx.now,
        created_by=tx.actor,
        expires_at=expires_at,
    )
    tx.session.add(row)
    tx.session.flush()
    secrets.add(tx, row, presented, hash_key)
    tx.changed("principal", principal.name)
    tx.audit("role-key:create", principal.name, access=row.access, name=name, scope=row.scope)
    return row


def get(session: Session, principal: Principal, access: str) -> RoleKeyRow:
    """Raises NoSuchKey."""
    row = session.get(RoleKeyRow, access)
    if row is None or row.principal_id != principal.id:
        raise NoSuchKey(f"{principal.name} has no role key {access}")
    return row


def find_owner(session: Session, access: str) -> Principal | None:
    """Whose role key it is."""
    return session.exec(select(Principal).join(RoleKeyRow).where(RoleKeyRow.access == access)).first()


def list_of(
    session: Session,
    principal: Principal,
    *,
    after: str,
    limit: int,
    created_by: str | None = None,
    expired: bool | None = None,
    now: int = 0,
) -> list[RoleKeyRow]:
    """By access id, from behind `after` on; those that `created_by` made, or that have `expired` by `now`."""
    found = select(RoleKeyRow).where(RoleKeyRow.principal_id == principal.id, RoleKeyRow.access > after)
    if created_by is not None:
        found = found.where(RoleKeyRow.created_by == created_by)
    expires_at = col(RoleKeyRow.expires_at)
    if expired is not None:
        found = found.where(expires_at <= now if expired else or_(expires_at.is_(None), expires_at > now))
    return list(session.exec(found.order_by(RoleKeyRow.access).limit(limit)))


def list_all(
    session: Session, *, after: str, limit: int, within: Iterable[Permission], now: int
) -> list[tuple[RoleKeyRow, Principal, bool]]:
    """Those in force at `now`, by access id from behind `after` on; each with whose it is, and whether it is
    an API token.

    within: permissions of which one must name the principal: a role by its name alone, a user as `user:NAME`.
    """
    within = list(within)
    is_named = or_(
        names.named_within(Principal.name, "role:", within), names.named_within(Principal.name, "", within)
    )
    found = (
        select(RoleKeyRow, Principal, ApiTokenRow.access)
        .join(Principal, col(Principal.id) == RoleKeyRow.principal_id)
        .outerjoin(ApiTokenRow, col(ApiTokenRow.access) == RoleKeyRow.access)
        .where(
            RoleKeyRow.access > after,
            is_named,
            or_(col(RoleKeyRow.expires_at).is_(None), col(RoleKeyRow.expires_at) > now),
        )
        .order_by(RoleKeyRow.access)
        .limit(limit)
    )
    return [(row, owner, token is not None) for row, owner, token in session.exec(found)]


def load(session: Session, access: str) -> LoadedKey | None:
    """The role key, if it exists and its principal is not disabled: a few indexed reads."""
    found = session.exec(
        select(RoleKeyRow, Principal).join(Principal).where(RoleKeyRow.access == access)
    ).first()
    if found is None:
        return None
    row, principal = found
    account = session.get(UserAccount, principal.id)
    if account is not None and account.disabled_at is not None:
        return None
    held, token = rights.held(session, principal), session.get(ApiTokenRow, access)
    return LoadedKey(
        principal=principal,
        row=row,
        secrets=secrets.of(session, [access]),
        held=held,
        roles=rights.by_role(session, principal, held),
        audiences=() if token is None else tuple(token.audiences.split()),
    )


def held_by(session: Session, credential: str, now: int) -> Scope | None:
    """What a credential, by the name that the logs have for it, may do at `now`; None if it is no good."""
    row = session.get(RoleKeyRow, credential)
    if row is None:
        found = session.exec(
            select(Principal).where(Principal.name == credential, col(Principal.deleted_at).is_(None))
        ).first()
        account = None if found is None else session.get(UserAccount, found.id)
        is_disabled = account is not None and account.disabled_at is not None
        return None if found is None or is_disabled else rights.held(session, found)
    loaded = load(session, credential)
    if loaded is None or (row.expires_at or now + 1) <= now:
        return None
    return loaded.held if row.scope is None else Scope.parse(row.scope) & loaded.held


def renew(
    tx: Transaction, principal: Principal, presented: RoleKey, hash_key: HashKeyInForce, *, grace: int
) -> RoleKeyRow:
    """Gives the role key a new secret. The old one ends now, with its tokens, or after `grace` seconds.

    Without grace every older secret ends. What was got with it on behalf of users ends now as well if it
    could outlive the old secret: whoever has either secret asks again. Raises NoSuchKey.
    """
    row = get(tx.session, principal, presented.access)
    old = secrets.forget_ended(tx, secrets.of(tx.session, [row.access]))
    if grace:
        secrets.end_at(tx, old, min(tx.now + grace, row.expires_at or tx.now + grace))
    else:
        secrets.drop(tx, old)
    secrets.add(tx, row, presented, hash_key)
    if grace < status_indices.MAX_TOKEN_SECONDS:
        apps.end_tokens_on_behalf(tx, apps.of_role(tx.session, principal))
    tx.changed("principal", principal.name)
    tx.audit("role-key:renew", principal.name, access=row.access, grace_seconds=grace)
    return row


def delete_key(tx: Transaction, principal: Principal, access: str) -> list[str]:
    """Deletes it for good, with its tokens; returns what was made with it. Raises NoSuchKey."""
    row = get(tx.session, principal, access)
    _delete_rows(tx, [row])
    apps.end_tokens_on_behalf(tx, apps.of_role(tx.session, principal))
    tx.changed("principal", principal.name)
    made = _made_by(tx.session, [access])
    tx.audit("role-key:delete", principal.name, access=access, made=made)
    return made


def delete_all_of(tx: Transaction, principal: Principal) -> tuple[list[str], list[str]]:
    """Deletes every role key of the principal; returns their access ids, and those of what they made.

    The caller writes the logs.
    """
    rows = list(tx.session.exec(select(RoleKeyRow).where(RoleKeyRow.principal_id == principal.id)))
    deleted = [row.access for row in rows]
    _delete_rows(tx, rows)
    return deleted, _made_by(tx.session, deleted)


def end_tokens_of(tx: Transaction, principal: Principal) -> None:
    """Ends every token of the principal's role keys; the keys go on with fresh indices."""
    accesses = tx.session.exec(select(RoleKeyRow.access).where(RoleKeyRow.principal_id == principal.id))
    secrets.end_tokens(tx, secrets.of(tx.session, accesses))


def end_tokens_at(tx: Transaction, access: str, index: int) -> None:
    """Ends the tokens of one secret of a role key, which goes on with a fresh index, if it is still there."""
    found = [secret for secret in secrets.of(tx.session, [access]) if secret.status_index == index]
    if not found:
        return
    secrets.end_tokens(tx, found)
    row, principal = tx.session.exec(
        select(RoleKeyRow, Principal).join(Principal).where(RoleKeyRow.access == access)
    ).one()
    tx.changed("principal", principal.name)
    tx.audit("token:revoke", principal.name, access=row.access, index=index)


def note_exchanges(session: Session, times: Mapping[str, int]) -> None:
    """Keeps when role keys were last exchanged: in batches, outside the logs."""
    for access, at in sorted(times.items()):
        session.execute(
            update(RoleKeyRow).where(col(RoleKeyRow.access) == access).values(last_exchanged_at=at)
        )


def _made_by(session: Session, accesses: list[str]) -> list[str]:
    """What lives on although it was made with one of those: role keys, trust policies, apps, jobs."""
    keys = select(RoleKeyRow.access).where(col(RoleKeyRow.created_by).in_(accesses))
    trusted = select(TrustPolicyRow.id).where(col(TrustPolicyRow.created_by).in_(accesses))
    registered = select(AppRow.client_id).where(col(AppRow.created_by).in_(accesses))
    begun = select(JobRow.id).where(col(JobRow.created_by).in_(accesses), col(JobRow.is_ended).is_(False))
    return [each for found in (keys, trusted, registered, begun) for each in session.exec(found)]


def _delete_rows(tx: Transaction, rows: list[RoleKeyRow]) -> None:
    accesses = [row.access for row in rows]
    secrets.drop(tx, secrets.of(tx.session, accesses))
    for table in (ApiTokenRow, ExchangeCount, RoleKeyRow):
        tx.session.execute(delete(table).where(col(table.access).in_(accesses)))
