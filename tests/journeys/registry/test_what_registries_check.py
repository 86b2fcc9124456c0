"""What a real registry makes of our tokens, and of such as differ from them in one thing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson
import pytest

from issuer.registry import certificate_authority
from issuer.registry.access import ResourceActions
from issuer.registry.signers import RENEWED_AFTER, Signer
from issuer.signing import SigningKeys
from issuer.store.signing_keys import REGISTRY, REGISTRY_CA
from keys import SigningKey
from tests.browsers import inside
from tests.clients import claims
from tests.issuer.http.cases import case
from tests.issuer.http.world import OTHER_REGISTRY, World, bearer
from tests.issuer.http.world import REGISTRY as SERVICE
from tests.journeys.registry.conftest import BOTH_MODES
from tests.running_registry import DEBIANS, RunningRegistry

Claims = dict[str, Any]


pytestmark = BOTH_MODES


@contextmanager
def registry_keys(world: World) -> Iterator[SigningKeys]:
    """As the issuer has them."""
    with inside(world.issuer) as there:
        signing = SigningKeys(there.database, there.kek, there.settings)
        signing.load(int(time.time()))
        yield signing


@pytest.fixture(scope="session")
def signer(world: World, trust: str) -> Signer:
    """What could be the issuer's own."""
    now = int(time.time())
    with registry_keys(world) as signing:
        if trust == "x5c":
            return Signer.by_leaf(signing.of(REGISTRY_CA), now)
        return Signer.by_kid(signing.of(REGISTRY), now)


@pytest.fixture
def said(world: World) -> Claims:
    return claims(issued(world, world.issuer.admin_key))


def issued(world: World, password: str, *scopes: str, service: str = SERVICE) -> str:
    params = {"service": service, "scope": list(scopes)}
    answer = world.nobody.get("/v1/registry/token", params=params, auth=httpx.BasicAuth("console", password))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def test_what_is_sent_is_what_registries_check(world: World, registry: RunningRegistry) -> None:
    token = issued(world, world.issuer.admin_key, "repository:a/b:pull", "repository:*:pull")
    assert registry.accepts(token)
    said = claims(token)
    assert (said["iss"], said["aud"]) == (world.url, registry.service)
    assert all(type(said[name]) is int for name in ("exp", "nbf"))
    assert said["access"] == [{"type": "repository", "name": "a/b", "actions": ["pull"]}]
    assert claims(issued(world, world.issuer.admin_key))["access"] == []


def aged(seconds: int) -> Callable[[Claims], Claims]:
    """Expired for so long."""
    return lambda said: said | {"exp": int(time.time()) - seconds, "nbf": int(time.time()) - 400}


@pytest.mark.parametrize(
    ("change", "is_accepted"),
    [
        pytest.param(lambda said: said, True, id="as issued"),
        pytest.param(lambda said: said | {"access": []}, True, id="nothing permitted"),
        pytest.param(aged(30), True, id="expired by 30 s"),
        pytest.param(aged(70), False, id="expired by 70 s"),
        pytest.param(lambda said: said | {"nbf": int(time.time()) + 30}, True, id="good in 30 s"),
        pytest.param(lambda said: said | {"nbf": int(time.time()) + 90}, False, id="good in 90 s"),
        pytest.param(lambda said: said | {"iss": said["iss"] + "/"}, False, id="another issuer"),
        pytest.param(lambda said: said | {"aud": OTHER_REGISTRY}, False, id="another registry"),
        pytest.param(lambda said: said | {"aud": SERVICE.upper()}, False, id="another spelling"),
        pytest.param(lambda said: said | {"exp": str(said["exp"])}, False, id="time as text"),
    ],
)
def test_one_thing_differs(
    registry: RunningRegistry,
    signer: Signer,
    said: Claims,
    change: Callable[[Claims], Claims],
    is_accepted: bool,
) -> None:
    assert registry.accepts(signer.sign(orjson.dumps(change(said)))) is is_accepted


def test_version_2_takes_no_list_for_an_audience(
    registry: RunningRegistry, signer: Signer, said: Claims
) -> None:
    is_accepted = registry.accepts(signer.sign(orjson.dumps(said | {"aud": [SERVICE]})))
    assert is_accepted is (registry.program != DEBIANS)


def test_a_key_that_is_not_in_its_files(registry: RunningRegistry, said: Claims) -> None:
    now, stranger = int(time.time()), SigningKey.generate("ES256")
    for signer in (Signer.by_leaf(stranger, now), Signer.by_kid(stranger, now)):
        assert not registry.accepts(signer.sign(orjson.dumps(said)))


def test_leaves_follow_one_another_and_end(world: World, registry: RunningRegistry, said: Claims) -> None:
    """Whoever stole a leaf's key has nothing soon, whatever the token says."""
    with registry_keys(world) as signing:
        ca = signing.of(REGISTRY_CA)
    for began in (0, RENEWED_AFTER):
        assert registry.accepts(Signer.by_leaf(ca, int(time.time()) - began).sign(orjson.dumps(said)))
    begins = int(time.time()) + certificate_authority.BACKDATED_SECONDS - certificate_authority.LEAF_SECONDS
    long = orjson.dumps(said | {"exp": int(time.time()) + 3600})
    assert registry.accepts(Signer.by_leaf(ca, begins + 60).sign(long))
    assert not registry.accepts(Signer.by_leaf(ca, begins - 1).sign(long))


@case("dk-aud", "401", "invalid_token")
def test_a_token_is_good_at_its_own_registry_alone(
    world: World, registry: RunningRegistry, other_registry: RunningRegistry
) -> None:
    token = issued(world, world.issuer.admin_key, "registry:catalog:*")
    elsewhere = other_registry.ask("/v2/_catalog", token)
    assert registry.ask("/v2/_catalog", token).status_code == 200
    assert (elsewhere.status_code, 'error="invalid_token"' in elsewhere.headers["www-authenticate"]) == (
        401,
        True,
    )
    for path in ("/v1/me", "/v1/roles"):
        answer = world.nobody.get(path, headers=bearer(token))
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_nothing_else_that_is_issued_is_good_at_a_registry(world: World, registry: RunningRegistry) -> None:
    key = world.holder("repository:*@*")
    for credential in (key.text, world.token(key), world.token(key, resource=world.url)):
        assert not registry.accepts(credential)


def test_what_was_not_granted_is_not_got(world: World, registry: RunningRegistry) -> None:
    token = issued(world, world.holder("repository:pull@a/*").text, "repository:b/c:pull,push")
    assert registry.ask("/v2/b/c/tags/list", token).status_code == 401
    assert ResourceActions("repository", "b/c", ("pull",)) not in claims(token)["access"]
