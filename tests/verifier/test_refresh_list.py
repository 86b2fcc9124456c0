"""The status list: polled by its `ttl` or awaited by long poll, never older, and never in a busy loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from tests.verifier import forge
from tests.verifier.issuer_double import (
    JWKS,
    LIST,
    SOON,
    IssuerDouble,
    Request,
    as_issuer,
    eventually,
    hurry,
    verdict,
)
from verifier import Verifier, refresh

NEW = forge.key(owner="next")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def test_is_polled_every_ttl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "_LIST_TTL", (0.02, 300.0))
    with IssuerDouble() as issuer:
        issuer.publish(ttl=0)
        with issuer.verifier() as verifier:
            token = issuer.token()
            issuer.await_requests(LIST, 4)
            assert verdict(verifier, token) == "good"
            issuer.publish(forge.INDEX)
            eventually(lambda: verdict(verifier, token) == "revoked")


def test_is_asked_for_as_the_contract_says() -> None:
    with IssuerDouble() as issuer, issuer.verifier():
        issuer.await_requests(LIST, 2)
        first, second = issuer.headers(LIST)
        assert "If-None-Match" not in first
        assert "Prefer" not in first
        assert second["If-None-Match"] == '"1"'
        assert second["Prefer"] == "wait=25"
        assert second["Accept"] == "application/statuslist+jwt"
        assert {headers["Accept-Encoding"] for _, _, headers in issuer.seen} == {"identity"}


def _holds(verifier: Verifier, version: int) -> bool:
    return [signed.content.version for signed in verifier.trust.lists.values()] == [version]


def test_a_long_poll_brings_each_version_the_moment_it_exists() -> None:
    with IssuerDouble(long_poll=True) as issuer, issuer.verifier() as verifier:
        for version in range(2, 6):
            issuer.await_requests(LIST, version)
            issuer.publish(version=version)
            eventually(partial(_holds, verifier, version))
        assert len(issuer.times(LIST)) <= 6
        assert len(issuer.times(JWKS)) == 1


def test_news_that_came_between_two_long_polls_are_news_too() -> None:
    """The issuer then answers at once, without having waited."""
    with IssuerDouble(long_poll=True) as issuer, issuer.verifier() as verifier:
        for version in range(2, 6):
            issuer.publish(version=version)
            eventually(partial(_holds, verifier, version))


def test_a_long_poll_has_more_time_than_other_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "DEADLINE", 0.3)
    with IssuerDouble(long_poll=True) as issuer, issuer.verifier():
        eventually(lambda: "Prefer" in issuer.headers(LIST)[-1])
        asked = len(issuer.times(LIST))
        time.sleep(0.5)
        assert len(issuer.times(LIST)) == asked


def test_a_long_poll_without_news_is_followed_by_the_next() -> None:
    def wait_a_little(request: Request) -> None:
        time.sleep(0.03)
        request.send(b"", 304, Preference_Applied="wait=25")

    with IssuerDouble() as issuer:
        issuer.answers[LIST] = _later(wait_a_little)
        with issuer.verifier():
            issuer.await_requests(LIST, 4)


@pytest.mark.parametrize("etag", [None, "\xe9"])
def test_without_a_usable_etag_there_is_no_long_poll(
    etag: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "_LIST_TTL", (0.02, 0.02))
    with IssuerDouble() as issuer:
        headers = {} if etag is None else {"ETag": etag}
        issuer.answers[LIST] = lambda request: request.send(issuer.list, **headers)
        with issuer.verifier():
            issuer.await_requests(LIST, 3)
            monkeypatch.setattr(refresh, "_LIST_TTL", (SOON, SOON))
            time.sleep(0.1)
            asked = len(issuer.times(LIST))
            time.sleep(0.1)
            assert len(issuer.times(LIST)) <= asked + 1
        assert all("Prefer" not in headers for headers in issuer.headers(LIST))


def test_not_modified_is_no_answer_to_who_has_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with IssuerDouble() as issuer:
        issuer.answers[LIST] = lambda request: request.send(b"", 304)
        with issuer.verifier(wait=0) as verifier:
            issuer.await_requests(LIST, 2)
            assert verdict(verifier, issuer.token()) == "revocation_stale"
            issuer.answers.clear()
            eventually(lambda: verdict(verifier, issuer.token()) == "good")
    assert "there is no list" in caplog.text


def test_not_modified_is_no_answer_when_the_list_has_gone_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its key was withdrawn during the long poll."""
    monkeypatch.setattr(refresh, "COOLDOWN", 0.0)
    withdrawn = threading.Event()

    def not_modified(request: Request) -> None:
        assert withdrawn.wait(SOON)
        request.send(b"", 304, Preference_Applied="wait=25")

    with IssuerDouble() as issuer:
        issuer.answers[LIST] = _later(not_modified)
        with issuer.verifier() as verifier:
            issuer.await_requests(LIST, 2)
            issuer.jwks = forge.jwks(NEW)
            assert verdict(verifier, issuer.token(NEW)) == "unknown_key"
            eventually(lambda: verdict(verifier, issuer.token(NEW)) == "revocation_stale")
            issuer.publish(signer=NEW)
            withdrawn.set()
            eventually(lambda: verdict(verifier, issuer.token(NEW)) == "good")


def _later(answer: Callable[[Request], None]) -> Callable[[Request], None]:
    """As an issuer does at first, then `answer`."""
    return lambda request: (answer if request.headers["If-None-Match"] else as_issuer)(request)


def _always(status: int, **headers: str) -> Callable[[Request], None]:
    """Never waits, whatever it says."""
    return lambda request: request.send(
        request.double.list if status == 200 else b"", status, ETag='"1"', **headers
    )


def _lag(request: Request) -> None:
    """A replica that has an older list, and says that it waited for it."""
    request.send(request.double.sign(version=0), ETag='"0"', Preference_Applied="wait=25")


def _sign_anew(request: Request) -> None:
    """A newer version for everybody who asks."""
    request.double.publish()
    request.send(request.double.list, ETag=f'"{request.double.version}"', Preference_Applied="wait=25")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long after each other the list is asked for, as it is decided."""
    decided: list[float] = []
    ask = refresh._Due.ask

    def listen(due: refresh._Due, pause: float) -> None:
        if due.what == "the status list":
            decided.append(pause)
        ask(due, pause)

    monkeypatch.setattr(refresh._Due, "ask", listen)
    return decided


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        (_always(304), 300),
        (_always(304, Preference_Applied="wait=25"), 300),
        (_always(200), 300),
        (_always(200, Preference_Applied="wait=25"), 300),
        (_lag, 30),
        (_sign_anew, 20),
    ],
    ids=["304", "304 without waiting", "200", "200 without waiting", "older", "always newer"],
)
def test_an_answer_at_once_is_not_asked_for_again_at_once(
    answer: Callable[[Request], None], pause: float, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def second(request: Request) -> None:
        # From here on an answer at once and one after a while can be told apart on any machine.
        monkeypatch.setattr(refresh, "_PAUSE", 20.0)
        monkeypatch.setattr(refresh, "_backoff", lambda _: 30.0)
        answer(request)

    with IssuerDouble() as issuer:
        issuer.answers[LIST] = _later(second)
        with issuer.verifier() as verifier:
            eventually(lambda: pauses[-1] == pause)
            assert len(issuer.times(LIST)) == 2
            assert verdict(verifier, issuer.token()) == "good"


def test_an_answer_that_is_only_slow_is_no_long_poll(pauses: list[float]) -> None:
    def be_slow(request: Request) -> None:
        time.sleep(0.03)
        _always(304)(request)

    with IssuerDouble() as issuer:
        issuer.answers[LIST] = _later(be_slow)
        with issuer.verifier():
            eventually(lambda: pauses[-1] == 300)
        assert len(issuer.times(LIST)) == 2


def test_replicas_of_which_one_lags_never_turn_the_list_back() -> None:
    with IssuerDouble() as issuer:
        issuer.publish(forge.INDEX, version=2)
        newer, older = issuer.list, issuer.sign(version=1)

        def alternate(request: Request) -> None:
            lags = len(issuer.times(LIST)) % 2 == 0
            headers = {"ETag": '"1"' if lags else '"2"', "Preference_Applied": "wait=25"}
            time.sleep(0.03)
            request.send(older if lags else newer, **headers)

        issuer.answers[LIST] = alternate
        with issuer.verifier() as verifier:
            for count in range(2, 7):
                issuer.await_requests(LIST, count)
                assert verdict(verifier, issuer.token()) == "revoked"
        assert len(issuer.times(JWKS)) == 1
        assert {headers.get("If-None-Match", '"2"') for headers in issuer.headers(LIST)} == {'"2"'}


@pytest.mark.parametrize(("ttl", "seconds"), [(0, 1), (15, 15), (10**30, 300)])
def test_the_ttl_is_taken_within_reason(ttl: int, seconds: float, pauses: list[float]) -> None:
    with IssuerDouble() as issuer:
        issuer.publish(ttl=ttl)
        with issuer.verifier(wait=0):
            eventually(lambda: seconds in pauses)
