"""joserfc and Authlib: a line of tokens on stdin, a line of microseconds on stdout. Runs in .venv-peers."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from authlib.deprecate import AuthlibDeprecationWarning
from joserfc import jwk, jwt

from keys import PublicKey
from scripts.benchmarks import tokens, turns

_REQUIRED = ("iss", "aud", "sub", "iat", "exp", "jti", "client_id")


def _claims(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What must be there, and what must stand in it, as both libraries write it."""
    expected = {"iss": asked["issuer"], "aud": asked["audience"]}
    return {
        name: {"essential": True} | ({"value": expected[name]} if name in expected else {})
        for name in _REQUIRED
    }


def _joserfc(asked: Mapping[str, Any]) -> Callable[[str], object]:
    key = jwk.import_key(asked["jwk"])
    registry = jwt.JWTClaimsRegistry(**_claims(asked))

    def verify(token: str) -> None:
        decoded = jwt.decode(token, key, algorithms=[asked["algorithm"]])
        registry.validate(decoded.claims)

    return verify


def _authlib(asked: Mapping[str, Any]) -> Callable[[str], object]:
    # It has announced that this part makes way for joserfc; until then it is what its users run.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.jose import JsonWebKey, JsonWebToken

    key = JsonWebKey.import_key(asked["jwk"])
    decoder, options = JsonWebToken([asked["algorithm"]]), _claims(asked)
    return lambda token: decoder.decode(token, key, claims_options=options).validate()


def _microseconds(asked: Mapping[str, Any]) -> dict[str, float]:
    algorithm, minted = asked["algorithm"], asked["tokens"]
    signed = [tokens.signed_part(algorithm, token) for token in minted]
    check = tokens.signature_check(PublicKey.from_jwk(asked["jwk"]).key)
    joserfc, authlib = _joserfc(asked), _authlib(asked)
    ways: dict[str, Callable[[int], object]] = {
        "raw in peers": lambda number: check(signed[number]),
        "joserfc": lambda number: joserfc(minted[number]),
        "Authlib": lambda number: authlib(minted[number]),
    }
    return turns.microseconds(ways, range(len(minted)))


if __name__ == "__main__":
    # joserfc warns of the name EdDSA at each token: that costs its users too, but need not be read here.
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_microseconds(json.loads(line))) + "\n")
        sys.stdout.flush()
