"""The role keys that this process knows, in memory: who presents one is recognised without the database.

A role key that is not known yet is one indexed read, beside the event loop. What others change arrives by
principal and drops what is known of it.
"""

from __future__ import annotations

import hmac
import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio

from issuer.exchanges import Exchanges
from issuer.mint import Grant
from issuer.store import role_keys, signing_keys
from issuer.store.database import Database, StoreUnavailable
from issuer.store.role_keys import LoadedKey
from issuer.store.secrets import HashKeyInForce
from issuer.store.tables import Secret
from keys import KeyEncryptionKey, MalformedRoleKey, RoleKey
from verifier import InvalidPermission, Scope

# What an unknown access id is compared with, so that it costs the same work as a wrong secret.
_NOBODY = (hmac.new(os.urandom(32), digestmod="sha256"), os.urandom(32))
_PARALLEL_READS = 4
_READ_SECONDS = 0.9
"""A database that falls silent says no word about it; whoever exchanges is to be told all the same."""


def _nobody() -> bool:
    return False


class InvalidCredential(Exception):
    """The credential opens nothing. One text for every reason: outside they look the same."""

    def __init__(
        self,
        text: str = "the role key is not valid: it is unknown, mistyped or cut off, or it has expired, "
        "was renewed or was deleted, or whoever it is of is disabled",
    ) -> None:
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class KnownSecret:
    """A secret in force: its hash, what it was hashed with, and what it opens."""

    hash: bytes = field(repr=False)
    mac: hmac.HMAC = field(repr=False)
    """Begun with what the secret was hashed with: a copy costs a fraction of a new one."""
    grant: Grant


class Credentials:
    """The table of known credentials. Used from the event loop only."""

    def __init__(self, database: Database, kek: KeyEncryptionKey) -> None:
        self._database = database
        self._kek = kek
        self._hash_keys: dict[int, bytes] = {}
        self._macs: dict[int, hmac.HMAC] = {}
        self._known: dict[str, tuple[KnownSecret, ...]] = {}
        self._by_principal: defaultdict[str, set[str]] = defaultdict(set)
        self._forgotten = 0
        self._slots = anyio.Semaphore(_PARALLEL_READS)
        self._suspects_slots = anyio.Semaphore(1)
        self._threads = anyio.CapacityLimiter(_PARALLEL_READS + 1)
        self.exchanges = Exchanges()

    def load_hash_keys(self) -> None:
        """Raises StoreUnavailable, keys.SealBroken."""
        with self._database.read() as session:
            self._hash_keys = signing_keys.open_hash_keys(session, self._kek)
        self._macs = {version: hmac.new(key, digestmod="sha256") for version, key in self._hash_keys.items()}

    @property
    def hash_key(self) -> HashKeyInForce:
        """What new secrets are hashed with."""
        version = max(self._hash_keys)
        return HashKeyInForce(version, self._hash_keys[version])

    def forget(self, principal: str) -> None:
        """Something about this principal has changed: it is read again when it comes next."""
        self._forgotten += 1
        for access in self._by_principal.pop(principal, ()):
            self._known.pop(access, None)

    def forget_all(self) -> None:
        self._forgotten += 1
        self._known.clear()
        self._by_principal.clear()

    async def prove(self, text: str, now: float, *, is_suspect: Callable[[], bool] = _nobody) -> Grant:
        """What `text` (`access:secret`) opens. Raises InvalidCredential, StoreUnavailable.

        is_suspect: whether it comes from where many wrong ones came from. These wait for one another, and for
        nobody else, where the database is to be asked.
        """
        for secret in self._known.get(text.partition(":")[0]) or await self._look_up(text, is_suspect):
            if _is_hash(text.encode(), secret.mac, secret.hash):
                if secret.grant.ends_at is not None and now >= secret.grant.ends_at:
                    break
                return secret.grant
        raise InvalidCredential

    async def audiences_of(self, access: str) -> tuple[str, ...]:
        """Which services a role key is for; () for all, and for one that is gone. Raises StoreUnavailable."""
        secrets = self._known.get(access) or await self._read(access, self._slots)
        return secrets[0].grant.audiences if secrets else ()

    async def _look_up(self, text: str, is_suspect: Callable[[], bool]) -> tuple[KnownSecret, ...]:
        """What is not known here: the checksum stops guesses before they reach the database."""
        try:
            access = RoleKey.parse(text).access
            secrets = await self._read(access, self._suspects_slots if is_suspect() else self._slots)
        except MalformedRoleKey:
            secrets = ()
        if not secrets:
            _is_hash(text.encode(), *_NOBODY)
        return secrets

    async def _read(self, access: str, slots: anyio.Semaphore) -> tuple[KnownSecret, ...]:
        """Reads again if something was forgotten meanwhile: what was read may be what has just changed."""
        while True:
            before = self._forgotten
            async with slots:
                # The slot is waited for first: a crowd is no reason to turn anybody away.
                try:
                    with anyio.fail_after(_READ_SECONDS):
                        loaded = await anyio.to_thread.run_sync(
                            self._read_row, access, limiter=self._threads, abandon_on_cancel=True
                        )
                except TimeoutError as error:
                    raise StoreUnavailable("the database does not answer in time") from error
            if loaded is None:
                return ()
            if before == self._forgotten:
                break
        secrets = self._secrets(loaded)
        self._known[access] = secrets
        self._by_principal[loaded.principal.name].add(access)
        return secrets

    def _read_row(self, access: str) -> LoadedKey | None:
        with self._database.read() as session:
            loaded = role_keys.load(session, access)
            session.expunge_all()
            return loaded

    def _secrets(self, loaded: LoadedKey) -> tuple[KnownSecret, ...]:
        rights = _rights(loaded)
        return tuple(
            KnownSecret(secret.hash, self._macs[secret.hash_key_version], _grant(loaded, secret, rights))
            for secret in loaded.secrets
        )


def grant_of(loaded: LoadedKey, secret: Secret) -> Grant:
    """What one secret of a role key opens."""
    return _grant(loaded, secret, _rights(loaded))


def _rights(loaded: LoadedKey) -> Scope:
    row = loaded.row
    try:
        return loaded.held if row.scope is None else Scope.parse(row.scope) & loaded.held
    except InvalidPermission:
        # Policies that came later overlap with the narrowing in more ways than a token can hold.
        return Scope()


def _grant(loaded: LoadedKey, secret: Secret, rights: Scope) -> Grant:
    row = loaded.row
    return Grant(
        subject=loaded.principal.name,
        client_id=row.access,
        rights=rights,
        roles=loaded.roles,
        status_index=secret.status_index,
        ends_at=min((at for at in (secret.ends_at, row.expires_at) if at is not None), default=None),
        audiences=loaded.audiences,
        is_narrowed=row.scope is not None,
    )


def _is_hash(text: bytes, begun: hmac.HMAC, expected: bytes) -> bool:
    mac = begun.copy()
    mac.update(text)
    return hmac.compare_digest(mac.digest(), expected)
