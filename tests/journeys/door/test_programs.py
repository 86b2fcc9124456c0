"""Programs come through a real nginx and a real Caddy with credentials, and get no further without."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.doors import api_token
from tests.journeys.door.conftest import House, NewHouse


def test_a_token_opens_what_has_its_label_also_what_comes_later_and_nothing_else(new_house: NewHouse) -> None:
    """`group=A`: the apps that there are, one that is registered later, one that gets the label; no other."""
    group = uuid4().hex[:8]
    a, b = {"group": f"{group}-A"}, {"group": f"{group}-B"}
    there, also, other, bare = new_house(labels=a), new_house(labels=a), new_house(labels=b), new_house()
    token = api_token(there.world, f"group={group}-A")["token"]
    later = new_house(labels=a)
    for house in (there, also, later):
        assert house.seen(token)["hourmark-subject"] == ["user:admin"]
    for house in (other, bare):
        with house.client(token) as client:
            refused = client.get("/headers")
        assert (refused.status_code, refused.headers["hourmark-refused"]) == (403, "insufficient_scope")
        needed = f'Bearer error="insufficient_scope", scope="app:query@{house.app.name}"'
        assert refused.headers.get_list("www-authenticate") == [needed]
    labelled = bare.world.admin.patch(f"/v1/apps/{bare.app.name}", json={"labels": a})
    labelled.raise_for_status()
    assert bare.seen(token)["hourmark-subject"] == ["user:admin"]


@pytest.mark.parametrize("form", ["token", "role key"])
def test_without_a_good_credential_there_is_no_way_and_no_redirect(house: House, form: str) -> None:
    key = house.world.holder("app:query@*")
    good = house.world.token(key) if form == "token" else key.text
    for credential, reason in (("", "no_credential"), (f"{good[:-4]}AAAA", "invalid_token")):
        with house.client(credential, Accept="application/json") as client:
            answer = client.get("/headers")
        assert (answer.status_code, answer.headers["hourmark-refused"]) == (401, reason)
        assert answer.headers.get_list("www-authenticate")[0].startswith("Bearer")
        assert len(answer.headers.get_list("www-authenticate")) == 1
        assert answer.headers["cache-control"] == "no-store"
    with house.client("x", Accept="text/html") as client:
        assert client.get("/").status_code == 401


def test_large_headers_go_through_both_ways(house: House) -> None:
    """A token near its largest, and as many cookies as nginx takes."""
    widest = [f"data:get@{'x' * 40}{number}" for number in range(75)]
    key = house.world.holder(f"app:query@{house.app.name}", *widest)
    token = house.world.token(key)
    assert len(token) > 5500
    cookies = "; ".join(f"c{number}={'y' * 90}" for number in range(84))
    assert house.seen(token, Cookie=cookies)["cookie"] == [cookies]


def test_without_the_issuer_nobody_passes(house: House) -> None:
    key = house.world.holder("app:query@*")
    with house.client(key.text) as client, house.world.issuer.frozen():
        if house.proxy.kind == "traefik":  # It waits for half a minute.
            with pytest.raises(httpx.ReadTimeout):
                client.get("/headers", timeout=1)
        else:
            assert client.get("/headers").status_code in (502, 503, 504)
    with house.client(key.text) as client:
        assert client.get("/headers").status_code == 200
