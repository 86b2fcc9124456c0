"""Whose signature holds: an accepted algorithm, the key of that kid, and only what that key is for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keys import SigningKey, base64url
from tests.verifier import forge
from tests.verifier.forge import ISSUER
from verifier import TokenError, Trust, jws
from verifier.trust import ISSUED_ALGORITHMS

OTHER = forge.key(owner="next")


@pytest.mark.parametrize(
    "algorithms", [(), ("none",), ("HS256",), ("ES256", "HS256"), ("PS256",), ("es256",), "ES256"]
)
def test_algorithms_are_some_of_the_issued(algorithms: Any) -> None:
    with pytest.raises(ValueError, match="algorithms must be some of ES256, EdDSA, Ed25519, RS256"):
        Trust(ISSUER, algorithms)
    with pytest.raises(ValueError, match="algorithms must be some of"):
        forge.trust(algorithms=algorithms)


@pytest.mark.parametrize("name", ISSUED_ALGORITHMS)
def test_signature(name: str) -> None:
    signer = forge.key(name)
    trust = Trust.from_documents(issuer=ISSUER, jwks=forge.jwks(signer))
    token = jws.parse(signer.sign(b"{}", "at+jwt"))
    assert trust.signature_holds(token).kid == signer.kid
    for other in set(ISSUED_ALGORITHMS) - {name}:
        narrower = Trust.from_documents(issuer=ISSUER, jwks=forge.jwks(signer), algorithms=(other,))
        with pytest.raises(TokenError, match="bad_algorithm: the algorithm is not one of those"):
            narrower.signature_holds(token)
    forged = jws.parse(forge.key(name, "evil").sign(b"{}", "at+jwt"))
    with pytest.raises(TokenError, match="unknown_key"):
        trust.signature_holds(forged)


@pytest.mark.parametrize("name", ISSUED_ALGORITHMS)
@pytest.mark.parametrize("signed_as", [*ISSUED_ALGORITHMS, "none", "HS256", "PS256", "ES512", "es256", ""])
def test_a_key_binds_its_algorithm(name: str, signed_as: str) -> None:
    signer = forge.key(name)
    trust = Trust.from_documents(issuer=ISSUER, jwks=forge.jwks(signer))
    header = {"alg": signed_as, "kid": signer.kid}
    token = jws.parse(forge.compact(json.dumps(header).encode(), b"{}", signer))
    if signed_as == name:
        assert trust.signature_holds(token).algorithms == {name}
        return
    with pytest.raises(TokenError) as refusal:
        trust.signature_holds(token)
    assert refusal.value.code == "bad_algorithm"
    bound = signed_as in ISSUED_ALGORITHMS
    assert refusal.value.detail.startswith("the key is for another" if bound else "the algorithm is not one")


def test_a_key_without_alg_takes_those_of_its_type() -> None:
    signer = forge.key("EdDSA")
    members = {name: value for name, value in signer.public_jwk.items() if name != "alg"}
    trust = Trust.from_documents(issuer=ISSUER, jwks=forge.jwks_of(members))
    for signed_as in ("EdDSA", "Ed25519"):
        header = json.dumps({"alg": signed_as, "kid": signer.kid}).encode()
        assert trust.signature_holds(jws.parse(forge.compact(header, b"{}", signer))).kid == signer.kid


def test_the_signature_covers_header_and_payload() -> None:
    trust = forge.trust()
    header, payload, signature = forge.token().split(".")
    other_header, other_payload, other_signature = forge.with_header(x=1).split(".")
    respelled = base64url.encode(json.dumps(forge.claims(jti="token-2")).encode()).decode()
    trust.signature_holds(jws.parse(f"{header}.{payload}.{signature}"))
    for raw in (
        f"{other_header}.{payload}.{signature}",
        f"{header}.{respelled}.{signature}",
        f"{header}.{payload}.{other_signature}",
        f"{header}.{payload}.",
        f"{header}.{payload}.{'A' * 86}",
        f"{header}..{signature}",
    ):
        with pytest.raises(TokenError, match="bad_signature"):
            trust.signature_holds(jws.parse(raw))
    assert payload == other_payload


def test_a_key_is_found_by_its_exact_kid() -> None:
    kid = forge.key().kid
    for other in (forge.ABSENT, "", "other", kid + " ", " " + kid, kid[:-1], kid.swapcase()):
        with pytest.raises(TokenError, match="unknown_key"):
            forge.trust().signature_holds(jws.parse(forge.with_header(kid=other)))


def test_the_same_kid_at_another_issuer_is_another_key() -> None:
    mine, theirs = SigningKey.generate("ES256"), SigningKey.generate("ES256")
    documents = [forge.jwks_of(signer.public_jwk | {"kid": "1"}) for signer in (mine, theirs)]
    here, there = (
        Trust.from_documents(issuer=f"https://{n}.example", jwks=d) for n, d in enumerate(documents)
    )
    raw = forge.compact(b'{"alg":"ES256","kid":"1"}', b"{}", mine)
    here.signature_holds(jws.parse(raw))
    with pytest.raises(TokenError, match="bad_signature"):
        there.signature_holds(jws.parse(raw))
