"""All that a principal's tokens are issued from, ended together: whatever narrows a principal comes here."""

from __future__ import annotations

from dataclasses import dataclass

from issuer.store import apps, jobs, role_keys, trust_policies, user_grants, visits
from issuer.store.database import Transaction
from issuer.store.tables import Principal


@dataclass(frozen=True, slots=True)
class Deleted:
    """What went with a principal."""

    keys: list[str]
    """The access ids of its role keys."""
    made: list[str]
    """The role keys and trust policies that were made with these; they live on."""
    apps: list[str]
    """The names of the apps that it owned."""


def end_tokens_of(tx: Transaction, principal: Principal) -> None:
    """Ends every token that was issued for it, or by it on behalf of users.

    Role keys, sign-ins, consents, jobs and trust policies go on.
    """
    role_keys.end_tokens_of(tx, principal)
    user_grants.end_tokens(tx, user_grants.of_user(tx.session, principal))
    _end_tokens_as_app(tx, principal)
    jobs.end_tokens(tx, jobs.of_role(tx.session, principal))
    trust_policies.end_tokens_of(tx, principal)


def end_sign_ins_of(tx: Transaction, user: Principal, *, keep: int | None = None) -> None:
    """Signs the user out everywhere, at apps too; role keys and consents go on.

    keep: a session that goes on too, with what it opened.
    """
    visited = visits.of_principal(tx.session, user)
    visits.end(tx, [row for row in visited if keep is None or row.session_id != keep])
    rows = [row for row in user_grants.of_user(tx.session, user) if row.id != keep]
    user_grants.end(tx, [row for row in rows if row.kind != user_grants.CONSENT])
    user_grants.end_tokens(tx, [row for row in rows if row.kind == user_grants.CONSENT])


def delete_all_of(tx: Transaction, principal: Principal) -> Deleted:
    """Ends everything for good, with the apps that it owns. The caller writes the logs."""
    user_grants.end(tx, user_grants.of_user(tx.session, principal))
    _end_tokens_as_app(tx, principal)
    jobs.end(tx, jobs.of_role(tx.session, principal))
    trust_policies.delete_all_of(tx, principal)
    owned = apps.of_owner(tx.session, principal)
    for row in owned:
        apps.delete_app(tx, row)
    keys, made = role_keys.delete_all_of(tx, principal)
    return Deleted(keys, made, [row.name for row in owned])


def _end_tokens_as_app(tx: Transaction, role: Principal) -> None:
    rows = apps.of_role(tx.session, role)
    apps.end_own_tokens(tx, rows)
    apps.end_tokens_on_behalf(tx, rows)
