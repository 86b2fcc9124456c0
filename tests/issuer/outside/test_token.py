"""The form and the time of outside tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from issuer.outside.token import MAX_LIFETIME, OutsideToken
from keys import base64url
from tests.verifier.forge import ABSENT, NOW, compact, key, present
from verifier import TokenError

CLAIMS = {"iss": "https://ci.example", "sub": "s", "aud": "a", "iat": NOW - 60, "exp": NOW + 600}


def written(header: dict[str, Any] | None = None, payload: bytes | None = None, **claims: Any) -> str:
    head = {"alg": "ES256", "kid": key().kid, "typ": "JWT"} | (header or {})
    body = json.dumps(present(CLAIMS | claims)).encode() if payload is None else payload
    return compact(json.dumps(present(head)).encode(), body)


def verdict(raw: str, now: float = NOW) -> str:
    try:
        OutsideToken.parse(raw).check_time(now)
    except TokenError as error:
        return error.code
    return "good"


@pytest.mark.parametrize("typ", [ABSENT, "JWT", "jwt", "at+jwt", "application/at+jwt"])
def test_id_and_access_tokens_of_any_issuer(typ: object) -> None:
    assert verdict(written({"typ": typ})) == "good"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "malformed"),
        ("a.b", "malformed"),
        ("a.b.c.d.e", "malformed"),
        ("x" * 9000, "malformed"),
        (written(payload=b'{"iss":"a","iss":"b","exp":1}'), "malformed"),
        (written(payload=b"[]"), "malformed"),
        (written(payload=b'{"exp":NaN}'), "malformed"),
        (written({"crit": ["x"]}), "malformed"),
        (written({"b64": False}), "malformed"),
        (written({"typ": "logout+jwt"}), "wrong_type"),
        (written({"typ": "statuslist+jwt"}), "wrong_type"),
        (written({"typ": "dpop+jwt"}), "wrong_type"),
        (written({"typ": "secevent+jwt"}), "wrong_type"),
        (written(iss=ABSENT), "invalid_claim"),
        (written(iss=""), "invalid_claim"),
        (written(iss=["https://ci.example"]), "invalid_claim"),
        (written(exp=ABSENT), "invalid_claim"),
        (written(exp="2030-01-01"), "invalid_claim"),
        (written(exp=True), "invalid_claim"),
        (written(exp=(NOW + 600) * 1000), "invalid_claim"),
        (written(iat="now"), "invalid_claim"),
        (written(cnf={"jkt": "x"}), "invalid_claim"),
        (written(exp=NOW), "expired"),
        (written(exp=NOW - 1), "expired"),
        (written(iat=NOW + 31), "not_yet_valid"),
        (written(nbf=NOW + 31), "not_yet_valid"),
        (written(iat=NOW - 60, exp=NOW - 60 + MAX_LIFETIME + 1), "invalid_claim"),
        (written(iat=ABSENT, exp=NOW + MAX_LIFETIME + 1), "invalid_claim"),
    ],
)
def test_what_is_refused(raw: str, code: str) -> None:
    assert verdict(raw) == code


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW + 1},
        {"iat": NOW + 30},
        {"nbf": NOW + 30},
        {"iat": ABSENT},
        {"iat": NOW, "exp": NOW + MAX_LIFETIME},
        {"exp": NOW + 0.5},
    ],
)
def test_what_is_just_good(claims: dict[str, Any]) -> None:
    assert verdict(written(**claims)) == "good"


def test_it_shows_nothing_of_itself() -> None:
    raw = written(sub="secret-subject")
    shown = repr(OutsideToken.parse(raw))
    assert "secret-subject" not in shown
    assert raw.rpartition(".")[2] not in shown
    assert base64url.encode(b"secret-subject").decode() not in shown
