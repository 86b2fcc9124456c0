"""The parts of a running issuer, put together."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import anyio
import structlog
from anyio import CapacityLimiter
from sqlmodel import Session

from issuer.authentication.app import AppAuthentication
from issuer.authentication.callers import Callers
from issuer.authentication.role_key import RoleKeyAuthentication
from issuer.authentication.throttle import Throttle
from issuer.coherence import Coherence
from issuer.credentials import Credentials
from issuer.gateway.known import KnownDoor
from issuer.gateway.on_behalf import HandedTokens
from issuer.gateway.proxy import Proxies
from issuer.mint import Mint
from issuer.outside.address import Addresses
from issuer.outside.issuers import OutsideIssuers
from issuer.outside.known import KnownPolicies
from issuer.registry.signers import RegistrySigners
from issuer.settings import Settings
from issuer.signing import SigningKeys
from issuer.status import StatusPublisher
from issuer.store import changes, status_indices
from issuer.store.changes import ChangeFeed
from issuer.store.database import Database, StoreUnavailable, Transaction
from issuer.store.feeds import open_feed
from keys import KeyEncryptionKey
from verifier import Trust, Verifier

if TYPE_CHECKING:
    from issuer.signing_in.upstream_client import Upstream

T = TypeVar("T")
"""In the life of one (RFC 8628 section 5.1)."""
_READS = CapacityLimiter(4)
"""However many read, changes and what other processes changed find a thread."""
logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Service:
    """What the endpoints work with."""

    settings: Settings
    database: Database
    signing: SigningKeys
    status: StatusPublisher
    credentials: Credentials
    mint: Mint
    registry_signers: RegistrySigners
    role_keys: RoleKeyAuthentication
    apps: AppAuthentication
    upstreams: Mapping[str, Upstream]
    """Other OpenID providers that users sign in by."""
    trust_policies: KnownPolicies
    outside_issuers: OutsideIssuers
    callers: Callers
    throttle: Throttle
    """One for all wrong credentials of a source, whatever they are."""
    coherence: Coherence
    feed: ChangeFeed
    api_verifier: Verifier
    """Accepts tokens for the issuer's own API."""
    token_verifier: Verifier
    """Accepts every live token that was issued here."""
    proxies: Proxies
    """Those in front of apps."""
    door: KnownDoor
    """What is known of the apps that proxies ask about."""
    handed_tokens: HandedTokens
    """What these apps act for users with."""

    async def read(self, work: Callable[[Session], T], limiter: CapacityLimiter = _READS) -> T:
        """Looks at one snapshot, beside the event loop, in one of the threads of `limiter`."""

        def run() -> T:
            with self.database.read() as session:
                return work(session)

        return await anyio.to_thread.run_sync(run, limiter=limiter)

    async def write(self, actor: str, work: Callable[[Transaction], T], *, client_id: str | None = None) -> T:
        """Runs `work` in a writing transaction beside the event loop, and takes over what it changed.

        client_id: the app that acts for `actor`, if one does.
        """

        def run() -> T:
            with self.database.write(actor=actor, now=int(time.time()), client_id=client_id) as tx:
                return work(tx)

        done = await anyio.to_thread.run_sync(run)
        await self._take_over()
        return done

    async def change(
        self,
        actor: str,
        status_index: int,
        work: Callable[[Transaction], T],
        *,
        client_id: str | None = None,
    ) -> T:
        """Runs `work` on behalf of a credential, as above.

        status_index: the credential's. It may have ended since it was looked at, here or elsewhere; inside
        the transaction nothing ends it. Raises status_indices.Ended.
        """

        def run(tx: Transaction) -> T:
            status_indices.require_in_force(tx.session, status_index, tx.now)
            return work(tx)

        return await self.write(actor, run, client_id=client_id)

    async def once_more(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Runs `attempt`, which begins with looking at the credential; again if what was known of it was old.

        Another process may have changed it a moment ago without ending it. Raises status_indices.Ended.
        """
        try:
            return await attempt()
        except status_indices.Ended:
            await self.coherence.catch_up()
            return await attempt()

    async def _take_over(self) -> None:
        try:
            await self.coherence.catch_up()
        except StoreUnavailable:
            # It is committed; this process learns of it like any other.
            self.coherence.distrust()
            logger.warning("change_not_taken_over_yet")

    async def close(self) -> None:
        await self.outside_issuers.close()
        await self.feed.close()
        self.database.close()


async def open_service(settings: Settings, database: Database, kek: KeyEncryptionKey) -> Service:
    """Loads what an issuer keeps in memory. Raises StoreUnavailable, OtherIssuer, keys.SealBroken."""
    signing = SigningKeys(database, kek, settings)
    status = StatusPublisher(database, signing, settings)
    credentials, trusted = Credentials(database, kek), KnownPolicies(database)
    trust = Trust(settings.issuer_url)
    feed = open_feed(database)

    async def refresh_signing() -> None:
        await anyio.to_thread.run_sync(signing.load, int(time.time()))
        trust.update_keys(signing.published.document, now=time.time())

    async def refresh_status() -> None:
        published = await anyio.to_thread.run_sync(status.read, int(time.time()))
        status.adopt(published)
        # Another host's clock may be ahead: what is in the database is ours, whatever its time.
        now = max(time.time(), status.published.signed_at)
        trust.update_status_list(status.published.document, now=now)

    door = KnownDoor(database, Verifier(settings.issuer_url, settings.audiences, trust=trust), status.uri)

    def forget(principal: str | None) -> None:
        door.forget(principal)
        if principal is None:
            credentials.forget_all()
            trusted.forget_all()
        else:
            credentials.forget(principal)
            trusted.forget(principal)

    with database.read() as session:
        last = changes.last_number(session)
    credentials.load_hash_keys()
    await refresh_signing()
    await anyio.to_thread.run_sync(status.check_issuer)
    if signing.has_empty_ring:
        await anyio.to_thread.run_sync(signing.make_successor, int(time.time()))
    await anyio.to_thread.run_sync(status.advance, int(time.time()))
    await refresh_status()
    coherence = Coherence(
        feed,
        last,
        forget=forget,
        refresh={"signing_key": refresh_signing, "status_list": refresh_status},
        outage_allowance=settings.outage_allowance,
    )
    mint = Mint(signing, settings, status.uri)
    throttle = Throttle(settings.failures_per_minute)
    role_keys = RoleKeyAuthentication(credentials, throttle)
    return Service(
        settings=settings,
        database=database,
        signing=signing,
        status=status,
        credentials=credentials,
        mint=mint,
        registry_signers=RegistrySigners(signing, settings),
        role_keys=role_keys,
        apps=AppAuthentication(database, credentials, role_keys, throttle, settings),
        upstreams=_upstreams(settings),
        trust_policies=trusted,
        outside_issuers=OutsideIssuers(Addresses.within(settings.outside_private_networks)),
        callers=Callers(role_keys, coherence),
        throttle=throttle,
        coherence=coherence,
        feed=feed,
        api_verifier=Verifier(settings.issuer_url, settings.issuer_url, trust=trust),
        token_verifier=Verifier(settings.issuer_url, settings.accepted_audiences, trust=trust),
        proxies=Proxies(settings),
        door=door,
        handed_tokens=HandedTokens(door, mint, settings.accepted_audiences[0]),
    )


def _upstreams(settings: Settings) -> Mapping[str, Upstream]:
    if not settings.upstream_providers:
        return {}
    from issuer.signing_in.upstream_client import Upstream

    return {
        name: Upstream(name, provider, settings) for name, provider in settings.upstream_providers.items()
    }
