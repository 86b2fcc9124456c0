"""Publishing the status list: a version is signed once, stored, and served the same by every process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from issuer.obstacle import Obstacle
from issuer.settings import Settings
from issuer.signing import SigningKeys
from issuer.store import signing_keys, status_indices
from issuer.store.database import Database
from keys import SigningKey
from verifier import jws, strict_json
from verifier.status_list import MAX_DOCUMENT_CHARACTERS, TYP, StatusList

MAX_WAITING = 10_000
"""How many verifiers may wait in one process for the next version; further ones poll."""


class OtherIssuer(Obstacle):
    """The database is another issuer's."""


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A signed version, as it is served."""

    version: int
    document: bytes
    signed_at: int

    @property
    def etag(self) -> str:
        return f'"{self.version}"'


class StatusPublisher:
    """Holds the newest signed version, and those who wait for the next."""

    def __init__(self, database: Database, signing: SigningKeys, settings: Settings) -> None:
        self._database = database
        self._signing = signing
        self._issuer = settings.issuer_url
        self._ttl = settings.status_ttl
        self._lifetime = settings.status_exp
        self.uri = f"{settings.issuer_url}/status/{status_indices.LIST_ID}"
        self.published = PublishedList(0, b"", 0)
        self._waiting = 0
        self._next = asyncio.Event()

    def check_issuer(self) -> bool:
        """Whether a list was ever signed. Raises OtherIssuer.

        One database is one issuer, whose name is in everything that it ever signed.
        """
        with self._database.read() as session:
            document = status_indices.current_version(session).document
        if not document:
            return False
        other = strict_json.parse_object(jws.parse(document, MAX_DOCUMENT_CHARACTERS).payload).get("iss")
        if other != self._issuer:
            raise OtherIssuer(
                f"this database is the issuer {other}'s, not {self._issuer}'s",
                f"set HOURMARKD_ISSUER={other}, "
                "or give this issuer a database of its own with HOURMARKD_DATA_DIR or HOURMARKD_DATABASE_URL",
            )
        return True

    def adopt(self, published: PublishedList) -> None:
        """Serves a version from now on, unless it is older than the one that is served; wakes who waits."""
        if published.version > self.published.version:
            self.published = published
            woken, self._next = self._next, asyncio.Event()
            woken.set()

    def release(self) -> None:
        """Lets everybody go who waits, so that the process can end."""
        self._next.set()

    async def wait_for_newer(self, version: int, seconds: float) -> bool:
        """Waits until a version behind `version` is published, for at most `seconds`.

        Returns whether it waited: it does not when there is one, or when too many wait.
        """
        if self.published.version > version or self._waiting >= MAX_WAITING:
            return False
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await self._next.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1
        return True

    def read(self, now: int) -> PublishedList:
        """The newest version from the database, signed now if nobody has yet. Raises StoreUnavailable."""
        with self._database.read() as session:
            row = status_indices.current_version(session)
            if row.signed_version == row.version:
                return PublishedList(row.version, row.document.encode(), row.signed_at)
            version, invalid = row.version, status_indices.set_indices(session)
        signer = self._signing.current
        document = self._sign(signer, version, invalid, now)
        with self._database.write(actor="hourmarkd", now=now) as tx:
            if not signing_keys.is_revoked(tx.session, signer.kid):
                status_indices.store_signed(tx, version, document)
                row = status_indices.current_version(tx.session)
                return PublishedList(row.signed_version, row.document.encode(), row.signed_at)
        # Revoked a moment ago, which this process has not heard of yet: no verifier would read that list.
        self._signing.load(now)
        return self.read(now)

    def has_reached_half_life(self, now: int) -> bool:
        """Whether an unchanged list is to be signed again."""
        return now >= self.published.signed_at + self._lifetime // 2

    def advance(self, now: int) -> bool:
        """Sets and clears the indices whose time has come; says whether there were any."""
        with self._database.read() as session:
            if not status_indices.is_due(session, now):
                return False
        with self._database.write(actor="hourmarkd", now=now) as tx:
            status_indices.advance(tx, list_lifetime=self._lifetime)
        return True

    def raise_version(self, now: int, above: int) -> None:
        """Asks for a new version, unless there is one above `above` already."""
        with self._database.write(actor="hourmarkd", now=now) as tx:
            if status_indices.current_version(tx.session).version <= above:
                status_indices.raise_version(tx)

    def _sign(self, signer: SigningKey, version: int, invalid: list[int], now: int) -> str:
        content = StatusList.of(
            self.uri, invalid, version=version, now=now, ttl=self._ttl, lifetime=self._lifetime
        )
        return signer.sign(content.to_payload(self._issuer), TYP)
