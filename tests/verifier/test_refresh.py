"""Loading, and what never replaces what was loaded: everything but a good and newer document."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.verifier import forge
from tests.verifier.issuer_double import JWKS, LIST, SOON, IssuerDouble, Request, eventually, hurry, verdict
from verifier import Trust, refresh
from verifier.refresh import Refresher

MARK = "eyJ-never-logged"
OTHER = forge.key(owner="next")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each document is asked for again at once."""
    hurry(monkeypatch)
    monkeypatch.setattr(refresh, "_KEYS_AGE", (0.01, 0.01))
    monkeypatch.setattr(refresh, "_LIST_TTL", (0.01, 0.01))


def test_the_constructor_returns_when_both_documents_are_there() -> None:
    with IssuerDouble() as issuer, issuer.verifier() as verifier:
        assert verdict(verifier, issuer.token()) == "good"


def test_without_wait_the_constructor_returns_at_once() -> None:
    with IssuerDouble() as issuer:
        issuer.answers[JWKS] = Request.hang
        with issuer.verifier(wait=0) as verifier:
            assert verdict(verifier, issuer.token()) == "keys_unavailable"


def test_the_constructor_waits_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "DEADLINE", SOON)
    with IssuerDouble() as issuer:
        issuer.answers[LIST] = Request.hang
        before = time.monotonic()
        with issuer.verifier(wait=0.2) as verifier:
            assert 0.2 <= time.monotonic() - before < SOON / 2
            assert verdict(verifier, issuer.token()) == "revocation_stale"


def test_an_issuer_that_comes_later_is_found() -> None:
    with IssuerDouble(up=False) as issuer, issuer.verifier(wait=0.1) as verifier:
        assert verdict(verifier, issuer.token()) == "keys_unavailable"
        issuer.open()
        eventually(lambda: verdict(verifier, issuer.token()) == "good")


def _whole(body: bytes, status: int = 200, **headers: str) -> Callable[[Request], None]:
    return lambda request: request.send(body, status, **headers)


def _cut_off(request: Request) -> None:
    request.begin(1000)
    request.wfile.write(MARK.encode())
    request.close_connection = True


def _drop(request: Request) -> None:
    request.close_connection = True


def _gibberish(request: Request) -> None:
    request.wfile.write(f"{MARK}\r\n\r\n".encode())
    request.close_connection = True


def _trickle(request: Request) -> None:
    """Each byte comes in time, the whole never does."""
    request.begin(10**6)
    while not request.double.closing.wait(0.01):
        request.wfile.write(b" ")


def _flood(request: Request) -> None:
    """More than anybody reads: ends when the other side hangs up."""
    request.begin(2**40)
    while not request.double.closing.is_set():
        request.wfile.write(MARK.encode() * 4096)


BAD_ANSWERS: dict[str, Callable[[Request], None]] = {
    "hang": Request.hang,
    "drop": _drop,
    "gibberish": _gibberish,
    "500": _whole(MARK.encode(), 500),
    "404": _whole(MARK.encode(), 404),
    "206": lambda request: request.send(_good_document(request), 206),
    "html": _whole(f"<!doctype html><p>{MARK}".encode(), Content_Type="text/html"),
    "empty": _whole(b""),
    "redirect": _whole(b"", 302, Location="/elsewhere"),
    "permanent redirect": _whole(b"", 308, Location="/elsewhere"),
    "cut off": _cut_off,
    "half": lambda request: request.send(_good_document(request)[:-20]),
    "trickle": _trickle,
    "flood": _flood,
    "compressed": lambda request: request.send(
        gzip.compress(_good_document(request)), Content_Encoding="gzip"
    ),
}


def _good_document(request: Request) -> bytes:
    return request.double.jwks if request.path == JWKS else request.double.list


BAD_DOCUMENTS: dict[tuple[str, str], Callable[[IssuerDouble], bytes]] = {
    (JWKS, "empty keys"): lambda _: b'{"keys": []}',
    (JWKS, "no usable key"): lambda _: json.dumps({"keys": [{"kty": MARK}]}).encode(),
    (JWKS, "two keys of one kid"): lambda _: forge.jwks(forge.key(), forge.key()),
    (LIST, "another list"): lambda issuer: issuer.sign(version=9, uri=f"{issuer.url}/status/2"),
    (LIST, "another issuer's"): lambda _: forge.status_list(version=9),
    (LIST, "unknown key"): lambda issuer: issuer.sign(version=9, signer=OTHER),
    (LIST, "rollback"): lambda issuer: issuer.sign(version=0),
    (LIST, "a token"): lambda issuer: issuer.token().encode(),
}


@pytest.mark.parametrize(
    ("path", "answer"),
    [(path, name) for path in (JWKS, LIST) for name in BAD_ANSWERS] + list(BAD_DOCUMENTS),
)
def test_a_bad_answer_replaces_nothing_and_is_logged_without_what_it_said(
    path: str, answer: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(refresh, "DEADLINE", 0.1)
    monkeypatch.setattr(refresh, "_LONG_POLL", 0)
    with IssuerDouble() as issuer:
        issuer.answers["/elsewhere"] = _whole(forge.jwks(OTHER))
        with issuer.verifier() as verifier:
            token, jwks, lists = issuer.token(), verifier.trust.jwks, verifier.trust.lists
            if answer in BAD_ANSWERS:
                issuer.answers[path] = BAD_ANSWERS[answer]
            else:
                issuer.answers[path] = _whole(BAD_DOCUMENTS[path, answer](issuer))
            issuer.await_more(path, 2)
            assert verdict(verifier, token) == "good"
            assert (verifier.trust.jwks, verifier.trust.lists) == (jwks, lists)
            assert issuer.times("/elsewhere") == []
            issuer.answers.clear()
            issuer.jwks = forge.jwks(forge.key(), OTHER)
            issuer.publish(forge.INDEX, signer=OTHER)
            eventually(lambda: verdict(verifier, token) == "revoked")
    assert "was not refreshed" in caplog.text
    assert MARK not in caplog.text
    assert token not in caplog.text


def test_a_flood_is_stopped_while_it_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "DEADLINE", SOON)
    sent = threading.Event()

    def flood(request: Request) -> None:
        with pytest.raises(OSError, match=r"."):
            _flood(request)
        sent.set()
        raise ConnectionError

    with IssuerDouble() as issuer:
        issuer.answers[JWKS] = flood
        with issuer.verifier(wait=0) as verifier:
            assert sent.wait(SOON / 2), "it was read to the end of its deadline"
            assert verdict(verifier, issuer.token()) == "keys_unavailable"


def test_an_unforeseen_error_does_not_end_the_refresh(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = iter(range(3))
    update_keys = Trust.update_keys

    def stumble(trust: Trust, document: bytes, **options: Any) -> None:
        if next(failures, None) is not None:
            raise RuntimeError(document)
        update_keys(trust, document, **options)

    monkeypatch.setattr(Trust, "update_keys", stumble)
    with IssuerDouble() as issuer, issuer.verifier() as verifier:
        assert verdict(verifier, issuer.token()) == "good"
    assert "the JWKS was not refreshed: RuntimeError" in caplog.text
    assert forge.key().kid not in caplog.text


def test_a_refused_connection_is_explained(caplog: pytest.LogCaptureFixture) -> None:
    with IssuerDouble(up=False) as issuer, issuer.verifier(wait=0.1):
        eventually(lambda: "ConnectError('All connection attempts failed')" in caplog.text)


def test_names_are_looked_up() -> None:
    with IssuerDouble() as issuer:
        issuer.url = issuer.url.replace("127.0.0.1", "localhost")
        issuer.publish()
        with issuer.verifier() as verifier:
            assert verdict(verifier, issuer.token()) == "good"


def test_an_unknown_name_is_a_failure_like_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    refresher = Refresher(Trust("https://issuer.example"))
    refresher.start(wait=0)
    eventually(lambda: caplog.text.count("Name or service not known") > 1)
    refresher.close()


def test_plain_http_passes_by_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with IssuerDouble() as issuer, IssuerDouble() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("all_proxy", proxy.url)
        with issuer.verifier() as verifier:
            assert verdict(verifier, issuer.token()) == "good"
        assert proxy.seen == []


@pytest.mark.parametrize(
    "issuer",
    [
        "http://issuer.example",
        "http://localhost.example",
        "http://localhost@issuer.example",
        "http://127.0.0.1\\@issuer.example",
        "ftp://localhost",
        "https://",
        "https:issuer.example",
        "issuer.example",
        "https://issuer.example:port",
        "https://[::1",
    ],
)
def test_an_issuer_that_cannot_be_asked_safely_is_refused(issuer: str) -> None:
    with pytest.raises(ValueError, match="the issuer"):
        Refresher(Trust(issuer))


@pytest.mark.parametrize(
    "issuer", ["https://issuer.example/a", "http://localhost:1", "http://127.0.0.1", "http://[::1]:1"]
)
def test_https_everywhere_and_http_on_this_host(issuer: str) -> None:
    Refresher(Trust(issuer)).close()


def test_backing_off_grows_spreads_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert 0.25 <= refresh._backoff(1) <= 0.5
    assert 1 <= refresh._backoff(3) <= 2
    assert 15 <= refresh._backoff(10**6) <= 30
    assert len({refresh._backoff(3) for _ in range(10)}) > 1


def test_a_success_makes_failures_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    def count(failures: int) -> float:
        counted.append(failures)
        return 0.01

    def fail_but_the_third_time(request: Request) -> None:
        request.send(issuer.jwks, 200 if len(issuer.times(JWKS)) == 3 else 500)

    monkeypatch.setattr(refresh, "_backoff", count)
    with IssuerDouble() as issuer:
        issuer.answers[JWKS] = fail_but_the_third_time
        with issuer.verifier():
            issuer.await_requests(JWKS, 6)
    assert counted[:4] == [1, 2, 1, 2]


@pytest.mark.parametrize(
    ("max_age", "asked_again_within"),
    [("max-age=0", 10), ("max-age=60", 60), ("max-age=86400", 3600), ("", 300)],
)
def test_the_keys_live_as_long_as_their_cache_control_says(
    max_age: str, asked_again_within: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    pauses: list[float] = []
    monkeypatch.setattr(
        refresh._Due, "ask", lambda due, pause: pauses.append(pause) if "JWKS" in due.what else None
    )
    with IssuerDouble() as issuer:
        issuer.answers[JWKS] = _whole(issuer.jwks, Cache_Control=f"public, {max_age}")
        with issuer.verifier(wait=0):
            eventually(lambda: pauses == [asked_again_within])


def test_logs_nothing_when_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "verifier")
    with IssuerDouble() as issuer, issuer.verifier():
        issuer.await_requests(JWKS, 2)
        issuer.await_requests(LIST, 2)
    assert [record for record in caplog.records if record.name.startswith("verifier")] == []
