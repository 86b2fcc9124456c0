"""The trust policies that this process knows, in memory, by role. What others change drops what is known of a
role.
"""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from issuer.mint import Grant
from issuer.outside.policy import TrustPolicy
from issuer.store import trust_policies
from issuer.store.database import Database

_PARALLEL_READS = 4


@dataclass(frozen=True, slots=True)
class KnownPolicy:
    """One, and what tokens are issued from by it."""

    clauses: TrustPolicy
    grant: Grant
    """Until when is the outside token's matter."""


class KnownPolicies:
    """Used from the event loop only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[KnownPolicy, ...]] = {}
        self._forgotten = 0
        self._threads = anyio.CapacityLimiter(_PARALLEL_READS)

    async def of_role(self, principal: str) -> tuple[KnownPolicy, ...]:
        """In the order in which they were made; none of a role that is not there. Raises StoreUnavailable."""
        known = self._known.get(principal)
        while known is None:
            # Read again if something was forgotten meanwhile: what was read may be what has just changed.
            before = self._forgotten
            read = await anyio.to_thread.run_sync(self._read, principal, limiter=self._threads)
            if before == self._forgotten:
                known = read
        if known:  # names that nobody has would fill the memory
            self._known[principal] = known
        return known

    def forget(self, principal: str) -> None:
        """Something about this principal has changed."""
        self._forgotten += 1
        self._known.pop(principal, None)

    def forget_all(self) -> None:
        self._forgotten += 1
        self._known.clear()

    def _read(self, principal: str) -> tuple[KnownPolicy, ...]:
        with self._database.read() as session:
            loaded = trust_policies.load(session, principal)
            if loaded is None:
                return ()
            name = principal.partition(":")[2]
            return tuple(
                KnownPolicy(
                    TrustPolicy.parse(row.clauses),
                    Grant(
                        subject=principal,
                        client_id=row.id,
                        rights=loaded.held,
                        roles={name: loaded.held},
                        status_index=row.status_index,
                        ends_at=None,
                    ),
                )
                for row in loaded.rows
            )
