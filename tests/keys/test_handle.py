"""Handles: opaque secrets that say what they are for, and whether they are whole."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from keys import Handle, handle_hash
from keys.secret import checksum

KINDS = {"hms_", "hmc_", "hmr_", "hmd_", "hmi_", "hmx_", "hmj_", "hmv_", "hme_"}


def test_each_kind_has_a_beginning_of_its_own() -> None:
    assert {kind.value for kind in Handle} == KINDS


@pytest.mark.parametrize("kind", Handle)
def test_a_new_one_is_whole_and_of_its_kind_alone(kind: Handle) -> None:
    text = kind.generate()
    assert len(text) == 4 + 32 + 6
    assert [other for other in Handle if other.is_whole(text)] == [kind]
    assert kind.generate() != text


@pytest.mark.parametrize("kind", Handle)
def test_what_is_not_whole(kind: Handle) -> None:
    text = kind.generate()
    longer = text[:-6] + "0"
    for wrong in ("", kind.value, text[:-1], text + "0", longer + checksum(longer), text.replace("_", "-")):
        assert not kind.is_whole(wrong)
    assert not kind.is_whole(text[:-1] + ("0" if text[-1] != "0" else "1"))
    assert not kind.is_whole("ä" + text[1:])


def test_it_is_kept_as_a_keyed_hash() -> None:
    text, key = Handle.SESSION.generate(), b"k" * 32
    assert handle_hash(text, key) == hmac.new(key, text.encode(), hashlib.sha256).digest()
