"""What became of an API token: how often it was exchanged in the last hours, and who changed it."""

from __future__ import annotations

import time

from sqlmodel import Session

from issuer import clients, rfc3339
from issuer.api.operation import Answer, Call, Operation
from issuer.api.tokens import known
from issuer.exchanges import HOUR
from issuer.store import audit, exchange_counts, secrets
from issuer.store.tables import AuditRow

_MOST = 50


class HourOfExchanges(Answer):
    began_at: rfc3339.Written
    exchanges: int


class ChangeOfApiToken(Answer):
    at: rfc3339.Written
    actor: str
    client_name: str | None
    """The app that did it for them; None if they acted for themselves."""
    action: str


class ApiTokenActivity(Answer):
    hours: list[HourOfExchanges]
    """The last 48, the present one at the end; written down every half minute."""
    changes: list[ChangeOfApiToken]
    """The newest first, 50 at most."""
    old_secret_ends_at: rfc3339.Written | None
    """Until then the one from before it was renewed is good too, if it is still."""


async def get(call: Call) -> ApiTokenActivity:
    now = int(time.time())
    present = now - now % HOUR

    def work(session: Session) -> ApiTokenActivity:
        token = known(call, session, "list")
        counts = exchange_counts.of(session, token.key.access, now)
        kept = secrets.of(session, [token.key.access])
        hours = range(present - (exchange_counts.HOURS - 1) * HOUR, present + 1, HOUR)
        rows = audit.list_rows(
            session, before=None, limit=_MOST, target=token.owner.name, access=token.key.access
        )
        return ApiTokenActivity(
            hours=[
                HourOfExchanges(began_at=rfc3339.write(hour), exchanges=counts.get(hour, 0)) for hour in hours
            ],
            old_secret_ends_at=rfc3339.write_optional(
                max((each.ends_at for each in kept if each.ends_at and each.ends_at > now), default=None)
            ),
            changes=[_change(session, row) for row in rows],
        )

    return await call.read(work)


def _change(session: Session, row: AuditRow) -> ChangeOfApiToken:
    return ChangeOfApiToken(
        at=rfc3339.write(row.at),
        actor=row.actor,
        client_name=None if row.client_id is None else clients.name_of(session, row.client_id),
        action=row.action,
    )


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/tokens/{id}/activity",
        summary="What became of an API token",
        permission="role-key:list@PRINCIPAL-NAME",
        handler=get,
        answer=ApiTokenActivity,
        refusals=("not_found",),
    ),
)
