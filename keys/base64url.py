"""Base64url without padding, canonical both ways (RFC 7515 section 2, RFC 4648 sections 3.5 and 5).

Every value has exactly one accepted spelling: a token cannot be respelled and still be the same token.
"""

import binascii

# "+" and "/" are base64, not base64url, and "=" is padding: all three become a character that is neither.
_TO_BASE64 = bytes.maketrans(b"-_+/=", b"+/!!!")
_TO_BASE64URL = bytes.maketrans(b"+/", b"-_")
# The last character of a group of two carries 4 unused bits, of three 2; canonical text has them zero.
_LAST_OF_TWO = b"AQgw"
_LAST_OF_THREE = b"AEIMQUYcgkosw048"


def decode(text: bytes) -> bytes:
    """The bytes that `text` spells. Raises ValueError unless the spelling is canonical."""
    rest = len(text) & 3
    if rest == 0:
        padding = b""
    elif rest == 2 and text[-1] in _LAST_OF_TWO:
        padding = b"=="
    elif rest == 3 and text[-1] in _LAST_OF_THREE:
        padding = b"="
    else:
        raise ValueError("not canonical base64url")
    return binascii.a2b_base64(text.translate(_TO_BASE64) + padding, strict_mode=True)


def encode(data: bytes) -> bytes:
    """The one spelling of `data`."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_BASE64URL)
