"""When the keys are fetched before their time: rarely for unknown tokens, at once for a list's new signer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from keys import base64url
from tests.verifier import forge
from tests.verifier.issuer_double import JWKS, LIST, SOON, IssuerDouble, Request, eventually, hurry, verdict
from verifier import Verifier, refresh
from verifier.background import Background

OLD, NEW = forge.key(), forge.key(owner="next")
_REST = forge.token().partition(".")[2]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def test_a_key_that_is_published_after_the_load_is_fetched_for_its_first_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refresh, "COOLDOWN", 0.05)
    with IssuerDouble() as issuer, issuer.verifier() as verifier:
        issuer.jwks = forge.jwks(OLD, NEW)
        assert verdict(verifier, issuer.token(NEW)) == "unknown_key"
        eventually(lambda: verdict(verifier, issuer.token(NEW)) == "good")
        assert verdict(verifier, issuer.token(OLD)) == "good"


def _unknown(number: object) -> str:
    """A token of good form; its signature is not looked at, because its key is unknown."""
    header = json.dumps({"alg": "ES256", "kid": str(number), "typ": "at+jwt"}).encode()
    return f"{base64url.encode(header).decode()}.{_REST}"


def _attack(verifier: Verifier, tokens: list[str]) -> None:
    def attack(part: list[str]) -> None:
        verdicts.update(verdict(verifier, token) for token in part)

    verdicts: set[str] = set()
    threads = [threading.Thread(target=attack, args=(tokens[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == {"unknown_key"}


def test_unknown_kids_cause_one_fetch_a_cooldown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "COOLDOWN", 0.2)
    tokens = [_unknown(number) for number in range(40)]
    with IssuerDouble() as issuer, issuer.verifier() as verifier:

        def fetched_after_attack() -> bool:
            _attack(verifier, tokens)
            return len(issuer.times(JWKS)) >= 4

        eventually(fetched_after_attack)
        # Requests are seen a little after they were sent, so a little less than the cooldown can lie between.
        assert all(later - earlier > 0.15 for earlier, later in pairwise(issuer.times(JWKS)))


def test_ten_thousand_unknown_kids_within_the_cooldown_cause_no_fetch_and_no_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[object] = []
    tell = Background.tell

    def count(worker: Background, callback: Callable[[], None]) -> None:
        told.append(callback)
        tell(worker, callback)

    tokens = [_unknown(number) for number in range(10_000)]
    with IssuerDouble() as issuer, issuer.verifier() as verifier:
        monkeypatch.setattr(Background, "tell", count)
        _attack(verifier, tokens)
        assert len(told) <= 4, "each thread may have found that nobody has asked yet, but once only"
        assert len(issuer.times(JWKS)) == 1
        assert verdict(verifier, issuer.token()) == "good"


def test_a_fetch_under_way_blocks_no_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "COOLDOWN", 0.0)
    with IssuerDouble() as issuer, issuer.verifier() as verifier:
        issuer.answers[JWKS] = Request.hang
        assert verdict(verifier, issuer.token(NEW)) == "unknown_key"
        issuer.await_requests(JWKS, 2)
        before = time.monotonic()
        assert verdict(verifier, issuer.token(NEW)) == "unknown_key"
        assert verdict(verifier, issuer.token(OLD)) == "good"
        assert time.monotonic() - before < refresh.DEADLINE / 2
        assert len(issuer.times(JWKS)) == 2


def test_unknown_kids_do_not_put_off_the_next_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cooldown is a minimum for the tokens' wishes, not for what was due anyway."""
    monkeypatch.setattr(refresh, "_KEYS_AGE", (0.05, 0.05))
    with IssuerDouble() as issuer, issuer.verifier() as verifier:
        assert verdict(verifier, issuer.token(NEW)) == "unknown_key"
        issuer.await_requests(JWKS, 3)


def test_a_withdrawn_key_is_trusted_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "_KEYS_AGE", (0.05, 0.05))
    with IssuerDouble() as issuer, issuer.verifier() as verifier:
        token = issuer.token(OLD)
        assert verdict(verifier, token) == "good"
        issuer.publish(signer=NEW)
        issuer.jwks = forge.jwks(NEW)
        eventually(lambda: verdict(verifier, token) == "unknown_key")
        # Its list went with it; the new one is asked for at once, and not when the old one would have been.
        eventually(lambda: verdict(verifier, issuer.token(NEW)) == "good")


def test_a_list_by_an_unknown_key_brings_the_keys_within_the_cooldown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refresh, "COOLDOWN", 3600.0)
    with IssuerDouble(long_poll=True) as issuer, issuer.verifier() as verifier:
        token = issuer.token(OLD)
        assert verdict(verifier, issuer.token(NEW)) == "unknown_key"
        issuer.await_requests(LIST, 2)
        issuer.jwks = forge.jwks(NEW)
        issuer.publish(signer=NEW)
        eventually(lambda: verdict(verifier, token) == "unknown_key")
        eventually(lambda: verdict(verifier, issuer.token(NEW)) == "good")


def test_a_list_by_another_known_key_brings_the_keys_too() -> None:
    with IssuerDouble(long_poll=True) as issuer:
        issuer.jwks = forge.jwks(OLD, NEW)
        with issuer.verifier() as verifier:
            token = issuer.token(OLD)
            assert verdict(verifier, token) == "good"
            issuer.await_requests(LIST, 2)
            issuer.jwks = forge.jwks(NEW)
            issuer.publish(signer=NEW)
            eventually(lambda: verdict(verifier, token) == "unknown_key")


def test_the_keys_that_a_list_asked_for_are_asked_for_until_they_come() -> None:
    with IssuerDouble(long_poll=True) as issuer:
        issuer.jwks = forge.jwks(OLD, NEW)
        with issuer.verifier() as verifier:
            token = issuer.token(OLD)
            issuer.await_requests(LIST, 2)
            issuer.jwks = forge.jwks(NEW)
            issuer.answers[JWKS] = lambda request: request.send(b"", 503)
            issuer.publish(signer=NEW)
            issuer.await_requests(JWKS, 3)
            assert verdict(verifier, token) == "good"
            issuer.answers.clear()
            eventually(lambda: verdict(verifier, token) == "unknown_key")


def test_a_wish_during_a_fetch_is_not_lost() -> None:
    """The list may tell of a change that the answer under way does not know yet."""
    with IssuerDouble(long_poll=True) as issuer:
        before, answered = forge.jwks(OLD, NEW), threading.Event()
        issuer.jwks = before
        with issuer.verifier() as verifier:
            token = issuer.token(OLD)
            issuer.await_requests(LIST, 2)

            def late(request: Request) -> None:
                assert answered.wait(SOON)
                request.send(before)

            issuer.answers[JWKS] = late
            issuer.publish(signer=NEW)
            issuer.await_requests(JWKS, 2)
            issuer.answers.clear()
            issuer.jwks = forge.jwks(NEW)
            issuer.publish(signer=OLD)
            eventually(lambda: verifier.trust.lists[issuer.url + LIST].kid == OLD.kid)
            answered.set()
            eventually(lambda: verdict(verifier, token) == "unknown_key")


def test_a_list_whose_key_never_comes_makes_no_busy_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "_BACKOFF", (0.2, 0.2))
    with IssuerDouble() as issuer:
        issuer.publish(signer=NEW)
        with issuer.verifier(wait=0) as verifier:
            issuer.await_requests(LIST, 3)
            assert verdict(verifier, issuer.token()) == "revocation_stale"
            assert issuer.times(LIST)[2] - issuer.times(LIST)[0] > 0.15
            assert len(issuer.times(JWKS)) <= 4


def test_a_withdrawn_key_that_a_slower_process_still_publishes_is_asked_about_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The list came from a process that had heard of the revocation, the keys from one that had not."""
    monkeypatch.setattr(refresh, "_SETTLING", 0.2)
    with IssuerDouble(long_poll=True) as issuer:
        issuer.jwks = forge.jwks(OLD, NEW)
        with issuer.verifier() as verifier:
            token, seen = issuer.token(OLD), len(issuer.times(JWKS))
            assert verdict(verifier, token) == "good"
            issuer.publish(signer=NEW)
            issuer.await_requests(JWKS, seen + 1)
            issuer.jwks = forge.jwks(NEW)
            eventually(lambda: verdict(verifier, token) == "unknown_key")
