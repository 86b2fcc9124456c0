"""Bearer tokens over HTTP, out of a header and into an answer."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier import InsufficientScope, InvalidClaim, TokenError, Unavailable
from verifier.bearer import bearer_token, challenge
from verifier.errors import Code


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (None, None),
        ("", None),
        (" ", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("Bearer   ", None),
        ("Bearer a.b.c", "a.b.c"),
        ("bearer a.b.c", "a.b.c"),
        ("BEARER a.b.c", "a.b.c"),
        ("Bearer   a.b.c ", "a.b.c"),
        ("Bearer a b", "a b"),
        ("Bearer\ta.b.c", None),
        (" Bearer a.b.c", None),
        ("Basic dXNlcjpwYXNz", None),
        ("Bearerx a.b.c", None),
        ("DPoP a.b.c", None),
        ("a.b.c", None),
    ],
)
def test_bearer_token(header: str | None, token: str | None) -> None:
    assert bearer_token(header) == token


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (None, (401, "Bearer")),
        (
            TokenError("expired", "the token has expired: get a new one"),
            (401, 'Bearer error="invalid_token", error_description="the token has expired: get a new one"'),
        ),
        (
            InvalidClaim("exp", "is missing"),
            (401, 'Bearer error="invalid_token", error_description="exp is missing"'),
        ),
        (
            InsufficientScope("app:query@x[g=A]"),
            (403, 'Bearer error="insufficient_scope", scope="app:query@x[g=A]"'),
        ),
        (
            TokenError("malformed", 'a "b"\\c\r\nd\t\x7f\u00e9 ~'),
            (401, 'Bearer error="invalid_token", error_description="a bcd ~"'),
        ),
        (
            InsufficientScope('app:query@x[a="b"\\]'),
            (403, 'Bearer error="insufficient_scope", scope="app:query@x[a=b]"'),
        ),
        (Unavailable("revocation_stale", "the status list has expired"), (503, None)),
        (Unavailable("keys_unavailable", "not loaded"), (503, None)),
    ],
)
def test_challenge(error: TokenError | None, answer: tuple[int, str | None]) -> None:
    assert challenge(error) == answer


@pytest.mark.parametrize("code", get_args(Code))
def test_only_what_is_not_the_tokens_fault_asks_to_come_back(code: Code) -> None:
    assert challenge(TokenError(code, "why"))[0] == 401
    assert challenge(Unavailable(code, "why"))[0] == 503


@given(st.text() | st.text('ab"\\ \r\n'))
def test_no_text_breaks_out_of_the_header(text: str) -> None:
    for error in (TokenError("malformed", text), InsufficientScope(text)):
        _, header = challenge(error)
        assert re.fullmatch(r'Bearer error="[a-z_]+", [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"', header or "")
