from __future__ import annotations

import base64
import string
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import base64url
from tests.vectors import load

ALPHABET = (string.ascii_letters + string.digits + "-_").encode()
# Ours, or the standard library's words for a byte that is not of the alphabet.
REFUSED = "not canonical base64url|Only base64 data is allowed"
FOREIGN = bytes(set(range(256)) - set(ALPHABET))

spellings = st.lists(st.sampled_from(ALPHABET), max_size=40).map(bytes)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", b""),
        (b"f", b"Zg"),
        (b"fo", b"Zm8"),
        (b"foo", b"Zm9v"),
        (b"foob", b"Zm9vYg"),
        (b"fooba", b"Zm9vYmE"),
        (b"foobar", b"Zm9vYmFy"),
        (b"\0", b"AA"),
        (b"\xfb\xff\xbf", b"-_-_"),
        (b"\xff\xfe", b"__4"),
    ],
)
def test_known_values(data: bytes, text: bytes) -> None:
    """RFC 4648 section 10 without padding, and the two characters in which base64url differs."""
    assert base64url.encode(data) == text
    assert base64url.decode(text) == data


# What the shared vectors call them: a text, and the hash of it that the RFC prints.
HASHES = {
    "pkce-s256": (  # RFC 7636 appendix B
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    ),
    "dpop-ath": (  # RFC 9449 section 7.1
        "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU",
        "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
    ),
}
HASHED_MEMBER = {"pkce-s256": "verifier", "dpop-ath": "access_token"}


def hashed(text: str) -> str:
    return base64url.encode(sha256(text.encode("ascii")).digest()).decode()


@pytest.mark.parametrize("name", HASHES)
def test_hashes_that_rfcs_print(name: str) -> None:
    text, expected = HASHES[name]
    assert hashed(text) == expected
    assert base64url.decode(expected.encode()) == sha256(text.encode("ascii")).digest()


def test_every_shared_rfc_vector_is_run() -> None:
    """Here, or where it begins with thumb- in test_jwk."""
    vectors = {vector["id"]: vector for vector in load("rfc/rfc_vectors.json")}
    here = {name for name in vectors if not name.startswith("thumb-")}
    assert here == set(HASHED_MEMBER), "run the new ones too"
    for name in here:
        text, expected = vectors[name][HASHED_MEMBER[name]], vectors[name]["expect"]
        assert hashed(text) == expected, name
        assert HASHES[name] == (text, expected), name


@given(st.binary(max_size=300))
def test_decode_undoes_encode(data: bytes) -> None:
    assert base64url.decode(base64url.encode(data)) == data


@given(st.binary(max_size=300))
def test_encode_agrees_with_the_standard_library(data: bytes) -> None:
    assert base64url.encode(data) == base64.urlsafe_b64encode(data).rstrip(b"=")


@given(st.one_of(spellings, st.binary(max_size=12)))
def test_whatever_is_accepted_is_spelled_the_one_way(text: bytes) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data) == text


@given(st.binary(max_size=60))
def test_padding_is_refused(data: bytes) -> None:
    for padding in (b"=", b"==", b"==="):
        with pytest.raises(ValueError, match=REFUSED):
            base64url.decode(base64url.encode(data) + padding)


@pytest.mark.parametrize(("length", "canonical"), [(2, b"AQgw"), (3, b"AEIMQUYcgkosw048")])
def test_trailing_bits_are_refused(length: int, canonical: bytes) -> None:
    """Of the 64 last characters only those without set bits that no byte uses are accepted."""
    accepted = []
    for last in ALPHABET:
        try:
            base64url.decode(b"x" * (length - 1) + bytes([last]))
        except ValueError:
            continue
        accepted.append(last)
    assert sorted(accepted) == sorted(canonical)


@given(spellings, st.sampled_from(ALPHABET))
def test_a_length_of_one_more_than_a_multiple_of_four_is_refused(text: bytes, extra: int) -> None:
    with pytest.raises(ValueError, match=REFUSED):
        base64url.decode(text[: len(text) // 4 * 4] + bytes([extra]))


@given(st.binary(max_size=60), st.data())
def test_a_foreign_byte_is_refused_wherever_it_stands(data: bytes, choose: st.DataObject) -> None:
    """Base64's plus and slash, padding inside, white space, NUL, non-ASCII: added or in place of another."""
    text = base64url.encode(data)
    at = choose.draw(st.integers(0, len(text)))
    foreign = bytes([choose.draw(st.sampled_from(FOREIGN))])
    for respelled in (text[:at] + foreign + text[at:], text[:at] + foreign + text[at + 1 :]):
        with pytest.raises(ValueError, match=REFUSED):
            base64url.decode(respelled)


@pytest.mark.parametrize(
    "text",
    [
        b"+_-_",
        b"-/-_",
        b"Zg==",
        b"Zm8=",
        b"Zm9v====",
        b"====",
        b"Zg=A",
        b" Zg",
        b"Zg\n",
        b"Zm 9v",
        b"Zm9v\r\n",
        b"Zm9\0",
        b"Zm9v" + "é".encode(),
        b"\xff\xff\xff\xff",
    ],
)
def test_respellings_that_lenient_decoders_take(text: bytes) -> None:
    with pytest.raises(ValueError, match=REFUSED):
        base64url.decode(text)
