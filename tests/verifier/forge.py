"""A pretend issuer: its tokens, key sets and status lists, with real keys and with one thing changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from keys import SigningKey, base64url
from verifier import TokenError, Trust, Unavailable, Verifier
from verifier.status_list import TYP, StatusList

NOW = 1_900_000_000
ISSUER = "https://issuer.example"
AUDIENCE = "https://api.example"
LIST_URI = f"{ISSUER}/status/1"
EXP = NOW + 3540
INDEX = 3
ABSENT = object()
"""A claim or header with this value is left out."""


def key(algorithm: str = "ES256", owner: str = "issuer") -> SigningKey:
    """One key for each algorithm and owner, made when it is first asked for."""
    return _key(algorithm, owner)


@cache
def _key(algorithm: str, owner: str) -> SigningKey:
    assert owner
    return SigningKey.generate(algorithm)


def jwks(*signing_keys: SigningKey) -> bytes:
    return jwks_of(*(signing_key.public_jwk for signing_key in signing_keys or (key(),)))


def jwks_of(*entries: object) -> bytes:
    """A JWKS of any entries, also of such as are no keys."""
    return json.dumps({"keys": entries}).encode()


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims, lasting an hour since a minute ago, with `changes`."""
    return present(
        {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "role:org.account.ci",
            "iat": NOW - 60,
            "exp": EXP,
            "jti": "token-1",
            "client_id": "hmk_0123456789abcdef",
            "roles": [],
            "scope": "app:query@*[group=A]",
            "status": {"status_list": {"idx": INDEX, "uri": LIST_URI}},
        }
        | changes
    )


def token(**changes: Any) -> str:
    """A token of good form, with `changes` to its claims."""
    return key().sign(json.dumps(claims(**changes)).encode(), "at+jwt")


def with_header(**changes: Any) -> str:
    """A token of good claims, signed by the issuer, with `changes` to its header."""
    header = {"alg": "ES256", "kid": key().kid, "typ": "at+jwt"} | changes
    return compact(json.dumps(present(header)).encode(), json.dumps(claims()).encode())


def with_payload(payload: bytes) -> str:
    """A token whose payload is anything, signed by the issuer."""
    return key().sign(payload, "at+jwt")


def compact(header: bytes, payload: bytes, signer: SigningKey | None = None) -> str:
    """The JWS of any header and payload."""
    signing_key = signer or key()
    signing_input = base64url.encode(header) + b"." + base64url.encode(payload)
    signature = signing_key.algorithm.sign(signing_key._private, signing_input)
    return (signing_input + b"." + base64url.encode(signature)).decode()


def status_list(
    *invalid: int,
    version: int = 1,
    iat: int = NOW - 10,
    exp: int = NOW + 3600,
    uri: str = LIST_URI,
    issuer: str = ISSUER,
    signer: SigningKey | None = None,
    typ: str = TYP,
) -> bytes:
    """A signed list of 64 single bits of which those of `invalid` are set."""
    statuses = bytearray(8)
    for index in invalid:
        statuses[index // 8] |= 1 << index % 8
    content = StatusList(
        uri=uri, bits=1, statuses=bytes(statuses), issued_at=iat, expires_at=exp, ttl=15, version=version
    )
    return (signer or key()).sign(content.to_payload(issuer), typ).encode()


def signed_list(**changes: Any) -> bytes:
    """A good list with `changes` to its claims."""
    content = StatusList.of(LIST_URI, (), version=1, now=NOW - 10, ttl=15, lifetime=3600)
    payload = present(json.loads(content.to_payload(ISSUER)) | changes)
    return key().sign(json.dumps(payload).encode(), TYP).encode()


def trust(
    *status_lists: bytes, keys: Iterable[SigningKey] = (), algorithms: Iterable[str] | None = None
) -> Trust:
    """Trust in the issuer's key (or `keys`) and in these lists, or in one of which every bit is clear."""
    options = {} if algorithms is None else {"algorithms": algorithms}
    return Trust.from_documents(
        issuer=ISSUER, jwks=jwks(*keys), status_lists=status_lists or (status_list(),), now=NOW, **options
    )


def verifier(*status_lists: bytes, **options: Any) -> Verifier:
    return Verifier(ISSUER, AUDIENCE, **({"trust": trust(*status_lists)} | options))


IN_FORCE = status_list(exp=NOW + 86400)
"""A list that outlives every token here, with every bit clear."""


def verdict(raw: Any, judge: Verifier | None = None, *, now: float = NOW) -> str:
    """`accepted`, or the code of the refusal."""
    try:
        (judge or verifier(IN_FORCE)).verify(raw, now=now)
    except Unavailable as error:
        return error.code if error.code in ("revocation_stale", "keys_unavailable") else f"wrongly {error!r}"
    except TokenError as error:
        return error.code
    return "accepted"


def state(of: Trust) -> tuple[object, ...]:
    """All that an update may change; a refused one must leave each of them the very same."""
    return (of.keys, of.jwks, of.keys_updated_at, of.lists)


def present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not ABSENT}
