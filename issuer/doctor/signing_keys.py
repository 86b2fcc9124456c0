"""The signing keys: whether they can be opened, and whether one follows the other in time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from issuer import rfc3339
from issuer.doctor.finding import Finding, failure, of_obstacle, ok, warning
from issuer.obstacle import Obstacle
from issuer.rotation import policy_of, rings_of
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


def check_rings(settings: Settings, database: Database, now: int) -> Iterator[Finding]:
    with database.read() as session:
        rings = rings_of(session, settings)
    for name, keys in rings.items():
        yield succession(name, keys, now, policy_of(settings, name))


def succession(name: str, keys: Iterable[RingKey], now: int, policy: Policy) -> Finding:
    """Whether a key of the ring signs, another one waits, and neither is late."""
    about = _RING if name == signing_keys.TOKENS else f"{name} {_RING}"
    keys = list(keys)
    phases = ring.phases(keys, now, policy)
    current = next((key for key in keys if phases[key.kid] is Phase.CURRENT), None)
    waiting = [key for key in keys if phases[key.kid] is Phase.NEXT]
    if current is None:
        return failure(about, "there is no key that signs", _SERVE)
    if waiting:
        signs_from = rfc3339.write(min(key.signs_from for key in waiting))
        return ok(about, f"{current.kid} signs, {waiting[0].kid} follows at {signs_from}")
    planned = current.signs_from + policy.sign_for
    if now > planned:
        said = f"{current.kid} should have been replaced at {rfc3339.write(planned)}, and no key waits"
        return failure(about, said, _SERVE)
    return warning(about, f"{current.kid} signs, and no key waits to follow it", _SERVE)
