from __future__ import annotations

import hashlib
import hmac
import re
import string
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import MalformedRoleKey, RoleKey

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase

# The checksums were computed outside this code; the second needs its leading zeros.
KNOWN = (
    "hmk_0aZ9bY8cX7dW6eV5:0123456789ABCDEFGHIJKLMNOPabcdef3NRnv6",
    "hmk_0aZ9bY8cX7dW6eV5:00000000000000000000000000000284003azx",
)
ACCESS, SECRET = KNOWN[0].split(":")

role_keys = st.builds(RoleKey.generate).map(RoleKey.reveal)
MISTYPED = BASE62 + "-_ :+/=\n\0éß٣"


def refusal(text: str) -> str:
    """Why `text` is refused; nothing of its secret may be told, not even as the cause."""
    with pytest.raises(MalformedRoleKey) as refused:
        RoleKey.parse(text)
    message = str(refused.value)
    secret = text.rpartition(":")[2]
    assert not any(secret[at : at + 6] in message for at in range(len(secret) - 5))
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    return message


@pytest.mark.parametrize("text", KNOWN)
def test_known_role_keys(text: str) -> None:
    role_key = RoleKey.parse(text)
    assert f"{role_key.access}:{role_key.secret}" == role_key.reveal() == text


def test_the_form_of_a_new_one() -> None:
    for _ in range(200):
        text = RoleKey.generate().reveal()
        assert re.fullmatch(r"hmk_[0-9A-Za-z]{16}:[0-9A-Za-z]{38}", text)
        checksum = 0
        for character in text[-6:]:
            checksum = checksum * 62 + BASE62.index(character)
        assert checksum == zlib.crc32(text[:-6].encode())
        assert RoleKey.parse(text).reveal() == text


def test_all_of_base62_is_used_and_nothing_twice() -> None:
    made = [RoleKey.generate() for _ in range(400)]
    assert {character for key in made for character in key.access[4:]} == set(BASE62)
    assert {character for key in made for character in key.secret[:32]} == set(BASE62)
    assert len({key.access for key in made}) == len({key.secret for key in made}) == len(made)


def test_a_renewed_one_keeps_its_access_and_has_another_secret() -> None:
    renewed = RoleKey.generate(ACCESS)
    assert renewed.access == ACCESS
    assert renewed.secret != SECRET
    assert RoleKey.parse(renewed.reveal()) == renewed


@given(role_keys, st.integers(0, 58), st.sampled_from(MISTYPED))
def test_any_single_mistyped_character_is_noticed(text: str, at: int, character: str) -> None:
    mistyped = text[:at] + character + text[at + 1 :]
    if mistyped != text:
        refusal(mistyped)


@pytest.mark.parametrize("at", range(len(KNOWN[0])))
def test_every_place_is_covered_by_the_checksum(at: int) -> None:
    for character in BASE62:
        if character != KNOWN[0][at]:
            refusal(KNOWN[0][:at] + character + KNOWN[0][at + 1 :])


@given(role_keys)
def test_any_truncation_is_noticed(text: str) -> None:
    for length in range(len(text)):
        refusal(text[:length])
        refusal(text[length + 1 :])


@given(role_keys, st.integers(0, 59), st.sampled_from(MISTYPED))
def test_any_inserted_character_is_noticed(text: str, at: int, character: str) -> None:
    refusal(text[:at] + character + text[at:])


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (SECRET[:1], "the secret has 1 characters, 37 missing: was it cut"),
        (SECRET[:32], "the secret has 32 characters, 6 missing: was it cut"),
        (SECRET[:-1], "the secret has 37 characters, 1 missing: was it cut"),
        (SECRET + "A", "the secret has 39 characters, 1 too many: was it cut"),
        (SECRET + SECRET, "the secret has 76 characters, 38 too many: was it cut"),
        (SECRET[:-1] + "7", "the checksum does not match: a character was mistyped"),
        ("1" + SECRET[1:], "the checksum does not match: a character was mistyped"),
        (SECRET.swapcase(), "the checksum does not match: a character was mistyped"),
        ("", "a role key looks like hmk_…:…"),
        (SECRET[:-1] + "-", "a role key looks like hmk_…:…"),
        (SECRET[:-1] + "٣", "a role key looks like hmk_…:…"),
        (SECRET + "\n", "a role key looks like hmk_…:…"),
        (SECRET + ":", "a role key looks like hmk_…:…"),
    ],
)
def test_the_refusal_says_what_is_wrong_with_the_secret(secret: str, message: str) -> None:
    assert refusal(f"{ACCESS}:{secret}").startswith(message)


@pytest.mark.parametrize(
    "access",
    ["", "hmk_", ACCESS[:-1], ACCESS + "6", ACCESS[4:], "hmj" + ACCESS[3:], "HMK" + ACCESS[3:], " " + ACCESS],
)
def test_an_access_of_another_form_is_refused(access: str) -> None:
    body = SECRET[:32]
    checksum, digits = zlib.crc32(f"{access}:{body}".encode()), ""
    for _ in range(6):
        checksum, digit = divmod(checksum, 62)
        digits = BASE62[digit] + digits
    assert refusal(f"{access}:{body}{digits}").startswith("a role key looks like hmk_…:…")


@given(st.binary(min_size=1, max_size=64))
def test_the_hash_is_hmac_sha_256_of_the_whole_role_key(hash_key: bytes) -> None:
    for text in KNOWN:
        expected = hmac.new(hash_key, text.encode(), hashlib.sha256).digest()
        assert RoleKey.parse(text).hash(hash_key) == expected


def test_the_hash_depends_on_key_access_and_secret() -> None:
    role_key = RoleKey.parse(KNOWN[0])
    others = [
        role_key.hash(b"other"),
        RoleKey.parse(KNOWN[1]).hash(b"hash key"),
        RoleKey("hmk_0aZ9bY8cX7dW6eV6", SECRET).hash(b"hash key"),
    ]
    assert role_key.hash(b"hash key") not in others


def test_repr_and_str_hide_the_secret() -> None:
    role_key = RoleKey.parse(KNOWN[0])
    assert repr(role_key) == str(role_key) == f"{role_key}" == f"RoleKey(access='{ACCESS}')"
