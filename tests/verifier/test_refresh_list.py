"""The status list: polled by its `ttl` or awaited by long poll, never older, and never in a busy loop."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.verifier import forge
from tests.verifier.issuer_double import JWKS, LIST, IssuerDouble, Request, eventually, verdict
from verifier import refresh


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "_BACKOFF", (0.01, 0.02))
    monkeypatch.setattr(refresh, "_PAUSE", 0.05)


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


def test_a_long_poll_brings_each_version_the_moment_it_exists() -> None:
    with IssuerDouble(long_poll=True) as issuer, issuer.verifier() as verifier:
        for version in range(2, 6):
            issuer.await_requests(LIST, version)
            issuer.publish(version=version)
            eventually(lambda version=version: verifier.trust.lists[issuer.url + LIST].content.version == version)
        assert len(issuer.times(LIST)) <= 6
        assert len(issuer.times(JWKS)) == 1


def test_a_long_poll_without_news_is_followed_by_the_next() -> None:
    def wait_a_little(request: Request) -> None:
        time.sleep(0.06)
        request.send(b"", 304, Preference_Applied="wait=25")

    with IssuerDouble() as issuer, issuer.verifier():
        issuer.await_requests(LIST, 2)
        issuer.answers[LIST] = wait_a_little
        issuer.publish(ttl=300)
        issuer.answers[LIST] = wait_a_little


def _always(status: int, **headers: str) -> Callable[[Request], None]:
    return lambda request: request.send(
        request.double.list if status == 200 else b"", status, ETag='"1"', **headers
    )


def _alternate(request: Request) -> None:
    """Two replicas, of which one lags behind, and both say that they waited."""
    double = request.double
    older = len(double.times(LIST)) % 2 == 0
    request.send(
        double.sign(version=1 if older else 2), ETag='"1"' if older else '"2"', Preference_Applied="wait=25"
    )


def _sign_anew(request: Request) -> None:
    """A newer version for everybody who asks."""
    double = request.double
    double.publish()
    request.send(double.list, ETag=f'"{double.version}"', Preference_Applied="wait=25")


@pytest.mark.parametrize(
    ("answer", "most"),
    [
        (_always(304), 2),
        (_always(304, Preference_Applied="wait=25"), 2),
        (_always(200), 2),
        (_always(200, Preference_Applied="wait=25"), 2),
        (_alternate, 20),
        (_sign_anew, 15),
    ],
    ids=["304", "304 waits not", "ignores etag", "ignores etag and waits not", "alternates", "always newer"],
)
def test_an_answer_at_once_is_not_asked_for_again_at_once(
    answer: Callable[[Request], None], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "_BACKOFF", (0.1, 0.1))
    with IssuerDouble() as issuer, issuer.verifier() as verifier:
        issuer.await_requests(LIST, 1)
        issuer.answers[LIST] = answer
        time.sleep(0.5)
        assert 2 <= len(issuer.times(LIST)) <= most
        assert verdict(verifier, issuer.token()) == "good"
