"""Raw text -> header, payload, signature (RFC 7515 compact serialization): strict, bounded, no clock, no I/O.

Nothing here is trusted yet. The size is checked before anything is decoded, segments are counted before they
are cut, and headers that change how a token would be read are refused.
"""

from dataclasses import dataclass, field

from keys import base64url
from verifier import strict_json
from verifier.errors import TokenError

MAX_TOKEN_CHARACTERS = 8192
"""An issued token stays under 6 KB; the rest is room for other issuers."""
_SEGMENTS = 3
# crit and b64 change what is signed, zip how it is read, enc makes it a JWE. None is understood here.
_REFUSED_HEADERS = frozenset({"crit", "b64", "zip", "enc"})


@dataclass(frozen=True, slots=True)
class UnverifiedJws:
    """A JWS whose form is right. Whether its signature is, is not known yet."""

    algorithm: str
    kid: str | None
    typ: str | None
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
        text = raw.encode("ascii")
        signing_input, _, signature = text.rpartition(b".")
        header_segment, _, payload_segment = signing_input.partition(b".")
        header = strict_json.parse_object(base64url.decode(header_segment))
        payload = base64url.decode(payload_segment)
        return _read_header(header, signing_input, payload, base64url.decode(signature))
    except ValueError as error:
        # No cause: the text of a decoding error may hold a part of the token.
        raise TokenError("malformed", _reason(error)) from None


def _read_header(
    header: dict[str, object], signing_input: bytes, payload: bytes, signature: bytes
) -> UnverifiedJws:
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(algorithm, str):
        raise ValueError("alg is missing or not text")
    if not (kid is None or isinstance(kid, str)) or not (typ is None or isinstance(typ, str)):
        raise ValueError("kid or typ is not text")
    if not _REFUSED_HEADERS.isdisjoint(header):
        raise ValueError("a header that is not understood here (crit, b64, zip or enc)")
    return UnverifiedJws(algorithm, kid, typ, signing_input, payload, signature)


def _reason(error: ValueError) -> str:
    """The text of our own refusals; a decoder's would quote what it was given."""
    return str(error) if type(error) is ValueError else "not ASCII, base64url or JSON"
