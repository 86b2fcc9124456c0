"""What is known of a token's end while it is held: what the issuer's list says, if it can be read."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

from holder import revocations
from tests.holder.issuer_double import IssuerDouble
from tests.issuer.http.world import until
from verifier import StatusReference

OTHER_INDEX, FOLLOWS = 8, "hourmark-verifier"


def names_of_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocations, "_SOON_SECONDS", 0)


def followed(issuer: IssuerDouble, **changes: Any) -> Callable[[], bool]:
    return revocations.watch(issuer.mint("org.account.r", "data:get@*", **changes), issuer.url)


def asks_for_list(issuer: IssuerDouble) -> int:
    return sum(request.path == "/status/1" for request in list(issuer.requests))


def test_a_token_of_the_list_has_ended_and_no_other_one(issuer: IssuerDouble) -> None:
    issuer.revoked = {7}
    has_ended = followed(issuer)
    other = followed(issuer, status=StatusReference(f"{issuer.url}/status/1", OTHER_INDEX))
    until(has_ended)
    assert not other()
    assert asks_for_list(issuer) == 1, "one thread follows for all of them"


@pytest.mark.parametrize(
    "raw",
    [
        "no token",
        lambda issuer: issuer.mint("r", "*", issuer="https://elsewhere.example"),
        lambda issuer: issuer.mint("r", "*", status=None),
    ],
    ids=["no token", "another issuer's", "without a status"],
)
def test_what_has_no_bit_in_the_list_brings_no_request(issuer: IssuerDouble, raw: Any) -> None:
    has_ended = revocations.watch(raw if isinstance(raw, str) else raw(issuer), issuer.url)
    assert not has_ended()
    assert issuer.requests == []


def test_a_list_that_has_expired_ends_nothing(issuer: IssuerDouble) -> None:
    """What it says of an index may be about a token before."""
    issuer.revoked, issuer.ahead = {7}, -2 * 3600
    has_ended = followed(issuer)
    until(lambda: bool(revocations._followed[issuer.url]._trust.lists))
    assert not has_ended()


def test_nobody_follows_when_nothing_is_held(issuer: IssuerDouble) -> None:
    has_ended = followed(issuer)
    until(lambda: FOLLOWS in names_of_threads())
    assert not has_ended()
    del has_ended
    gc.collect()
    until(lambda: FOLLOWS not in names_of_threads())
