"""Both ways, thumbprints, what binds a key to its algorithms. Refusals stand in test_unusable_jwks."""

from __future__ import annotations

from typing import Any

import pytest

from keys import ALGORITHMS, PublicKey, SigningKey, UnusableKey, base64url, thumbprint
from keys.jwk import public_jwk
from tests.keys.rfc_examples import EXAMPLES, Example
from tests.vectors import load

EVERY_EXAMPLE = [pytest.param(example, id=example.name) for example in EXAMPLES]
EC, RSA, OKP = (EXAMPLES[0].jwk, EXAMPLES[1].jwk, EXAMPLES[2].jwk)


@pytest.mark.parametrize("example", EVERY_EXAMPLE)
def test_thumbprints(example: Example) -> None:
    assert thumbprint(example.jwk) == example.thumbprint


def test_thumbprints_of_the_shared_vectors() -> None:
    thumbprints = [vector for vector in load("rfc/rfc_vectors.json") if vector["id"].startswith("thumb-")]
    assert thumbprints
    for vector in thumbprints:
        assert thumbprint(vector["jwk"]) == vector["expect"], vector["id"]


@pytest.mark.parametrize("example", EVERY_EXAMPLE)
def test_a_thumbprint_ignores_order_and_other_members(example: Example) -> None:
    reordered = dict(reversed(example.jwk.items()))
    assert thumbprint({"kid": "k", "alg": "none", **reordered, "use": "enc", "d": "x"}) == example.thumbprint


@pytest.mark.parametrize("example", EVERY_EXAMPLE)
def test_a_thumbprint_needs_every_member_of_the_key(example: Example) -> None:
    for name in set(example.jwk) - {"kty"}:
        for broken in ({k: v for k, v in example.jwk.items() if k != name}, {**example.jwk, name: 1}):
            with pytest.raises(UnusableKey, match="a member of the key is missing"):
                thumbprint(broken)


@pytest.mark.parametrize("jwk", [{}, {"kty": "oct", "k": "AA"}, {"kty": ["EC"]}, {**EC, "kty": "ec"}])
def test_a_thumbprint_needs_a_known_kty(jwk: dict[str, Any]) -> None:
    with pytest.raises(UnusableKey, match="kty is not EC, OKP or RSA"):
        thumbprint(jwk)


def test_jwk_and_back(signing_key: SigningKey) -> None:
    name = signing_key.algorithm.name
    public = PublicKey.from_jwk(signing_key.public_jwk)
    assert public.kid == signing_key.kid
    assert public.algorithms == {name}
    assert public_jwk(public.key, name) == signing_key.public_jwk
    message, _, signature = signing_key.sign(b"{}", "JWT").encode().rpartition(b".")
    assert public.verify(name, message, base64url.decode(signature))
    assert not public.verify(name, message + b"A", base64url.decode(signature))


@pytest.mark.parametrize("example", EVERY_EXAMPLE)
def test_the_members_of_a_public_jwk(example: Example) -> None:
    key = PublicKey.from_jwk({**example.jwk, "kid": "k"}).key
    assert public_jwk(key, example.algorithm) == {
        **example.jwk,
        "kid": example.thumbprint,
        "use": "sig",
        "alg": example.algorithm,
    }


def test_coordinates_keep_their_leading_zeros() -> None:
    """The point of P-256 with x = 0: full length, never a shorter number."""
    y = 0x66485C780E2F83D72433BD5D84A06BB6541C2AF31DAE871728BF856A174F93F4
    point = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": base64url.encode(y.to_bytes(32)).decode()}
    assert public_jwk(PublicKey.from_jwk({**point, "kid": "k"}).key, "ES256").items() >= point.items()


@pytest.mark.parametrize(
    ("jwk", "algorithms"), [(EC, {"ES256"}), (RSA, {"RS256"}), (OKP, {"EdDSA", "Ed25519"})]
)
def test_without_alg_a_key_fits_what_its_type_fits(jwk: dict[str, str], algorithms: set[str]) -> None:
    assert PublicKey.from_jwk({**jwk, "kid": "k"}).algorithms == algorithms


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_with_alg_a_key_is_bound_to_it(name: str) -> None:
    jwk = {"EC": EC, "OKP": OKP, "RSA": RSA}[ALGORITHMS[name].kty]
    assert PublicKey.from_jwk({**jwk, "kid": "k", "alg": name}).algorithms == {name}


@pytest.mark.parametrize(
    "members",
    [
        {"use": "sig"},
        {"key_ops": ["verify"]},
        {"key_ops": ["sign", "verify"]},
        {"ext": True, "x5t": "AAAA", "x5c": ["MIIB"], "note": {"nested": [1]}},
        {"kid": "x"},
        {"kid": "é" * 256},
    ],
)
def test_members_that_do_no_harm(members: dict[str, object]) -> None:
    for jwk in (EC, OKP, RSA):
        assert PublicKey.from_jwk({**jwk, "kid": "k", **members}).kid == members.get("kid", "k")


def test_a_public_key_is_itself_alone() -> None:
    """Equal by identity: two issuers may publish the same JWK, and each key belongs to its issuer."""
    one, other = (PublicKey.from_jwk({**EC, "kid": "k"}) for _ in range(2))
    assert one != other
    assert len({one, other}) == 2
