from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from keys import KeyEncryptionKey, SealBroken, SigningKey

KEY = KeyEncryptionKey(bytes(range(32)))
KEY_TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

# Sealed outside this code under KEY with the nonce 10…1b: version, nonce, AES-256-GCM ciphertext, tag.
SEALED = bytes.fromhex("01101112131415161718191a1b1cdee86420bf5bc7af55637876d8045079a0968728edec526ce95d45c0")


@given(st.binary(max_size=200), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_what_is_sealed_opens_again(plaintext: bytes, purpose: str) -> None:
    assert KEY.open(KEY.seal(plaintext, purpose), purpose) == plaintext


def test_what_was_sealed_long_ago_still_opens() -> None:
    assert KEY.open(SEALED, "signing-key 7") == b"a private key"


def test_the_form_is_version_nonce_and_aes_gcm() -> None:
    sealed = KEY.seal(b"a private key", "signing-key 7")
    version, nonce, ciphertext = sealed[:1], sealed[1:13], sealed[13:]
    assert version == b"\x01"
    assert len(ciphertext) == len(b"a private key") + 16
    assert AESGCM(bytes(range(32))).decrypt(nonce, ciphertext, b"signing-key 7") == b"a private key"


def test_a_nonce_is_never_used_twice() -> None:
    nonces = {KEY.seal(b"same", "same")[1:13] for _ in range(500)}
    assert len(nonces) == 500


@pytest.mark.parametrize("purpose", ["", "signing-key 8", "signing-key 7 ", "Signing-key 7", "signing-key"])
def test_it_does_not_open_for_another_purpose(purpose: str) -> None:
    with pytest.raises(SealBroken, match="does not open: the key-encryption key is another one"):
        KEY.open(SEALED, purpose)


def test_it_does_not_open_with_another_key() -> None:
    with pytest.raises(SealBroken, match="signing-key 7 does not open"):
        KeyEncryptionKey.generate().open(SEALED, "signing-key 7")


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(at: int, change: int) -> None:
    changed = SEALED[:at] + bytes([SEALED[at] ^ change]) + SEALED[at + 1 :]
    with pytest.raises(SealBroken):
        KEY.open(changed, "signing-key 7")


@pytest.mark.parametrize("length", range(len(SEALED)))
def test_any_truncation_is_noticed(length: int) -> None:
    with pytest.raises(SealBroken):
        KEY.open(SEALED[:length], "signing-key 7")


@pytest.mark.parametrize("sealed", [b"", b"\x00" + SEALED[1:], b"\x02" + SEALED[1:], SEALED[1:]])
def test_an_unknown_version_is_named(sealed: bytes) -> None:
    with pytest.raises(SealBroken, match="sealed in a form that is not known here"):
        KEY.open(sealed, "signing-key 7")


def test_a_signing_key_at_rest() -> None:
    signing_key = SigningKey.generate("ES256")
    sealed = KEY.seal(signing_key.to_der(), signing_key.kid)
    assert signing_key.to_der() not in sealed
    assert SigningKey.from_der("ES256", KEY.open(sealed, signing_key.kid)).kid == signing_key.kid


@pytest.mark.parametrize("text", [KEY_TEXT, f"{KEY_TEXT}\n", f" \t{KEY_TEXT}\r\n"])
def test_parse_takes_what_a_file_holds(text: str) -> None:
    assert KeyEncryptionKey.parse(text) == KEY


def test_text_and_back() -> None:
    assert KEY.to_text() == KEY_TEXT
    key = KeyEncryptionKey.generate()
    assert KeyEncryptionKey.parse(key.to_text()) == key
    assert len(key.to_text()) == 43
    assert KeyEncryptionKey.generate() != key


@pytest.mark.parametrize(
    "text",
    [
        "",
        KEY_TEXT[:-1],
        KEY_TEXT[1:],
        KEY_TEXT + "A",
        KEY_TEXT + "=",
        KEY_TEXT[:-1] + "9",  # bits that no byte uses
        KEY_TEXT[:20] + " " + KEY_TEXT[20:],
        KEY_TEXT[:20] + "+" + KEY_TEXT[21:],
        KEY_TEXT[:20] + "é" + KEY_TEXT[21:],
        KEY_TEXT[:20] + "\ud800" + KEY_TEXT[21:],
        bytes(range(32)).hex(),
        "AAECAwQFBgcICQoLDA0ODw",  # 128 bits
    ],
)
def test_parse_refuses_anything_else_and_never_quotes_it(text: str) -> None:
    with pytest.raises(ValueError, match="32 random bytes in base64url, 43 characters") as refused:
        KeyEncryptionKey.parse(text)
    assert KEY_TEXT[:8] not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_repr_hides_the_key() -> None:
    assert repr(KEY) == str(KEY) == f"{KEY}" == "KeyEncryptionKey()"
