"""A proxy that proves itself by its address: a real nginx at one that is trusted, and one that is not.

Its configuration was exported without a secret.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.issuer.http.world import World
from tests.journeys.door.conftest import TRUSTED, House, StartProxy, house_builder
from tests.journeys.door.walking import PAGE, walk_in

UNTRUSTED = "127.0.0.78"


@pytest.fixture
def house(world: World, proxies: StartProxy) -> House:
    return house_builder(world, proxies("nginx", TRUSTED))()


def test_from_there_it_is_believed(house: House) -> None:
    key = house.world.holder("app:query@*")
    assert house.seen(key.text)["hourmark-subject"] == [f"role:{key.role}"]
    # Whatever a client shows as a secret does not get so far.
    assert house.seen(key.text, **{"Hourmark-Proxy-Secret": "x" * 32})["hourmark-client"] == [key.access]
    with house.client(Cookie=walk_in(house, key.text), **PAGE) as client:
        assert f"role:{key.role}" in client.get("/").text


def test_whoever_comes_by_it_to_the_platform_asks_about_nobody(house: House) -> None:
    key = house.world.holder("app:query@*")
    about = {"X-Original-URL": f"{house.url}/", "X-Original-Method": "GET"}
    for proof in ({}, {"Hourmark-Proxy-Secret": ""}):
        with house.client(key.text, **about, **proof) as client:
            answer = client.get("/v1/forward-auth")
        assert (answer.status_code, answer.headers["hourmark-refused"]) == (403, "unknown_proxy")


def test_from_elsewhere_nobody_is(house: House, proxies: StartProxy) -> None:
    key = house.world.holder("app:query@*")
    assert house.seen(key.text)
    elsewhere = replace(house, proxy=proxies("nginx", UNTRUSTED))
    for credential in ("", key.text):
        # Saying so does not make it so.
        with elsewhere.client(
            credential, **{"X-Forwarded-For": TRUSTED, "Forwarded": f"for={TRUSTED}"}
        ) as client:
            answer = client.get("/headers")
        assert (answer.status_code, answer.headers["hourmark-refused"]) == (403, "unknown_proxy")
