"""Programs come through a real nginx and a real Caddy with credentials, and get no further without."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.doors import IDENTITY, api_token
from tests.journeys.door.conftest import House, NewHouse


def seen(house: House, credential: str, **headers: str) -> dict[str, list[str]]:
    """The headers as the app sees them."""
    with house.client(credential, **headers) as client:
        answer = client.get("/headers")
    assert answer.status_code == 200, answer.text
    found: dict[str, list[str]] = {}
    for name, value in answer.json():
        found.setdefault(name, []).append(value)
    return found


def test_a_token_opens_what_has_its_label_also_what_comes_later_and_nothing_else(new_house: NewHouse) -> None:
    """`group=A`: the apps that there are, one that is registered later, one that gets the label; no other."""
    group = uuid4().hex[:8]
    a, b = {"group": f"{group}-A"}, {"group": f"{group}-B"}
    there, also, other, bare = new_house(labels=a), new_house(labels=a), new_house(labels=b), new_house()
    token = api_token(there.world, f"group={group}-A")["token"]
    later = new_house(labels=a)
    for house in (there, also, later):
        assert seen(house, token)["hourmark-subject"] == ["user:admin"]
    for house in (other, bare):
        with house.client(token) as client:
            refused = client.get("/headers")
        assert (refused.status_code, refused.headers["hourmark-refused"]) == (403, "insufficient_scope")
        needed = f'Bearer error="insufficient_scope", scope="app:query@{house.app.name}"'
        assert refused.headers.get_list("www-authenticate") == [needed]
    labelled = bare.world.admin.patch(f"/v1/apps/{bare.app.name}", json={"labels": a})
    labelled.raise_for_status()
    assert seen(bare, token)["hourmark-subject"] == ["user:admin"]


def test_what_the_app_is_told_comes_from_the_issuer_alone(house: House) -> None:
    key = house.world.holder("app:query@*")
    forged = dict.fromkeys(IDENTITY, "user:admin") | {"Hourmark_Subject": "user:admin"}
    cookies = "theirs=1; hourmark-visit=hmv_x; __Host-hourmark-browser=y; other=2"
    told = seen(house, key.text, **forged, Cookie=cookies)
    assert told["hourmark-subject"] == [f"role:{key.role}"]
    assert told["hourmark-client"] == [key.access]
    assert told.get("hourmark-actor", [""]) == [""]
    assert told["cookie"] == ["theirs=1; other=2"]
    assert told.get("authorization", [""]) == [""]
    assert not any("_" in name or "secret" in name for name in told)
    assert key.secret not in str(told)


def test_no_header_makes_the_request_one_about_another_app(new_house: NewHouse) -> None:
    """Whoever may open one app says so of a request to another one, in every header that names a request."""
    mine, other = new_house(), new_house()
    key = mine.world.holder(f"app:query@{mine.app.name}")
    there = mine.proxy.host(mine.name)
    forged = {
        "X-Forwarded-Host": there,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Uri": "/allowed",
        "X-Forwarded-Method": "OPTIONS",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Server": there,
        "X-Original-URL": f"http://{there}/allowed",
        "X-Original-Method": "OPTIONS",
        "X-Original-Host": there,
        "Forwarded": f"host={there};proto=https;for=127.0.0.1",
        "Hourmark-Proxy-Secret": "x" * 32,
        "Hourmark-Shown": f"Bearer {key.text}",
        "Hourmark-Cookies": "a=b",
    }
    for name, value in forged.items():
        with other.client(key.text, **{name: value}) as client:
            refused = client.get("/headers")
        assert (refused.status_code, refused.headers["hourmark-refused"]) == (403, "insufficient_scope"), name
    told = seen(mine, key.text, **{name: value.replace(there, "elsewhere") for name, value in forged.items()})
    assert told["hourmark-subject"] == [f"role:{key.role}"]
    assert "hourmark-proxy-secret" not in told
    assert (told["x-forwarded-host"], told["x-forwarded-proto"]) == ([there], ["http"])


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


def test_a_body_goes_through_and_nothing_else_is_lost(house: House) -> None:
    key = house.world.holder("app:query@*")
    with house.client(key.text) as client:
        assert client.post("/posted?a=%2F&b=c", content=b"x" * 100_000).json() == {"characters": 100_000}


def test_large_headers_go_through_both_ways(house: House) -> None:
    """A token near its largest, and as many cookies as a browser sends."""
    widest = [f"data:get@{'x' * 40}{number}" for number in range(60)]
    key = house.world.holder(f"app:query@{house.app.name}", *widest)
    token = house.world.token(key)
    assert len(token) > 4500
    cookies = "; ".join(f"c{number}={'y' * 90}" for number in range(70))
    assert seen(house, token, Cookie=cookies)["cookie"] == [cookies]


def test_an_upgrade_goes_through_with_a_credential_alone(house: House) -> None:
    key = house.world.holder("app:query@*")
    asked = f"GET /upgrade HTTP/1.1\nHost: {house.proxy.host(house.name)}\nConnection: Upgrade\n"
    asked += "Upgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
    with house.proxy.raw(asked + "\n") as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 401")
    with house.proxy.raw(f"{asked}Authorization: Bearer {key.text}\n\n") as connection:
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101"), answer
        connection.sendall(b"hello")
        assert connection.recv(4096) == f"hourmark-subject: role:{key.role} says hello".encode()


def test_the_host_that_is_asked_about_is_the_one_that_answers(new_house: NewHouse) -> None:
    """A request line may name another host than the header: who may enter one app does not get the other."""
    mine, other = new_house(), new_house()
    key = mine.world.holder(f"app:query@{mine.app.name}")
    mine_at, other_at = mine.proxy.host(mine.name), mine.proxy.host(other.name)
    for line, header in ((other_at, mine_at), (mine_at, other_at)):
        head = f"GET http://{line}/headers HTTP/1.1\nHost: {header}\nAuthorization: Bearer {key.text}\n"
        with mine.proxy.raw(head + "Connection: close\n\n") as connection:
            answer = b""
            while read := connection.recv(65536):
                answer += read
        if answer.startswith(b"HTTP/1.1 200"):
            assert other_at.encode() not in answer.partition(b"\r\n\r\n")[2]
        else:
            assert answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 400")), answer


def test_what_it_asks_is_nobody_elses_to_ask(house: House) -> None:
    key = house.world.holder("app:query@*")
    with house.client(key.text) as client:
        assert client.get("/_hourmark/ask").status_code in (403, 404)
        assert client.get("/_hourmark/enter?code=x").headers["hourmark-refused"] == "reserved_path"


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
