"""The signing keys: whether they can be opened, and whether one follows the other in time."""

from __future__ import annotations

from collections.abc import Iterable

from issuer import rfc3339
from issuer.doctor.finding import Finding, failure, of_obstacle, ok, warning
from issuer.obstacle import Obstacle
from issuer.rotation import policy_of
from issuer.settings import Settings
from issuer.setup import read_key_encryption_key
from issuer.store import signing_keys
from issuer.store.database import Database
from keys import KeyEncryptionKey, Phase, Policy, RingKey, SealBroken, ring

_SEALED, _RING = "sealed keys", "signing keys"
_SERVE = "run `hourmarkd serve`, which makes it"


def check_sealed(settings: Settings, database: Database) -> tuple[KeyEncryptionKey | None, Finding]:
    """The key-encryption key if it opens everything."""
    try:
        kek = read_key_encryption_key(settings)
    except Obstacle as error:
        return None, of_obstacle(_SEALED, error)
    try:
        with database.read() as session:
            opened = len(signing_keys.open_keys(session, kek)) + len(
                signing_keys.open_hash_keys(session, kek)
            )
    except SealBroken as error:
        mend = "name the key-encryption key of this database with HOURMARKD_KEY_ENCRYPTION_KEY_FILE"
        return None, failure(_SEALED, str(error), f"{mend}, or restore the row")
    return kek, ok(_SEALED, f"the key-encryption key opens all {opened} of them")


def check_ring(settings: Settings, database: Database, now: int) -> Finding:
    with database.read() as session:
        keys = signing_keys.ring(session)
    return succession(keys, now, policy_of(settings))


def succession(keys: Iterable[RingKey], now: int, policy: Policy) -> Finding:
    """Whether a key signs, another one waits, and neither is late."""
    keys = list(keys)
    phases = ring.phases(keys, now, policy)
    current = next((key for key in keys if phases[key.kid] is Phase.CURRENT), None)
    waiting = [key for key in keys if phases[key.kid] is Phase.NEXT]
    if current is None:
        return failure(_RING, "there is no key that signs", _SERVE)
    if waiting:
        signs_from = rfc3339.write(min(key.signs_from for key in waiting))
        return ok(_RING, f"{current.kid} signs, {waiting[0].kid} follows at {signs_from}")
    planned = current.signs_from + policy.sign_for
    if now > planned:
        said = f"{current.kid} should have been replaced at {rfc3339.write(planned)}, and no key waits"
        return failure(_RING, said, _SERVE)
    return warning(_RING, f"{current.kid} signs, and no key waits to follow it", _SERVE)
