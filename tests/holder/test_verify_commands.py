"""`hourmark verify` and `hourmark can`: the verdict, its reason, and what to do."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from keys import SigningKey
from tests.holder.conftest import Hourmark
from tests.holder.issuer_double import SERVICES, IssuerDouble
from verifier import StatusReference

ROLE = "org.account.token"


@pytest.fixture(autouse=True)
def url(issuer: IssuerDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody needs a credential to verify."""
    monkeypatch.setenv("HOURMARK_URL", issuer.url)


def test_a_good_token_is_explained(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    token = issuer.mint(ROLE, "data:get@*")
    done = hourmark("verify", token)
    assert done.code == 0
    assert re.search(rf"^sub: +role:{ROLE}$", done.out, re.MULTILINE)
    assert f"the token's own, {SERVICES}" in done.err
    assert f"Good: {issuer.url} signed it for role:{ROLE}" in done.err
    assert [request.path for request in issuer.requests] == ["/.well-known/jwks.json", "/status/1"]
    assert not any("Authorization" in request.headers for request in issuer.requests)


def test_it_is_read_from_a_pipe_too(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    token = issuer.mint(ROLE, "data:get@*")
    for arguments in (("verify", "-"), ("verify",)):
        done = hourmark(*arguments, "-o", "json", "--audience", SERVICES, stdin=token + "\n")
        assert (done.json["sub"], "No --audience" in done.err) == (f"role:{ROLE}", False)


@pytest.mark.parametrize(
    ("ahead", "code", "says"),
    [
        (10_000, "not_yet_valid", "the clock of this machine is 2 hours behind the issuer's"),
        (-10_000, "expired", "the clock of this machine is 2 hours ahead of the issuer's"),
    ],
)
def test_a_new_token_where_the_clock_is_wrong(
    hourmark: Hourmark, issuer: IssuerDouble, ahead: int, code: str, says: str
) -> None:
    issuer.ahead = ahead
    done = hourmark("verify", issuer.mint(ROLE, "data:get@*"), "-o", "json")
    assert (done.error["code"], says in done.err) == (code, True), done.err
    assert ("set the clock" in done.error["hint"], done.out) == (True, "")


def test_where_the_clock_is_right_nothing_is_said_of_it(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    issued = time.time() - 7200
    done = hourmark("verify", issuer.mint(ROLE, "*", issued_at=issued, expires_at=issued + 3600))
    assert (done.code, "clock" in done.err) == (1, False)


def forged(issuer: IssuerDouble) -> str:
    good = issuer.signing_key
    issuer.signing_key = SigningKey.generate("ES256")
    token = issuer.mint(ROLE, "*")
    issuer.signing_key = good
    return token


def spoilt(token: str) -> str:
    head, payload, signature = token.split(".")
    return f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


BAD: list[tuple[str, int, Any]] = [
    ("malformed", 1, lambda _: "not.a.signed-token"),
    ("malformed", 1, lambda _: "no-token-at-all"),
    ("malformed", 1, lambda issuer: issuer.signing_key.sign(b"[]", "at+jwt")),
    ("unknown_key", 1, forged),
    ("bad_signature", 1, lambda issuer: spoilt(issuer.mint(ROLE, "*"))),
    (
        "expired",
        1,
        lambda issuer: issuer.mint(ROLE, "*", issued_at=time.time() - 9, expires_at=time.time() - 5),
    ),
    ("not_yet_valid", 1, lambda issuer: issuer.mint(ROLE, "*", not_before=time.time() + 99)),
    ("wrong_issuer", 1, lambda issuer: issuer.mint(ROLE, "*", issuer="https://elsewhere.example")),
    ("invalid_claim", 1, lambda issuer: issuer.mint(ROLE, "*", status=None)),
    ("wrong_audience", 1, lambda issuer: issuer.mint(ROLE, "*", audience="")),
    ("wrong_type", 1, lambda issuer: issuer.signing_key.sign(b"{}", "JWT")),
    (
        "revocation_stale",
        7,
        lambda issuer: issuer.mint(
            ROLE, "*", status=StatusReference("https://elsewhere.example/status/1", 1)
        ),
    ),
]


@pytest.mark.parametrize(("code", "exit_code", "make"), BAD)
def test_a_bad_token_is_explained(
    hourmark: Hourmark, issuer: IssuerDouble, code: str, exit_code: int, make: Any
) -> None:
    token = make(issuer)
    done = hourmark("verify", "-", "-o", "json", stdin=token)
    assert (done.code, done.out) == (exit_code, "")
    assert done.error["code"] == code
    assert done.error["hint"]
    assert token.rpartition(".")[2] not in done.err


def test_reasons_carry_what_the_token_says(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    elsewhere = issuer.mint(ROLE, "*", issuer="https://elsewhere.example")
    assert "it comes from https://elsewhere.example" in hourmark("verify", elsewhere).err
    token = issuer.mint(ROLE, "*")
    wrong = hourmark("verify", token, "--audience", "urn:other")
    assert (wrong.code, f"it is for {SERVICES}" in wrong.err) == (1, True)
    issuer.revoked.add(7)
    revoked = hourmark("verify", token)
    assert (revoked.code, "revoked" in revoked.err, "try: " in revoked.err) == (1, True, True)


def test_what_is_no_token_at_all(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    key = issuer.add_key().reveal()
    done = hourmark("verify", key)
    assert (done.code, "hourmark whoami" in done.err, key in done.err) == (2, True, False)
    assert hourmark("can", key, "data:get@a").code == 2


def test_documents_that_are_not_the_issuers(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    token = issuer.mint(ROLE, "*")
    issuer.instead["GET /.well-known/jwks.json"] = (200, {}, b'{"keys": []}')
    done = hourmark("verify", token, "-o", "json")
    assert (done.code, done.error["code"]) == (1, "malformed")
    issuer.instead["GET /.well-known/jwks.json"] = (503, {}, b"")
    assert hourmark("verify", token).code == 7


@pytest.mark.parametrize(
    ("permission", "by"),
    [
        ("data:get@x", "data:get@*"),
        ("app:query@my-app[group=A]", "app:query@*[group=A]"),
        ("app:query@my-app[group=A,team=nlp]", "app:query@*[group=A]"),
    ],
)
def test_can(hourmark: Hourmark, issuer: IssuerDouble, permission: str, by: str) -> None:
    token = issuer.mint(ROLE, "data:get@* app:query@*[group=A]")
    done = hourmark("can", token, permission)
    assert (done.code, done.out) == (0, f"yes: {permission} is allowed by {by}\n")
    as_json = hourmark("can", "-", permission, "-o", "json", stdin=token)
    assert as_json.code == 0
    assert as_json.json == {"allowed": True, "permission": permission, "by": by, "missing": []}


def test_cannot(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    token = issuer.mint(ROLE, "data:get@* app:query@*[group=A]")
    missing = ["app:query@*[group=A] asks for the label group=A"]
    done = hourmark("can", token, "app:query@my-app")
    assert (done.code, done.out) == (5, "\n  ".join(["no: nothing allows app:query@my-app", *missing]) + "\n")
    as_json = hourmark("can", token, "app:query@my-app", "-o", "json")
    assert as_json.code == 5
    assert as_json.json == {
        "allowed": False,
        "permission": "app:query@my-app",
        "by": None,
        "missing": missing,
    }


@pytest.mark.parametrize(
    "permission", ["*", "data:*@x", "data:get@x*", "data:get@[a=1]", "data:get@x[a=1,a=2]", "data"]
)
def test_can_asks_for_one_request(hourmark: Hourmark, issuer: IssuerDouble, permission: str) -> None:
    assert hourmark("can", issuer.mint(ROLE, "*"), permission).code == 2


def test_a_bad_token_can_nothing(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    issuer.revoked.add(7)
    assert hourmark("can", issuer.mint(ROLE, "*"), "data:get@x").code == 1
