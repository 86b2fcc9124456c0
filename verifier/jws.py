"""Raw text -> header, payload, signature (RFC 7515 compact serialization): strict, bounded, no clock, no I/O.

Nothing here is trusted yet. The size is checked before anything is decoded, segments are counted before they
are cut, and headers that change how a token would be read are refused.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from keys import base64url
from verifier import strict_json
from verifier.errors import TokenError

MAX_TOKEN_CHARACTERS = 8192
"""An issued token stays under 6 KB; the rest is room for other issuers."""
_SEGMENTS = 3
_REMEMBERED_CHARACTERS = 512
# crit and b64 change what is signed, zip how it is read, enc makes it a JWE. None is understood here.
_REFUSED_HEADERS = frozenset({"crit", "b64", "zip", "enc"})


@dataclass(frozen=True, slots=True)
class Header:
    """The members of a JOSE header that count here."""

    algorithm: str
    kid: str | None
    typ: str | None
    """In lower case and without `application/` (RFC 7515 section 4.1.9)."""


@dataclass(frozen=True, slots=True)
class UnverifiedJws:
    """A JWS whose form is right. Whether its signature is, is not known yet."""

    header: Header
    signing_input: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def parse(raw: str, max_characters: int = MAX_TOKEN_CHARACTERS) -> UnverifiedJws:
    """Raises TokenError `malformed`."""
    if not isinstance(raw, str):
        raise TokenError("malformed", "a token is text")
    if len(raw) > max_characters:
        raise TokenError("malformed", f"longer than {max_characters} characters")
    if raw.count(".") != _SEGMENTS - 1:
        raise TokenError("malformed", "not three segments")
    try:
        signing_input, _, signature = raw.encode("ascii").rpartition(b".")
        header, _, payload = signing_input.partition(b".")
        read = _read_header if len(header) > _REMEMBERED_CHARACTERS else _remembered
        return UnverifiedJws(
            read(header), signing_input, base64url.decode(payload), base64url.decode(signature)
        )
    except ValueError as error:
        # No cause: the text of a decoding error may hold a part of the token.
        raise TokenError("malformed", _reason(error)) from None


def _read_header(segment: bytes) -> Header:
    header = strict_json.parse_object(base64url.decode(segment))
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(algorithm, str):
        raise ValueError("alg is missing or not text")
    if not (kid is None or isinstance(kid, str)) or not (typ is None or isinstance(typ, str)):
        raise ValueError("kid or typ is not text")
    if not _REFUSED_HEADERS.isdisjoint(header):
        raise ValueError("a header that is not understood here (crit, b64, zip or enc)")
    return Header(algorithm, kid, None if typ is None else typ.lower().removeprefix("application/"))


_remembered = lru_cache(maxsize=256)(_read_header)
"""All tokens of one signing key have the same header: it is read once. Long ones would fill the memory."""


def _reason(error: ValueError) -> str:
    """The text of our own refusals; a decoder's would quote what it was given."""
    return str(error) if type(error) is ValueError else "not ASCII, base64url or JSON"
