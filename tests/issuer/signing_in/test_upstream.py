"""An attempt in its cookie: only as it was sealed, only for its provider, only for a while."""

from __future__ import annotations

import time

import pytest

from issuer.signing_in import upstream
from issuer.signing_in.upstream import LIFETIME, Attempt, UpstreamRefused
from keys import base64url

KEY = b"k" * 32


def attempt(began_at: int | None = None) -> Attempt:
    return Attempt("corp", "/", 7, True, int(time.time()) if began_at is None else began_at, {"nonce": "n"})


def test_it_comes_back_as_it_was_sealed() -> None:
    begun = attempt()
    assert upstream.unseal(upstream.seal(begun, KEY), "corp", KEY) == begun


def test_nothing_else_comes_back() -> None:
    sealed = upstream.seal(attempt(), KEY)
    body, mac = sealed.split(".")
    another = base64url.encode(base64url.decode(body.encode()).replace(b",7,", b",1,")).decode()
    for text, provider, key in (
        (f"{another}.{mac}", "corp", KEY),
        (body, "corp", KEY),
        (f"{body}.", "corp", KEY),
        ("", "corp", KEY),
        (".", "corp", KEY),
        (f"{sealed}\u00e9", "corp", KEY),
        (sealed, "lab", KEY),
        (sealed, "corp", b"l" * 32),
        (upstream.seal(attempt(int(time.time()) - LIFETIME), KEY), "corp", KEY),
    ):
        with pytest.raises(UpstreamRefused):
            upstream.unseal(text, provider, key)
