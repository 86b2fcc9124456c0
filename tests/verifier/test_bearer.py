"""Bearer tokens over HTTP, out of a header and into an answer."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier import InsufficientScope, InvalidClaim, TokenError, Unavailable
from verifier.bearer import Refusal, bearer_token, challenge, role_key
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
    ("header", "key"),
    [
        (None, None),
        ("Bearer a.b.c", None),
        ("Bearer hmk_a:b", "hmk_a:b"),
        ("bearer  hmk_a:b ", "hmk_a:b"),
        ("Basic aG1rX2E6Yg==", "hmk_a:b"),
        ("basic  aG1rX2E6Yg==", "hmk_a:b"),
        ("Basic aG1rX2E=", None),
        ("Basic hmk_a:b", None),
        ("Basic /w==", None),
        ("Basic", None),
        ("Digest hmk_a:b", None),
    ],
)
def test_role_key(header: str | None, key: str | None) -> None:
    assert role_key(header) == key


def test_a_refusal_as_problem_details() -> None:
    body, headers = Refusal.of(InsufficientScope("app:query@x")).problem()
    assert json.loads(body) == {
        "type": "urn:hourmark:error:insufficient_scope",
        "title": "Forbidden",
        "status": 403,
        "detail": "the token does not allow app:query@x",
        "code": "insufficient_scope",
        "reason": "insufficient_scope",
    }
    assert headers == {
        "WWW-Authenticate": 'Bearer error="insufficient_scope", scope="app:query@x"',
        "Content-Type": "application/problem+json",
        "Cache-Control": "no-store",
    }
    body, headers = Refusal.of(None).problem()
    assert (json.loads(body)["code"], "reason" in json.loads(body)) == ("invalid_token", False)


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
        (InsufficientScope(""), (403, 'Bearer error="insufficient_scope"')),
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
    for error in (TokenError("malformed", text), InsufficientScope(f"a:b@{text}")):
        _, header = challenge(error)
        assert re.fullmatch(r'Bearer error="[a-z_]+", [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"', header or "")
