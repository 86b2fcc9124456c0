"""A leaked secret is renewed: how long it, and what was got with it, is still good, and for whom."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.client import SERVICES, Client, seconds_until, seconds_until_revoked, verdict
from tests.journeys.conftest import Measured, NewDatabase
from tests.journeys.proxy import Proxy, serve_proxy
from tests.running_issuer import start_issuer
from verifier import Verifier

PROMISED = 1.0
"""Seconds until every process of the issuer, and every verifier that can wait for news, knows."""
LIST_TTL = 1
LATENCY = 0.5
"""What a poll itself may take on a busy machine, added to the interval between two."""
TIMES = 5


def test_the_old_secret_ends_at_once_here_and_within_a_second_there(
    here: Client, there: Client, measured: Measured
) -> None:
    role = here.new_role()
    secret = here.new_key(role)
    slowest = 0.0
    for _ in range(TIMES):
        old = secret
        assert not there.refuses(old)
        secret = here.renew(role, old)
        assert here.refuses(old)
        slowest = max(slowest, there.seconds_until_refused(old))
        assert secret.access == old.access
        assert not here.refuses(secret)
        assert not there.refuses(secret)
    measured("renewed here, the old secret refused there", slowest)
    assert slowest < PROMISED


def test_with_grace_the_old_secret_works_until_the_grace_ends(here: Client, there: Client) -> None:
    role = here.new_role()
    old = here.new_key(role)
    earlier = here.token(old)
    new = here.renew(role, old, grace_seconds=2)
    renewed_at = time.time()
    # Both work, at both processes, and a token for the old secret ends with the grace.
    for client in (here, there):
        assert not client.refuses(new)
        assert client.exchange(old).raise_for_status().json()["expires_in"] <= 2
    # An end is a moment in whole seconds, at most two after the renewal.
    time.sleep(max(0.0, renewed_at + 2 - time.time()))
    for client in (here, there):
        assert client.refuses(old)
        assert not client.refuses(new)
    # So does one for an hour from before the renewal. Its end is looked for once a second.
    assert seconds_until(lambda: here.verdict(earlier) == "revoked") < 2 * PROMISED


def test_renewing_again_without_grace_ends_every_old_secret(here: Client, there: Client) -> None:
    role = here.new_role()
    first = here.new_key(role)
    second = here.renew(role, first, grace_seconds=3600)
    token = here.token(first)
    third = here.renew(role, second)
    assert here.refuses(first)
    assert here.refuses(second)
    assert here.verdict(token) == "revoked"
    assert seconds_until(lambda: there.refuses(first) and there.refuses(second)) < PROMISED
    assert not there.refuses(third)


def test_a_verifier_that_waits_for_news_refuses_the_old_tokens_within_a_second(
    here: Client, there: Client, measured: Measured
) -> None:
    role = here.new_role()
    secret = here.new_key(role)
    slowest, client = 0.0, here
    with Verifier(here.issuer.url, SERVICES) as verifier:
        for turn in range(TIMES):
            token = client.token(secret)
            assert verdict(verifier, token) == "good"
            # News reach it from the process that it waits at, and through the database from the other one.
            client = (here, there)[turn % 2]
            secret = client.renew(role, secret)
            slowest = max(slowest, seconds_until_revoked(verifier, token))
            assert verdict(verifier, client.token(secret)) == "good"
    measured("renewed, the old token refused by a verifier with long poll", slowest)
    assert slowest < PROMISED


def test_the_new_secret_works_for_a_verifier_that_has_not_heard_of_it(here: Client) -> None:
    role = here.new_role()
    old = here.new_key(role)
    token = here.token(old)
    trust = here.trust()
    verifier = Verifier(trust.issuer, SERVICES, trust=trust)
    for _ in range(TIMES):
        old = here.renew(role, old)
        assert verdict(verifier, here.token(old)) == "good"
    # It knows no better of the first token until it has a newer list; who has one does.
    assert verdict(verifier, token) == "good"
    assert here.verdict(token) == "revoked"


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with serve_proxy(passes_preferences=False) as serving:
        yield serving


def test_a_verifier_that_can_only_poll_refuses_the_old_tokens_within_the_lists_ttl(
    new_database: NewDatabase, proxy: Proxy, tmp_path: Path, measured: Measured
) -> None:
    settings = {"HOURMARKD_STATUS_TTL": str(LIST_TTL), "HOURMARKD_ISSUER": proxy.url}
    with start_issuer(tmp_path, **new_database(), **settings) as issuer, Client(issuer) as client:
        proxy.lead_to(issuer.url)
        role = client.new_role()
        secret = client.new_key(role)
        slowest = 0.0
        with Verifier(proxy.url, SERVICES) as verifier:
            for turn in range(TIMES):
                # Past the question that follows on news, and each time at another moment between two polls.
                time.sleep(LIST_TTL * (1 + turn / TIMES))
                token = client.token(secret)
                assert verdict(verifier, token) == "good"
                secret = client.renew(role, secret)
                slowest = max(slowest, seconds_until_revoked(verifier, token))
                assert verdict(verifier, client.token(secret)) == "good"
    measured(f"renewed, the old token refused by a verifier that polls every {LIST_TTL} s", slowest)
    assert slowest < LIST_TTL + LATENCY
