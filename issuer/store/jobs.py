"""Jobs: programs that run as a role, each with a ticket, until they end or reach their limit.

A job owns a status index. Whatever ends it, or narrows its role, takes its index from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, select
from sqlmodel.sql.expression import Select

from issuer.store import apps, rights, status_indices
from issuer.store.database import Transaction
from issuer.store.refusals import Conflict, NotFound
from issuer.store.tables import JobRow, Principal
from verifier import Scope

KEPT_SECONDS = 30 * 86400
"""How long a job that has ended can be looked at."""


@dataclass(frozen=True, slots=True)
class LoadedJob:
    """All that a token of a job needs to know."""

    row: JobRow
    role: Principal
    held: Scope
    """What the role may do at this moment."""


def create(
    tx: Transaction,
    role: Principal,
    job_id: str,
    *,
    name: str,
    labels: Mapping[str, str],
    ticket_hash: bytes,
    ends_at: int,
) -> JobRow:
    """Raises StatusListFull."""
    row = JobRow(
        id=job_id,
        principal_id=role.id,
        name=name,
        labels=_written(labels),
        ticket_hash=ticket_hash,
        status_index=_allocate(tx, job_id, ends_at),
        created_at=tx.now,
        created_by=tx.actor,
        ends_at=ends_at,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.audit("job:create", role.name, job=job_id, name=name, ends_at=ends_at)
    return row


def get(session: Session, job_id: str) -> tuple[JobRow, Principal]:
    """With its role. Raises NotFound."""
    found = session.exec(_with_role().where(JobRow.id == job_id)).first()
    if found is None:
        raise NotFound(f"there is no job {job_id}")
    return found


def page(session: Session, *, after: str, limit: int) -> list[tuple[JobRow, Principal]]:
    """By id, from behind `after` on."""
    return list(session.exec(_with_role().where(JobRow.id > after).order_by(JobRow.id).limit(limit)))


def load(session: Session, ticket_hash: bytes) -> LoadedJob | None:
    """The job whose ticket has this hash. It may have ended."""
    found = session.exec(_with_role().where(JobRow.ticket_hash == ticket_hash)).first()
    return None if found is None else LoadedJob(*found, rights.held(session, found[1]))


def set_labels(tx: Transaction, row: JobRow, labels: Mapping[str, str]) -> None:
    """Its tokens from before, which carry the old ones, end. Raises Conflict if the job has ended."""
    if row.ends_at <= tx.now:
        raise Conflict(f"the job {row.id} has ended")
    if labels_of(row) != labels:
        row.labels = _written(labels)
        tx.session.add(row)
        end_tokens(tx, [row])
        tx.audit("job:label", row.id, labels=dict(labels))


def end(tx: Transaction, rows: Iterable[JobRow]) -> None:
    """They end now, with their tokens, and those with which they acted for users as the app of their role.

    Those that have ended stay as they are.
    """
    running = [row for row in rows if row.ends_at > tx.now]
    for row in running:
        status_indices.revoke(tx, [(row.status_index, _owner(row.id))])
        row.ends_at, row.is_ended = tx.now, True
        tx.session.add(row)
        tx.audit("job:end", row.id)
    for role_id in {row.principal_id for row in running}:
        apps.end_tokens_on_behalf(tx, apps.of_role(tx.session, tx.session.get_one(Principal, role_id)))


def end_tokens(tx: Transaction, rows: Iterable[JobRow]) -> None:
    """Their tokens end; those that run go on with fresh indices. Raises StatusListFull."""
    for row in rows:
        if row.ends_at > tx.now:
            status_indices.revoke(tx, [(row.status_index, _owner(row.id))])
            row.status_index = _allocate(tx, row.id, row.ends_at)
            tx.session.add(row)


def revoke_tokens(tx: Transaction, job_id: str) -> None:
    """Those that the job got so far end; it goes on. Raises NotFound, StatusListFull."""
    row, role = get(tx.session, job_id)
    end_tokens(tx, [row])
    tx.audit("token:revoke", role.name, job=row.id)


def has_old(session: Session, now: int) -> bool:
    """Whether the function below would find one."""
    return session.exec(select(JobRow.id).where(_is_old(now)).limit(1)).first() is not None


def forget_old(tx: Transaction) -> None:
    """Those that ended long ago. What they did stays in the audit."""
    tx.session.execute(delete(JobRow).where(_is_old(tx.now)))


def _is_old(now: int) -> ColumnElement[bool]:
    return col(JobRow.ends_at) <= now - KEPT_SECONDS


def of_role(session: Session, role: Principal) -> list[JobRow]:
    return list(session.exec(select(JobRow).where(JobRow.principal_id == role.id)))


def labels_of(row: JobRow) -> dict[str, str]:
    labels: dict[str, str] = json.loads(row.labels)
    return labels


def _with_role() -> Select[JobRow, Principal]:
    return select(JobRow, Principal).join(Principal, col(Principal.id) == JobRow.principal_id)


def _written(labels: Mapping[str, str]) -> str:
    return json.dumps(dict(sorted(labels.items())))


def _allocate(tx: Transaction, job_id: str, ends_at: int) -> int:
    index = status_indices.allocate(tx, _owner(job_id))
    status_indices.expire(tx, index, _owner(job_id), ends_at)
    return index


def _owner(job_id: str) -> str:
    return f"job:{job_id}"
