"""F5: for an hour the JWKS' address refuses, hangs, or answers with anything but a JWKS.

Tokens of known keys are verified on, without waiting for anything, until the keys are older than the verifier
was told to trust them (`max_keys_age`); from then on `keys_unavailable`. What comes back is taken up again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.faults.conftest import Lasting
from tests.journeys.client import seconds_until
from tests.journeys.conftest import Measured
from tests.verifier import forge
from tests.verifier.issuer_double import JWKS, IssuerDouble, Request, verdict
from verifier import Verifier, refresh

PATIENCE = 2.0
"""Seconds that no verification may take."""
HOUR = 3600.0
REFUSED = "the JWKS was not refreshed: ConnectError"


def _hang_up(request: Request) -> None:
    """Without a word, as what has just been restarted does."""
    request.close_connection = True


FAULTS: dict[str, Callable[[Request], None] | None] = {
    "refuse": None,  # nobody listens at the port, so that its list is not served either
    "hang up": _hang_up,
    "hang": Request.hang,
    "500": lambda request: request.send(b"oops", 500),
    "HTML": lambda request: request.send(b"<!doctype html><p>Sign in first", Content_Type="text/html"),
    "empty keys": lambda request: request.send(b'{"keys": []}'),
    "truncated": lambda request: request.send(request.double.jwks[:-20]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_known_keys_are_trusted_to_their_stated_age_and_no_longer(
    fault: str,
    lasting: Lasting,
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each fault has its share of the hour, and the keys last for half of it."""
    duration = lasting(3.0, HOUR / len(FAULTS))
    if duration < refresh.COOLDOWN:  # so that the short form sees many attempts too
        monkeypatch.setattr(refresh, "_KEYS_AGE", (0.3, 0.3))
        monkeypatch.setattr(refresh, "DEADLINE", 1.0)
    with ExitStack() as stack:
        issuer = stack.enter_context(IssuerDouble(long_poll=True))
        issuer.publish(lifetime=int(2 * HOUR))
        with issuer.verifier(max_keys_age=duration / 2) as verifier:
            token = issuer.token()
            assert verdict(verifier, token) == "good"
            if (answer := FAULTS[fault]) is not None:
                issuer.answers[JWKS] = answer
            else:
                issuer.close()
                issuer = stack.enter_context(IssuerDouble(up=False, long_poll=True, port=issuer.port))
                issuer.publish(lifetime=int(2 * HOUR))
            time.sleep(refresh._KEYS_AGE[0])  # a fetch that was under way has ended
            jwks, heard_at = verifier.trust.jwks, verifier.trust.keys_updated_at
            assert heard_at is not None
            slowest = 0.0
            while time.time() < heard_at + duration:
                before, code, after, took = ask(verifier, issuer.token())
                slowest = max(slowest, took)
                if after < heard_at + duration / 2:
                    assert code == "good"
                if before > heard_at + duration / 2:
                    assert code == "keys_unavailable"
                time.sleep(0.005)
            asked = caplog.text.count(REFUSED) if answer is None else len(issuer.times(JWKS))
            assert asked >= 3, "it was hardly asked"
            assert (verifier.trust.jwks, verifier.trust.keys_updated_at) == (jwks, heard_at)
            assert slowest < PATIENCE
            if answer is None:
                issuer.open()
            issuer.answers.clear()
            recovery = seconds_until(lambda: verdict(verifier, issuer.token()) == "good")
            assert recovery <= refresh._BACKOFF[1] + PATIENCE
    measured(f"the slowest verification while the JWKS' address does this: {fault}", slowest)


def ask(verifier: Verifier, token: str) -> tuple[float, str, float, float]:
    """When it was asked, the verdict, when it was given, and how long it took."""
    before, began = time.time(), time.perf_counter()
    code = verdict(verifier, token)
    return before, code, time.time(), time.perf_counter() - began


def test_who_never_had_keys_accepts_nothing(lasting: Lasting) -> None:
    for name, answer in FAULTS.items():
        with IssuerDouble(up=answer is not None) as issuer:
            if answer is not None:
                issuer.answers[JWKS] = answer
            with issuer.verifier(wait=lasting(0.2, 60)) as verifier:
                assert verdict(verifier, forge.token()) == "keys_unavailable", name
