"""Whose word counts for where a request comes from: log lines and the throttle go by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.issuer.http.sockets import client_at
from tests.issuer.http.world import World, open_world

STRANGER = "127.0.0.9"
"""An address of this host that is in no trusted network."""


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An issuer behind a proxy on this host, and one more in another network."""
    settings = {
        "HOURMARKD_TRUSTED_PROXIES": "127.0.0.0/30, 10.0.0.0/8 2001:db8::/32",
        "HOURMARKD_FAILURES_PER_MINUTE": "3",
    }
    with open_world(tmp_path_factory.mktemp("issuer"), **settings) as opened:
        yield opened


@pytest.mark.parametrize(
    ("forwarded", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.1, 192.0.2.7", "192.0.2.7"),  # the first is only what the second claims
        ("192.0.2.7, 10.1.2.3", "192.0.2.7"),
        ("192.0.2.1, 10.9.9.9, 192.0.2.7, 10.1.2.3", "192.0.2.7"),
        ("2001:db9::7, 2001:db8::1", "2001:db9::7"),
    ],
)
def test_the_last_address_that_is_no_trusted_proxy_is_the_source(
    behind: World, forwarded: str, source: str
) -> None:
    answer = behind.nobody.get("/nothing", headers={"X-Forwarded-For": forwarded})
    assert behind.line(answer)["source"] == source


@pytest.mark.parametrize("header", ["X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP"])
def test_no_other_header_counts(behind: World, header: str) -> None:
    answer = behind.nobody.get(
        "/nothing", headers={header: "for=192.0.2.7" if header == "Forwarded" else "192.0.2.7"}
    )
    assert behind.line(answer)["source"] == "127.0.0.1"


def test_a_stranger_cannot_name_another_source(behind: World) -> None:
    with client_at(behind.issuer.url, STRANGER) as stranger:
        answer = stranger.get("/nothing", headers={"X-Forwarded-For": "192.0.2.7"})
        assert behind.line(answer)["source"] == STRANGER


def test_nobody_is_trusted_unasked(world: World) -> None:
    answer = world.nobody.get("/nothing", headers={"X-Forwarded-For": "192.0.2.7"})
    assert world.line(answer)["source"] == "127.0.0.1"


def test_the_throttle_counts_by_the_source_that_the_proxy_names(behind: World) -> None:
    def guess(source: str) -> int:
        wrong = {"grant_type": "client_credentials", "client_id": "nope", "client_secret": "x"}
        return behind.nobody.post("/v1/token", data=wrong, headers={"X-Forwarded-For": source}).status_code

    assert [guess("192.0.2.66") for _ in range(4)] == [401, 401, 401, 429]
    assert guess("192.0.2.67") == 401
