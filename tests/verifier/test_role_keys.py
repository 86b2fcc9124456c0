"""Role keys at a service: exchanged once, verified each time, and dropped when the issuer drops them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from keys import RoleKey
from tests.verifier import forge
from tests.verifier.accepting import AWAY, accepting, asked, code, new_key
from tests.verifier.issuer_double import (
    LIST,
    SOON,
    TOKEN,
    IssuerDouble,
    Request,
    as_issuer,
    eventually,
    hurry,
)
from verifier import TokenError, Trust, Verifier, exchange, role_keys
from verifier.role_keys import AWAY_SECONDS, BAD_SECONDS, RoleKeys

HOUR = 3600


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def issuer() -> Iterator[IssuerDouble]:
    with IssuerDouble(long_poll=True) as double:
        yield double


@pytest.fixture
def keys(issuer: IssuerDouble) -> Iterator[RoleKeys]:
    with accepting(issuer) as opened:
        yield opened


def asked_in_all(issuer: IssuerDouble, keys: RoleKeys) -> int:
    """With what was asked beside the requests."""
    eventually(lambda: not keys._exchange._under_way)
    return asked(issuer)


def test_it_is_exchanged_once_for_a_token_of_this_service(issuer: IssuerDouble, keys: RoleKeys) -> None:
    forms: list[dict[str, str]] = []

    def note(request: Request) -> None:
        forms.append(request.form)
        as_issuer(request)

    issuer.answers[TOKEN] = note
    key = new_key(issuer, sub="role:org.account.mine")
    for _ in range(3):
        assert keys.token(key).subject == "role:org.account.mine"
    assert asyncio.run(keys.token_async(key)).audience == (forge.AUDIENCE,)
    assert forms == [{"grant_type": "client_credentials", "resource": forge.AUDIENCE}]


def test_a_known_one_waits_for_nothing(issuer: IssuerDouble, keys: RoleKeys) -> None:
    key = new_key(issuer)
    keys.token(key)
    issuer.answers[TOKEN] = Request.hang
    with pytest.raises(StopIteration):  # at the first step: nothing was awaited
        keys.token_async(key).send(None)


@pytest.mark.parametrize("key", ["hmk_x:y", "a:b", ":", "", "\ud800:", "hmk_0123456789abcdef:" + "x" * 38])
def test_what_is_none_is_not_asked_about(issuer: IssuerDouble, keys: RoleKeys, key: str) -> None:
    assert code(keys, key) == "malformed"
    assert asked(issuer) == 0


def test_a_wrong_one_is_remembered_for_some_seconds(issuer: IssuerDouble, keys: RoleKeys) -> None:
    key, now = RoleKey.generate().reveal(), time.time()
    for _ in range(3):
        assert code(keys, key, now) == "revoked"
    assert asked(issuer) == 1
    issuer.role_keys[key] = {}
    assert code(keys, key, now + BAD_SECONDS - 1) == "revoked"
    assert code(keys, key, now + BAD_SECONDS) == "good"
    assert asked(issuer) == 2


def test_a_clock_that_was_ahead_keeps_no_good_key_out(issuer: IssuerDouble, keys: RoleKeys) -> None:
    key, now = RoleKey.generate().reveal(), time.time()
    issuer.role_keys[key] = {}
    assert code(keys, key, now + 7200) == "keys_unavailable", "check the clocks"
    assert code(keys, key, now) == "good"


def test_a_revoked_token_is_dropped_and_the_key_asked_once_more(issuer: IssuerDouble, keys: RoleKeys) -> None:
    old = {"status": {"status_list": {"idx": 7, "uri": issuer.url + LIST}}}
    narrowed, deleted = new_key(issuer, **old), new_key(issuer, **old)
    assert (code(keys, narrowed), code(keys, deleted)) == ("good", "good")
    issuer.role_keys[narrowed] = {}
    del issuer.role_keys[deleted]
    assert (code(keys, narrowed), code(keys, deleted), asked(issuer)) == ("good", "good", 2)
    issuer.publish(7)
    eventually(lambda: code(keys, deleted) == "revoked")
    assert (code(keys, narrowed), code(keys, deleted), asked(issuer)) == ("good", "revoked", 4)


def test_a_renewed_secret_works_at_once(issuer: IssuerDouble, keys: RoleKeys) -> None:
    old = new_key(issuer)
    keys.token(old)
    new = RoleKey.generate(RoleKey.parse(old).access).reveal()
    assert code(keys, new) == "revoked"
    newer = RoleKey.generate(RoleKey.parse(old).access).reveal()
    issuer.role_keys[newer] = {}
    assert code(keys, newer) == "good"


def test_when_the_signing_key_was_stolen_its_token_is_dropped(issuer: IssuerDouble, keys: RoleKeys) -> None:
    key = new_key(issuer)
    keys.token(key)
    issuer.jwks = forge.jwks(forge.key(owner="next"))
    issuer.answers[TOKEN] = lambda request: request.send(
        json.dumps({"access_token": issuer.token(forge.key(owner="next"))}).encode()
    )
    issuer.publish(signer=forge.key(owner="next"))
    eventually(lambda: code(keys, key) == "good" and asked(issuer) >= 2)


def test_a_key_of_the_issuer_that_is_too_new_is_no_fault_of_the_role_key(
    issuer: IssuerDouble, keys: RoleKeys
) -> None:
    newest = forge.key(owner="newest")
    issuer.answers[TOKEN] = lambda request: request.send(
        json.dumps({"access_token": issuer.token(newest)}).encode()
    )
    assert code(keys, new_key(issuer)) == AWAY


def test_from_eighty_percent_on_it_is_asked_beside_the_requests(issuer: IssuerDouble, keys: RoleKeys) -> None:
    key, now = new_key(issuer, jti="first"), time.time()
    assert keys.token(key).token_id == "first"
    issuer.role_keys[key] = {"jti": "second"}
    assert keys.token(key, now=now + 0.79 * HOUR).token_id == "first"
    assert asked_in_all(issuer, keys) == 1
    assert keys.token(key, now=now + 0.81 * HOUR).token_id == "first", "nobody waits"
    eventually(lambda: keys.token(key, now=now).token_id == "second")
    assert asked(issuer) == 2


def test_where_the_issuer_is_away_a_token_is_good_until_its_end(issuer: IssuerDouble, keys: RoleKeys) -> None:
    key, now = new_key(issuer), time.time()
    keys.token(key)
    issuer.answers[TOKEN] = lambda request: request.send(b"", 503)
    for _ in range(3):
        assert code(keys, key, now + 0.9 * HOUR) == "good"
    issuer.await_requests(TOKEN, 2)
    eventually(lambda: len(keys._bad) == 1)
    assert code(keys, key, now + 0.9 * HOUR) == "good"
    assert asked_in_all(issuer, keys) == 2
    assert code(keys, key, now + 0.9 * HOUR + AWAY_SECONDS) == "good"
    issuer.await_requests(TOKEN, 3)
    # A list of that moment: what ends here is the token.
    issuer.publish(lifetime=3 * HOUR)
    eventually(lambda: code(keys, key, now + HOUR + 1) == AWAY)


def test_refused_beside_the_requests_it_is_dropped(issuer: IssuerDouble, keys: RoleKeys) -> None:
    key, now = new_key(issuer), time.time()
    keys.token(key)
    del issuer.role_keys[key]
    keys.token(key, now=now + 0.9 * HOUR)
    eventually(lambda: code(keys, key, now + 0.9 * HOUR) == "revoked")
    assert asked(issuer) == 2


def says(status: int, body: dict[str, str] | bytes) -> Callable[[Request], None]:
    document = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda request: request.send(document, status)


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (says(400, {"error": "invalid_target"}), "wrong_audience"),
        (says(400, {"error": "invalid_scope"}), "insufficient_scope"),
        (says(429, {"error": "slow_down"}), "revoked"),
        (says(200, {"access_token": "nonsense"}), "malformed"),
        (says(400, {"error": "invalid_request"}), AWAY),
        (says(500, {"error": "invalid_client"}), AWAY),
        (says(200, {"token_type": "Bearer"}), AWAY),
        (says(302, b"{}"), AWAY),
        (says(200, b"<html>"), AWAY),
        (says(200, b'{"access_token": "' + b"x" * 70000 + b'"}'), AWAY),
        (lambda request: request.connection.close(), AWAY),
    ],
)  # fmt: skip
def test_what_the_issuer_answers(
    issuer: IssuerDouble, keys: RoleKeys, answer: Callable[[Request], None], refusal: str
) -> None:
    issuer.answers[TOKEN] = answer
    key, now = new_key(issuer), time.time()
    for _ in range(2):
        assert code(keys, key, now) == refusal
    assert asked(issuer) == 1
    with pytest.raises(TokenError) as found:
        asyncio.run(keys.token_async(key, now=now))
    assert found.value.code == refusal
    del issuer.answers[TOKEN]
    is_final = refusal != AWAY
    assert code(keys, key, now + AWAY_SECONDS) == (refusal if is_final else "good")


def test_a_token_for_another_service_is_none_here(issuer: IssuerDouble, keys: RoleKeys) -> None:
    assert code(keys, new_key(issuer, aud="https://other.example")) == "wrong_audience"


def test_wrong_ones_fill_neither_memory_nor_the_issuer(
    issuer: IssuerDouble, keys: RoleKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role_keys, "MAX_REMEMBERED", 8)
    good = new_key(issuer)
    keys.token(good)
    for _ in range(20):
        assert code(keys, RoleKey.generate().reveal()) == "revoked"
        assert len(keys._bad) <= 8
    assert (code(keys, good), asked(issuer)) == ("good", 21)
    monkeypatch.setattr(exchange, "MAX_UNDER_WAY", 2)
    issuer.answers[TOKEN] = Request.hang
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(code, keys, RoleKey.generate().reveal()) for _ in range(2)]
        issuer.await_requests(TOKEN, 23)
        assert code(keys, RoleKey.generate().reveal()) == AWAY
        assert asked(issuer) == 23
        keys.close()
        assert {each.result(SOON) for each in waiting} == {AWAY}


def test_while_the_list_is_stale_nothing_is_asked(issuer: IssuerDouble, keys: RoleKeys) -> None:
    key, now = new_key(issuer), time.time()
    keys.token(key)
    issuer.publish(lifetime=60)
    eventually(lambda: code(keys, key, now + 61) == "revocation_stale")
    assert asked(issuer) == 1


def test_no_secret_in_a_log_or_in_what_is_printed(
    issuer: IssuerDouble, keys: RoleKeys, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    key = new_key(issuer)
    keys.token(key)
    issuer.answers[TOKEN] = says(400, b"nonsense")
    wrong = new_key(issuer)
    assert code(keys, wrong) == AWAY
    assert "a role key was not exchanged: JSONDecodeError" in caplog.text
    printed = f"{caplog.text}{keys._good!r}{keys._bad!r}{exchange.Exchanged('header.payload.signature')!r}"
    for secret in (*(RoleKey.parse(each).secret for each in (key, wrong)), "eyJ", "signature"):
        assert secret not in printed


@pytest.mark.parametrize("audience", [None, "https://other.example"])
def test_the_service_must_be_known(issuer: IssuerDouble, audience: str | None) -> None:
    trust = Trust(issuer.url)
    verifier = Verifier(issuer.url, [forge.AUDIENCE, "https://second.example"], trust=trust)
    with pytest.raises(ValueError, match=r"one of the verifier's: https://api\.example, https://second"):
        RoleKeys(verifier, audience=audience)
    RoleKeys(verifier, audience="https://second.example").close()
    with pytest.raises(ValueError, match="https URL"):
        RoleKeys(Verifier("http://issuer.example", "a", trust=Trust("http://issuer.example")))
