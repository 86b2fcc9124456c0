"""What a real registry makes of our tokens, and of such as differ from them in one thing."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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


@dataclass(frozen=True)
class Sent:
    """A token as it is issued, and what its registry has been given."""

    header: Claims
    claims: Claims
    settings: Mapping[str, Any]
    certificates: list[x509.Certificate]
    jwks: list[dict[str, str]]

    @property
    def key(self) -> str:
        """What is said of the key that signed."""
        return "x5c" if "x5c" in self.header else "kid"

    @property
    def leaf(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(base64.b64decode(*self.header["x5c"]))


def libtrust(certificate: x509.Certificate) -> str:
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return ":".join(re.findall("....", base64.b32encode(hashlib.sha256(spki).digest()[:30]).decode()))


def is_certified(sent: Sent) -> bool:
    """Whether the leaf is by an authority in the bundle, for now."""
    by = [each for each in sent.certificates if each.subject == sent.leaf.issuer]
    for each in by:
        sent.leaf.verify_directly_issued_by(each)
    return (
        len(by) == 1 and sent.leaf.not_valid_before_utc <= datetime.now(UTC) <= sent.leaf.not_valid_after_utc
    )


ROWS: Mapping[str, Callable[[Sent], bool]] = {
    "iss": lambda sent: sent.claims["iss"] == sent.settings["issuer"],
    "aud is a text": lambda sent: sent.claims["aud"] == sent.settings["service"],
    "exp is an integer": lambda sent: type(sent.claims["exp"]) is int,
    "nbf is an integer": lambda sent: type(sent.claims["nbf"]) is int,
    "access, always": lambda sent: sent.claims["access"] == [],
    "typ": lambda sent: sent.header["typ"] == "JWT",
    "alg": lambda sent: [sent.header["alg"]] == ["ES256"] == sent.settings["signingalgorithms"],
    "one name of the key": lambda sent: set(sent.header) == {"alg", "typ", sent.key},
    "kid": lambda sent: (
        sent.key == "x5c"
        or sent.header["kid"] in {key["kid"] for key in sent.jwks} & set(map(libtrust, sent.certificates))
    ),
    "x5c": lambda sent: sent.key == "kid" or is_certified(sent),
    "jwks has libtrust's names": lambda sent: (
        {key["kid"] for key in sent.jwks} <= set(map(libtrust, sent.certificates))
    ),
    "no Ed25519 in the bundle": lambda sent: all(
        isinstance(each.public_key(), EllipticCurvePublicKey) for each in sent.certificates
    ),
}


@pytest.fixture(scope="session")
def sent(world: World, registry: RunningRegistry) -> Sent:
    token = issued(world, world.issuer.admin_key)
    assert registry.accepts(token)
    settings = yaml.safe_load((registry.folder / "trust" / "config.yml").read_text())["auth"]["token"]
    return Sent(
        header=orjson.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "==")),
        claims=claims(token),
        settings=settings,
        certificates=x509.load_pem_x509_certificates(Path(settings["rootcertbundle"]).read_bytes()),
        jwks=orjson.loads(Path(settings["jwks"]).read_bytes())["keys"],
    )


@pytest.mark.parametrize("row", ROWS)
def test_what_is_sent_is_what_registries_check(sent: Sent, trust: str, row: str) -> None:
    assert sent.key == trust
    assert ROWS[row](sent), sent


def test_access_is_what_is_granted(world: World) -> None:
    token = issued(world, world.issuer.admin_key, "repository:a/b:pull", "repository:*:pull")
    assert claims(token)["access"] == [{"type": "repository", "name": "a/b", "actions": ["pull"]}]


@dataclass(frozen=True)
class Keys:
    """The issuer's for registries, and somebody else's."""

    ca: SigningKey
    named: SigningKey
    """In the files, by its `kid`."""
    stranger: SigningKey

    def under(self, signed_by: SigningKey, **header: Any) -> Signer:
        return Signer(signed_by, signed_by.header(typ="JWT", **header), signed_by.kid, 0)

    @property
    def kid(self) -> str:
        return certificate_authority.key_id(self.named)

    def x5c(self, key: SigningKey, ca: SigningKey) -> list[str]:
        leaf = certificate_authority.leaf(ca, key, int(time.time()))
        return [base64.b64encode(leaf.public_bytes(Encoding.DER)).decode()]


@pytest.fixture(scope="session")
def keys(world: World) -> Keys:
    with registry_keys(world) as signing:
        return Keys(signing.of(REGISTRY_CA), signing.of(REGISTRY), SigningKey.generate("ES256"))


ALL, TWO, NONE = "2 and 3", "2", ""


@pytest.mark.parametrize(
    ("name", "accepted_by"),
    [
        pytest.param(lambda keys: keys.under(keys.named, kid=keys.kid), ALL, id="kid"),
        pytest.param(lambda keys: keys.under(keys.named, kid=keys.kid.lower()), NONE, id="kid of nobody"),
        pytest.param(lambda keys: keys.under(keys.stranger, kid=keys.kid), NONE, id="kid of another key"),
        pytest.param(lambda keys: Signer.by_leaf(keys.ca, int(time.time())), ALL, id="x5c"),
        pytest.param(
            lambda keys: keys.under(keys.stranger, x5c=keys.x5c(keys.stranger, keys.ca), kid=keys.kid),
            ALL,
            id="x5c before kid",
        ),
        pytest.param(
            lambda keys: keys.under(keys.named, x5c=keys.x5c(keys.named, keys.stranger), kid=keys.kid),
            NONE,
            id="a wrong x5c before a right kid",
        ),
        pytest.param(
            lambda keys: keys.under(keys.named, jwk=keys.stranger.public_jwk, kid=keys.kid),
            NONE,
            id="a wrong jwk before a right kid",
        ),
        pytest.param(lambda keys: keys.under(keys.named), NONE, id="no name"),
        pytest.param(
            # Version 3 takes what its settings name, and ours name one.
            lambda keys: Signer.by_leaf(keys.ca, int(time.time()), "RS256"),
            TWO,
            id="RS256 leaf",
        ),
    ],
)
def test_which_key_is_chosen(
    registry: RunningRegistry, keys: Keys, said: Claims, name: Callable[[Keys], Signer], accepted_by: str
) -> None:
    version = "2" if registry.program == DEBIANS else "3"
    assert registry.accepts(name(keys).sign(orjson.dumps(said))) is (version in accepted_by)


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
