"""What has to be done from time to time, by whichever process comes first. Nothing waits for it."""

from __future__ import annotations

import asyncio
import time

import anyio
import structlog
from sqlmodel import Session

from issuer.service import Service
from issuer.store import (
    authorization_codes,
    changes,
    client_assertions,
    device_codes,
    exchange_counts,
    invitations,
    jobs,
    role_keys,
    user_grants,
    visits,
)
from issuer.store.database import StoreUnavailable

PERIOD = 1.0
_SLOW_PERIOD = 30.0

logger = structlog.get_logger()


async def keep_house(service: Service) -> None:
    """Runs for ever: keys move to their phases each second, the rest follows at leisure."""
    slow_at = time.monotonic() + _SLOW_PERIOD
    while True:
        await asyncio.sleep(PERIOD)
        now = int(time.time())
        try:
            await keep_up(service, now)
            if time.monotonic() >= slow_at:
                slow_at = time.monotonic() + _SLOW_PERIOD
                await tidy(service, now)
        except Exception as error:  # noqa: BLE001 - the house must be kept tomorrow too
            reason = str(error) if isinstance(error, StoreUnavailable) else repr(error)
            logger.warning("housekeeping_postponed", reason=reason)


async def keep_up(service: Service, now: int) -> None:
    """Keys and list are those of `now`."""
    before = service.signing.published
    service.signing.tick(now)
    if service.signing.published is not before:
        service.api_verifier.trust.update_keys(service.signing.published.document, now=now)
    if service.signing.successor_is_due(now):
        await anyio.to_thread.run_sync(service.signing.make_successor, now)
        await service.coherence.catch_up()
    if await anyio.to_thread.run_sync(service.status.advance, now):
        await service.coherence.catch_up()
    if service.status.has_reached_half_life(now):
        await anyio.to_thread.run_sync(service.status.raise_version, now, service.status.published.version)
        await service.coherence.catch_up()


async def tidy(service: Service, now: int) -> None:
    """Writes down what only this process knows, and deletes what has expired, if there is anything."""
    exchanges = service.credentials.exchanges
    noted = exchanges.noted()

    def write() -> None:
        with service.database.write(actor="hourmarkd", now=now) as tx:
            role_keys.note_exchanges(tx.session, noted.last)
            exchange_counts.add(tx.session, noted.counts)
            exchange_counts.forget_old(tx.session, now)
            user_grants.forget_expired(tx)
            visits.forget_expired(tx)
            invitations.forget_expired(tx)
            authorization_codes.forget_old(tx)
            device_codes.forget_old(tx)
            client_assertions.forget_expired(tx)
            jobs.forget_old(tx)
            changes.prune(tx)

    def has_old(session: Session) -> bool:
        return (
            exchange_counts.has_old(session, now)
            or user_grants.has_expired(session, now)
            or visits.has_expired(session, now)
            or invitations.has_expired(session, now)
            or device_codes.has_old(session, now)
            or client_assertions.has_expired(session, now)
            or jobs.has_old(session, now)
        )

    is_due = bool(noted) or await service.read(has_old)
    if is_due:
        await anyio.to_thread.run_sync(write)
        exchanges.forget(noted)
