"""The codes that callers rely on, and what an error says."""

from __future__ import annotations

from typing import get_args

import pytest

from verifier import DocumentError, InsufficientScope, InvalidClaim, TokenError, Unavailable
from verifier.errors import Code


def test_the_codes_are_these() -> None:
    assert set(get_args(Code)) == {
        "malformed",
        "bad_algorithm",
        "unknown_key",
        "bad_signature",
        "expired",
        "not_yet_valid",
        "wrong_issuer",
        "wrong_audience",
        "wrong_type",
        "invalid_claim",
        "insufficient_scope",
        "revoked",
        "revocation_stale",
        "keys_unavailable",
    }


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (TokenError("expired", "too late"), "expired", "expired: too late"),
        (Unavailable("revocation_stale", "too old"), "revocation_stale", "revocation_stale: too old"),
        (InvalidClaim("exp", "is missing"), "invalid_claim", "invalid_claim: exp is missing"),
        (
            InsufficientScope("a:b@x"),
            "insufficient_scope",
            "insufficient_scope: the token does not allow a:b@x",
        ),
        (DocumentError("too_large", "a JWKS is smaller"), "too_large", "too_large: a JWKS is smaller"),
    ],
)
def test_an_error_has_its_code_and_says_it(error: TokenError | DocumentError, code: str, text: str) -> None:
    assert (error.code, str(error)) == (code, text)
    assert text == f"{code}: {error.detail}"


def test_a_document_is_never_a_tokens_fault() -> None:
    assert not issubclass(DocumentError, TokenError)
    assert not issubclass(TokenError, DocumentError)
