"""Keys handed over early and keys revoked: what the ring is afterwards, and what is written about it."""

from __future__ import annotations

import json

import pytest
from sqlmodel import select

from issuer.rotation import JWKS_MAX_AGE, UnknownRing
from issuer.settings import Settings
from issuer.signing import NoSigningKey, SigningKeys
from issuer.store import apps, principals, signing_keys, status_indices
from issuer.store.apps import Registration
from issuer.store.database import Database
from issuer.store.signing_keys import TOKENS, UnknownSigningKey
from issuer.store.tables import AuditRow
from keys import Phase, SigningKey
from tests.issuer.store import databases
from tests.issuer.store.databases import KEK, NOW, count, version, write

database = databases.database
DAY = 86400
ACTOR = "hourmarkd keys (OS user ada)"
SETTINGS = Settings(signing_key_lifetime=30 * DAY)
NEXT, CURRENT, RETIRING, GONE = Phase.NEXT, Phase.CURRENT, Phase.RETIRING, Phase.GONE


@pytest.fixture
def signing(database: Database) -> SigningKeys:
    """As `init` leaves it: one key, which signs since NOW, and none that waits."""
    with write(database) as tx:
        signing_keys.add(tx, SigningKey.generate("ES256"), KEK, signs_from=NOW)
    process = SigningKeys(database, KEK, SETTINGS)
    process.load(NOW)
    return process


def phases(signing: SigningKeys, now: int) -> list[Phase]:
    """In the order in which the keys were made."""
    return [each.phase for each in signing.standings(now)]


def kid(signing: SigningKeys, now: int, wanted: Phase, ring: str = TOKENS) -> str:
    found: str
    (found,) = [row.row.kid for row in signing.standings(now) if (row.ring, row.phase) == (ring, wanted)]
    return found


def public(signing: SigningKeys) -> set[str]:
    return {jwk["kid"] for jwk in json.loads(signing.published.document)["keys"]}


def audited(database: Database, action: str) -> list[tuple[str, str]]:
    with database.read() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.action == action))
        return [(row.actor, row.target) for row in rows]


def test_a_key_is_handed_over_as_soon_as_its_successor_was_public_longer_than_anyone_caches(
    database: Database, signing: SigningKeys
) -> None:
    first = signing.current.kid
    planned = signing.hand_over(TOKENS, NOW + DAY, actor=ACTOR)
    assert NOW + DAY + 2 * JWKS_MAX_AGE < planned.signs_from < NOW + DAY + 3600
    signing.tick(planned.signs_from - 1)
    assert signing.current.kid == first
    signing.tick(planned.signs_from)
    assert signing.current.kid == planned.kid
    assert first in public(signing), "what it signed is verified for as long as it lives"
    assert audited(database, "signing-key:rotate") == [(ACTOR, planned.kid)]


def test_asked_again_it_stays_as_it_is(database: Database, signing: SigningKeys) -> None:
    planned = signing.hand_over(TOKENS, NOW + 1, actor=ACTOR)
    told = count(database, "change"), count(database, "audit")
    assert signing.hand_over(TOKENS, NOW + 100, actor=ACTOR) == planned
    assert (count(database, "change"), count(database, "audit")) == told


def test_what_was_public_for_long_signs_at_once_and_another_waits(signing: SigningKeys) -> None:
    signing.make_successor(NOW)
    waiting = kid(signing, NOW, NEXT)
    planned = signing.hand_over(TOKENS, NOW + DAY, actor=ACTOR)
    assert (planned.kid, planned.signs_from, signing.current.kid) == (waiting, NOW + DAY, waiting)
    assert phases(signing, NOW + DAY) == [RETIRING, CURRENT, NEXT]


def test_a_planned_time_that_is_earlier_is_kept(signing: SigningKeys) -> None:
    signing.make_successor(NOW)
    at = NOW + SETTINGS.signing_key_lifetime
    waiting = kid(signing, NOW, NEXT)
    assert signing.hand_over(TOKENS, at - 1, actor=ACTOR).signs_from == at - 1
    signing.load(at)
    assert signing.current.kid == waiting


def test_the_current_key_is_revoked_and_the_next_takes_over_at_once(
    database: Database, signing: SigningKeys
) -> None:
    signing.make_successor(NOW)
    stolen, waiting, lists = signing.current.kid, kid(signing, NOW, NEXT), version(database)
    done = signing.revoke(stolen, NOW + DAY, actor=ACTOR)
    assert (done.revoked_at, done.current, done.was_revoked_before) == (NOW + DAY, waiting, False)
    assert (signing.current.kid, public(signing)) == (waiting, {waiting, done.next})
    assert phases(signing, NOW + DAY) == [GONE, CURRENT, NEXT]
    assert version(database) == lists + 1, "verifiers learn it by a list that the successor signs"
    assert audited(database, "signing-key:revoke") == [(ACTOR, stolen)]
    assert {actor for actor, _ in audited(database, "signing-key:create")[-1:]} == {ACTOR}


def test_with_none_that_waits_two_are_made(signing: SigningKeys) -> None:
    stolen = signing.current.kid
    done = signing.revoke(stolen, NOW + 1, actor=ACTOR)
    assert stolen not in {done.current, done.next}
    assert phases(signing, NOW + 1) == [GONE, CURRENT, NEXT]


@pytest.mark.parametrize("phase", [NEXT, RETIRING])
def test_the_list_gets_another_signer_whichever_public_key_is_revoked(
    database: Database, signing: SigningKeys, phase: Phase
) -> None:
    """Else verifiers would trust the stolen key for as long as they cache the JWKS."""
    signing.make_successor(NOW)
    signing.hand_over(TOKENS, NOW + DAY, actor=ACTOR)
    now, signer, lists = NOW + DAY + 1, signing.current.kid, version(database)
    stolen = kid(signing, now, phase)
    done = signing.revoke(stolen, now, actor=ACTOR)
    assert done.current not in {signer, stolen}
    assert stolen not in public(signing)
    assert signer in public(signing), "what it signed stays good"
    assert version(database) == lists + 1
    assert sorted(phases(signing, now)).count(CURRENT) == phases(signing, now).count(NEXT) == 1


def test_a_key_that_is_gone_already_changes_nothing_for_verifiers(
    database: Database, signing: SigningKeys
) -> None:
    signing.make_successor(NOW)
    signing.hand_over(TOKENS, NOW + DAY, actor=ACTOR)
    now = NOW + 2 * DAY
    signing.load(now)
    signer, lists = signing.current.kid, version(database)
    done = signing.revoke(kid(signing, now, GONE), now, actor=ACTOR)
    assert (done.current, version(database)) == (signer, lists)


def test_revoking_again_changes_nothing(database: Database, signing: SigningKeys) -> None:
    stolen = signing.current.kid
    first = signing.revoke(stolen, NOW + 1, actor=ACTOR)
    before = count(database, "audit"), count(database, "change"), version(database)
    again = signing.revoke(stolen, NOW + 9, actor=ACTOR)
    assert (again.revoked_at, again.was_revoked_before) == (NOW + 1, True)
    assert (again.current, again.next) == (first.current, first.next)
    assert (count(database, "audit"), count(database, "change"), version(database)) == before


def test_every_key_revoked_one_after_the_other(signing: SigningKeys) -> None:
    revoked: set[str] = set()
    for second in range(1, 8):
        revoked.add(signing.current.kid)
        done = signing.revoke(signing.current.kid, NOW + second, actor=ACTOR)
        assert revoked.isdisjoint(public(signing))
        assert public(signing) == {done.current, done.next}


@pytest.fixture
def id_tokens(database: Database, signing: SigningKeys) -> str:
    """The algorithm that an app wants for its ID tokens."""
    with write(database) as tx:
        owner = principals.create(tx, "user:owner")
        wanted = Registration(
            description="",
            redirect_uris=(),
            post_logout_redirect_uris=(),
            host=None,
            scope="",
            authentication="none",
            secret_hash=None,
            jwks=None,
            id_token_algorithm="RS256",
        )
        apps.create(tx, "hma_1", "app", wanted, owner=owner, role=None)
        tx.session.flush()
        signing.complete(tx)
    signing.load(NOW)
    return "RS256"


def test_id_tokens_by_another_algorithm_have_their_own_ring(signing: SigningKeys, id_tokens: str) -> None:
    signer = signing.of_id_tokens(id_tokens)
    assert (signer.algorithm.name, signing.current.algorithm.name) == ("RS256", "ES256")
    assert signing.of_id_tokens(None) is signing.of_id_tokens("ES256") is signing.current
    with pytest.raises(NoSigningKey, match="EdDSA"):
        signing.of_id_tokens("EdDSA")
    assert not signing.successor_is_due(NOW)
    planned = signing.hand_over(id_tokens, NOW + 1, actor=ACTOR)
    assert kid(signing, NOW + 1, NEXT, ring=id_tokens) == planned.kid
    current = signing.current.kid
    signing.tick(planned.signs_from)
    assert (signing.of_id_tokens(id_tokens).kid, signing.current.kid) == (planned.kid, current)


def test_a_stolen_key_of_id_tokens_is_learnt_by_the_list_too(
    database: Database, signing: SigningKeys, id_tokens: str
) -> None:
    """It could have signed any other token: verifiers that cached it must ask again."""
    stolen, signer, lists = signing.of_id_tokens(id_tokens).kid, signing.current.kid, version(database)
    done = signing.revoke(stolen, NOW + DAY, actor=ACTOR)
    assert done.current == signing.of_id_tokens(id_tokens).kid != stolen
    assert (stolen in public(signing), signing.current.kid != signer) == (False, True)
    assert version(database) == lists + 1
    assert len(public(signing)) == 5, "two of each ring, and the signer before, whose tokens stay good"


def test_a_ring_that_there_is_not(signing: SigningKeys) -> None:
    with pytest.raises(UnknownRing, match="there are tokens"):
        signing.hand_over("RS256", NOW, actor=ACTOR)


def test_a_kid_that_nobody_has(database: Database, signing: SigningKeys) -> None:
    before = count(database, "audit")
    with pytest.raises(UnknownSigningKey, match="`hourmarkd keys list`"):
        signing.revoke("nobody", NOW, actor=ACTOR)
    assert count(database, "audit") == before
    with database.read() as session:
        assert status_indices.current_version(session).version == 1
