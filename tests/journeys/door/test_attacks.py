"""What somebody writes by hand to pass for another one, or to come to another app, before real proxies."""

from __future__ import annotations

import json

from tests.doors import IDENTITY
from tests.journeys.door.conftest import House, NewHouse, by_name


def told(answer: bytes) -> dict[str, list[str]]:
    """The headers that the app saw."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), answer
    return by_name(json.loads(body))


def test_what_the_app_is_told_comes_from_the_issuer_alone(house: House) -> None:
    """Each header in every spelling, all of them at once, twice each."""
    key = house.world.holder("app:query@*")
    spellings = [
        spelling
        for name in IDENTITY
        for dashed in (name, name.title(), name.upper())
        for spelling in (dashed, dashed.replace("-", "_"), dashed.replace("-", "."))
    ]
    forged = [f"{name}: user:admin" for name in spellings * 2]
    cookies = "theirs=1; hourmark-visit=hmv_x; __Host-hourmark-browser=y; other=2"
    shown = (f"Authorization: Bearer {key.text}", f"Cookie: {cookies}")
    answer = house.exchange("GET /headers HTTP/1.1", *forged, *shown, *forged)
    assert b"user:admin" not in answer
    seen = told(answer)
    assert seen["hourmark-subject"] == [f"role:{key.role}"]
    assert seen["hourmark-client"] == [key.access]
    assert seen["hourmark-roles"] == [key.role]
    assert seen.get("hourmark-actor", [""]) == [""]
    assert seen["cookie"] == ["theirs=1; other=2"]
    assert seen.get("authorization", [""]) == [""]
    assert not any("_" in name or "secret" in name for name in seen)
    assert key.secret.encode() not in answer


def test_no_client_says_which_headers_end_at_the_proxy(house: House) -> None:
    """`Connection` names headers that are for the next server alone (RFC 9110 section 7.6.1)."""
    key = house.world.holder("app:query@*")
    named = ["Host", "Hourmark-Proxy-Secret", "X-Original-URL", "X-Forwarded-Host"]
    if house.proxy.kind != "traefik":  # it takes its own clients at their word, before it asks
        named += ["Authorization", "Cookie"]
    connection = f"Connection: {', '.join((*IDENTITY, *named))}"
    seen = told(
        house.exchange(
            "GET /headers HTTP/1.1", f"Authorization: Bearer {key.text}", "Cookie: theirs=1", connection
        )
    )
    assert seen["hourmark-subject"] == [f"role:{key.role}"]
    assert seen["hourmark-client"] == [key.access]
    assert seen["hourmark-roles"] == [key.role]
    assert seen["cookie"] == ["theirs=1"]
    assert seen.get("authorization", [""]) == [""]
    refused = house.exchange("GET /headers HTTP/1.1", connection)
    assert refused.startswith(b"HTTP/1.1 401")


def test_no_request_becomes_anything_but_a_socket(house: House) -> None:
    """What follows an upgrade goes past the door: HTTP/2 would carry whole requests there (RFC 7540)."""
    key = house.world.holder("app:query@*")
    shown = f"Authorization: Bearer {key.text}"
    for upgrade in ("h2c", "websocket, h2c", "WebSocket/13 h2c", "tls/1.2"):
        answer = house.exchange(
            "GET /headers HTTP/1.1",
            shown,
            "Connection: Upgrade, HTTP2-Settings",
            f"Upgrade: {upgrade}",
            "HTTP2-Settings: AAMAAABkAAQAAP__",
        )
        seen = told(answer)
        assert "upgrade" not in seen or "http2-settings" not in seen, upgrade


def test_two_of_one_header_are_not_two_credentials(house: House) -> None:
    """Of two credentials none counts, and no cookie of ours comes to the app in the shadow of another one."""
    key = house.world.holder("app:query@*")
    good, bad = f"Authorization: Bearer {key.text}", "Authorization: Bearer x"
    for pair in ((good, bad), (bad, good)):
        assert house.exchange("GET /headers HTTP/1.1", *pair).startswith((b"HTTP/1.1 400", b"HTTP/1.1 401"))
    cookies = ("Cookie: hourmark-visit=hmv_x", "Cookie: theirs=1; hourmark-browser=hmv_x", "Cookie: other=2")
    answer = house.exchange("GET /headers HTTP/1.1", good, *cookies)
    told(answer)
    assert b"hmv_x" not in answer


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
    told = mine.seen(key.text, **{name: value.replace(there, "elsewhere") for name, value in forged.items()})
    assert told["hourmark-subject"] == [f"role:{key.role}"]
    assert "hourmark-proxy-secret" not in told
    assert (told["x-forwarded-host"], told["x-forwarded-proto"]) == ([there], ["http"])


def test_the_host_that_is_asked_about_is_the_one_that_answers(new_house: NewHouse) -> None:
    """A request line may name another host than the header: who may enter one app does not get the other."""
    mine, other = new_house(), new_house()
    key = mine.world.holder(f"app:query@{mine.app.name}")
    mine_at, other_at = mine.proxy.host(mine.name), mine.proxy.host(other.name)
    for line, header in ((other_at, mine_at), (mine_at, other_at)):
        head = f"GET http://{line}/headers HTTP/1.1\nHost: {header}\nAuthorization: Bearer {key.text}\n"
        answer = mine.proxy.exchange(head + "Connection: close\n\n")
        if answer.startswith(b"HTTP/1.1 200"):
            assert other_at.encode() not in answer.partition(b"\r\n\r\n")[2]
        else:
            assert answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 400")), answer


def test_what_it_asks_is_nobody_elses_to_ask(house: House) -> None:
    key = house.world.holder("app:query@*")
    with house.client(key.text) as client:
        assert client.get("/_hourmark/ask").status_code in (403, 404)
        assert client.get("/_hourmark/enter?code=x").headers["hourmark-refused"] == "reserved_path"


_POST = "POST /posted HTTP/1.1\nHost: MINE\nAuthorization: GOOD\n"
_NEXT = "GET /headers HTTP/1.1\nHost: OTHER\nConnection: close\n\n"
_TWO_WAYS = (
    "GET /headers HTTP/1.0\nAuthorization: GOOD\n\n",
    "GET /headers HTTP/1.1\nHost: OTHER\nHost: MINE\nAuthorization: GOOD\nConnection: close\n\n",
    "GET /headers HTTP/1.1\nHost: MINE\nHost: OTHER\nAuthorization: GOOD\nConnection: close\n\n",
    "GET /headers HTTP/1.1\nHost: x@OTHER\nAuthorization: GOOD\nConnection: close\n\n",
    "GET /headers HTTP/1.1\nHost: OTHER\n X-A: b\nAuthorization: GOOD\nConnection: close\n\n",
    "GET /headers HTTP/1.1\nHost: OTHER.\nAuthorization: GOOD\nConnection: close\n\n",
    "GET /headers HTTP/1.1\nHost : OTHER\nAuthorization: GOOD\nConnection: close\n\n",
    "GET /headers HTTP/1.1\nHost: OTHER\nAuthorization: GOOD\nConnection: close\n\n",
    "GET http://MINE@OTHER/headers HTTP/1.1\nHost: MINE\nAuthorization: GOOD\nConnection: close\n\n",
    f"{_POST}Content-Length: 2\nContent-Length: 4\n\nab",
    f"{_POST}Content-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n{_NEXT}",
    f"{_POST}Transfer-Encoding: chunked\n\n0\n\n{_NEXT}",
    f"GET /headers HTTP/1.1\nHost: MINE\nX-Mine: GOOD\n\n{_NEXT}",
)


def test_a_request_that_can_be_read_in_two_ways_opens_no_other_app(new_house: NewHouse) -> None:
    """Who may open one app comes to no other one, by whatever the proxy takes for the host or for the end."""
    mine, other = new_house(), new_house()
    key = mine.world.holder(f"app:query@{mine.app.name}")
    for written in _TWO_WAYS:
        head = written.replace("MINE", mine.host).replace("OTHER", other.host)
        answer = mine.proxy.exchange(head.replace("GOOD", f"Bearer {key.text}"))
        assert b"hourmark-subject" not in answer, written


def test_no_way_of_writing_a_path_leads_past_the_door(house: House) -> None:
    """Neither to what the proxy asks, nor to the platform's pages, nor back from the entrance."""
    key = house.world.holder("app:query@*")
    refused = (b"HTTP/1.1 401", b"HTTP/1.1 403", b"HTTP/1.1 404")
    for path in (
        *("/_hourmark/ask", "/x/../_hourmark/ask", "/_hourmark/./ask", "/%5fhourmark/ask", "//_hourmark/ask"),
        *("/v1/../enter", "/v1/%2e%2e/enter", "/v1/..%2fenter", "/v1/forward-auth", "/v1/%66orward-auth"),
    ):
        assert house.exchange(f"GET {path} HTTP/1.1").startswith(refused), path
        shown = f"Authorization: Bearer {key.text}"
        about = f"X-Original-URL: {house.url}/", "X-Original-Method: GET"
        answer = house.exchange(f"GET {path} HTTP/1.1", shown, *about)
        is_the_app = b"<title>Notes</title>" in answer
        assert is_the_app or answer.startswith(refused[1:]), (path, answer)
        assert b"hmk_" not in answer


METHODS = ("OPTIONS", "HEAD", "POST", "PUT", "DELETE", "PROPFIND", "M-SEARCH")


def test_every_method_needs_a_credential(house: House) -> None:
    """Also OPTIONS, by which browsers ask first (CORS), without one."""
    key = house.world.holder("app:query@*")
    asked = "Origin: https://elsewhere.example", "Access-Control-Request-Method: POST"
    for method in METHODS:
        assert house.exchange(f"{method} /headers HTTP/1.1", *asked).startswith(b"HTTP/1.1 401"), method
        answer = house.exchange(f"{method} /headers HTTP/1.1", f"Authorization: Bearer {key.text}", *asked)
        # The app's own answer.
        assert answer.startswith(b"HTTP/1.1 200" if method == "HEAD" else b"HTTP/1.1 405"), (method, answer)


def test_a_parameter_of_the_app_is_none_of_ours(house: House) -> None:
    """`access_token` in a URL is refused where it is meant for the issuer."""
    key = house.world.holder("app:query@*")
    with house.client(key.text) as client:
        assert client.get("/headers?access_token=of-the-app").status_code == 200
