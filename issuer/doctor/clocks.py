"""Whether two clocks agree: tokens and lists from the future are refused."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime

import httpx
from sqlalchemy import text

from issuer.doctor.finding import Finding, failure, ok, warning
from issuer.store.database import Database
from verifier.trust import MAX_SKEW

_NOTABLE = 5.0
"""Seconds. A `Date` header has whole ones, and an answer takes its time."""
_MEND = "synchronise both clocks (NTP), as `timedatectl` or `chronyc tracking` show it"


def check_database(database: Database, clock: Callable[[], float]) -> Finding:
    with database.read() as session:
        there = (
            session.connection().execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
        )
    return agree("clock", "the database's", float(there) - clock())


def of_answer(answer: httpx.Response) -> float | None:
    """Unix seconds by the `Date` of an answer, if it has one."""
    try:
        return parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None


def agree(check: str, whose: str, ahead: float) -> Finding:
    """ahead: seconds by which the other clock is ahead of this host's."""
    if abs(ahead) <= _NOTABLE:
        return ok(check, f"it agrees with {whose}")
    said = f"{whose} clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this host's"
    return failure(check, said, _MEND) if abs(ahead) > MAX_SKEW else warning(check, said, _MEND)
