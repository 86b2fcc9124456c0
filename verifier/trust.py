"""What a verifier believes: the issuer's public keys and its status lists.

Bytes go in; an update advances or raises DocumentError and changes nothing. Nothing here knows a URL, a
socket or a file, and nothing ever goes back to an older list.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from keys import PublicKey, UnusableKey
from verifier import jws, strict_json
from verifier.errors import DocumentError, TokenError
from verifier.status_list import MAX_DOCUMENT_CHARACTERS, TYP, OversizedList, StatusList

ISSUED_ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "RS256")
"""What a Hourmark issuer can be set to sign with: the default for verifiers."""
MAX_SKEW = 30
"""Seconds by which another clock may be ahead of ours."""
_MAX_JWKS_BYTES = 256 * 1024
_MAX_KEYS = 100

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignedList:
    """An accepted list, the document that it came in, and who signed that."""

    content: StatusList
    document: bytes
    kid: str


class Trust:
    """The keys and lists of one issuer. Reading is safe from any thread; updates come from one at a time."""

    def __init__(self, issuer: str, algorithms: Iterable[str] = ISSUED_ALGORITHMS) -> None:
        self.issuer = issuer
        self.algorithms = frozenset(algorithms)
        if not self.algorithms <= set(ISSUED_ALGORITHMS) or not self.algorithms:
            raise ValueError(f"algorithms must be some of {', '.join(ISSUED_ALGORITHMS)}")
        self.keys: Mapping[str, PublicKey] = MappingProxyType({})
        """By `kid`; replaced whole at each change, so that its identity tells whether anything did."""
        self.jwks: bytes = b""
        self.keys_updated_at: float | None = None
        """When the keys were last known to be the issuer's, Unix seconds; None before the first."""
        self.lists: Mapping[str, SignedList] = MappingProxyType({})
        """By URI; replaced whole at each change."""
        self.floors: Mapping[str, tuple[int, int]] = MappingProxyType({})
        """By URI the age of the newest list that was ever seen: none that is older is accepted."""

    @classmethod
    def from_documents(
        cls,
        *,
        issuer: str,
        jwks: bytes,
        status_lists: Iterable[bytes] = (),
        algorithms: Iterable[str] = ISSUED_ALGORITHMS,
        now: float | None = None,
    ) -> Trust:
        """Trust without any network. Raises DocumentError if a document is refused."""
        now = time.time() if now is None else now
        trust = cls(issuer, algorithms)
        trust.update_keys(jwks, now=now)
        for document in status_lists:
            trust.update_status_list(document, now=now)
        return trust

    def update_keys(self, document: bytes, *, now: float) -> None:
        """Replaces the keys by those of a JWKS (RFC 7517 section 5).

        Unusable keys are passed over, but a set with two keys of one `kid`, or no usable key, is refused.
        A key that is gone takes with it the lists that it signed: whoever stole it could have signed any.
        Their age stays the least that is accepted: a thief can stop a verifier, but never turn it back.
        """
        if self.keys and document == self.jwks:
            self.keys_updated_at = now
            return
        keys = _read_jwks(document)
        self.keys, self.jwks, self.keys_updated_at = MappingProxyType(keys), document, now
        self.lists = MappingProxyType(
            {uri: signed for uri, signed in self.lists.items() if signed.kid in keys}
        )

    def update_status_list(self, document: bytes, *, now: float, uri: str | None = None) -> None:
        """Advances to a list, which must be `uri`'s if that is given.

        A list that has expired is accepted: it still says what is revoked and which lists are older. Whether
        it is fresh enough to clear a token is decided at each verification.
        """
        if len(document) > MAX_DOCUMENT_CHARACTERS:
            raise DocumentError("too_large", "a status list is smaller")
        signed = self._read_list(document)
        if uri is not None and signed.content.uri != uri:
            raise DocumentError("wrong_list", "the list is not the one that was asked for")
        if signed.content.issued_at > now + MAX_SKEW:
            raise DocumentError("not_yet_valid", "the list was issued in the future: check the clocks")
        self._advance(signed)

    def raise_floor(self, uri: str, age: tuple[int, int]) -> None:
        """Takes over what an earlier process had seen."""
        self.floors = MappingProxyType({**self.floors, uri: max(age, self.floors.get(uri, age))})

    def signature_holds(self, token: jws.UnverifiedJws) -> PublicKey:
        """The key that signed `token`. Raises TokenError."""
        header = token.header
        if header.algorithm not in self.algorithms:
            raise TokenError("bad_algorithm", "the algorithm is not one of those accepted here")
        key = self.keys.get(header.kid) if header.kid is not None else None
        if key is None:
            raise TokenError("unknown_key", "no key of the issuer has this kid")
        if header.algorithm not in key.algorithms:
            raise TokenError("bad_algorithm", "the key is for another algorithm")
        if not key.verify(header.algorithm, token.signing_input, token.signature):
            raise TokenError("bad_signature", "the signature does not match")
        return key

    def _advance(self, signed: SignedList) -> None:
        uri, age = signed.content.uri, signed.content.age
        held, floor = self.lists.get(uri), self.floors.get(uri, age)
        if age < floor or (held is not None and age == floor and signed.document != held.document):
            raise DocumentError("revocation_rollback", "a newer list was seen before")
        if held is None or age > floor:
            self.raise_floor(uri, age)
            self.lists = MappingProxyType({**self.lists, uri: signed})

    def _read_list(self, document: bytes) -> SignedList:
        try:
            token = jws.parse(document.decode("ascii"), MAX_DOCUMENT_CHARACTERS)
            key = self.signature_holds(token)
            if token.header.typ != TYP:
                raise DocumentError("wrong_type", "the document is not a status list")
            return SignedList(StatusList.from_payload(token.payload, self.issuer), document, key.kid)
        except TokenError as error:
            raise DocumentError(error.code, error.detail) from error
        except OversizedList as error:
            raise DocumentError("too_large", str(error)) from error
        except ValueError as error:
            raise DocumentError("malformed", "not a status list") from error


def _read_jwks(document: bytes) -> dict[str, PublicKey]:
    if len(document) > _MAX_JWKS_BYTES:
        raise DocumentError("too_large", "a JWKS is smaller")
    try:
        jwks = strict_json.parse_object(document).get("keys")
    except ValueError as error:
        raise DocumentError("malformed", f"not a JWKS: {error}") from error
    if not isinstance(jwks, list) or len(jwks) > _MAX_KEYS:
        raise DocumentError("malformed", "not a JWKS: keys is missing, no list or too long")
    kids = [jwk.get("kid") for jwk in jwks if isinstance(jwk, dict)]
    if any(kid is not None and kids.count(kid) > 1 for kid in kids):
        raise DocumentError("malformed", "two keys have the same kid")
    keys: dict[str, PublicKey] = {}
    for jwk in jwks:
        try:
            key = PublicKey.from_jwk(jwk if isinstance(jwk, dict) else {})
        except UnusableKey as error:
            logger.warning("a key of the JWKS is unusable: %s", error)
        else:
            keys[key.kid] = key
    if not keys:
        raise DocumentError("malformed", "the JWKS has no usable key")
    return keys
