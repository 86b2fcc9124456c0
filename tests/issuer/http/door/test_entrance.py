"""A browser on its way into an app, step by step: none is good for another browser, or for another app."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import pytest

from tests import doors
from tests.doors import Door, api_token
from tests.issuer.http.door.conftest import NewVisitor
from tests.issuer.http.door.test_forward_auth import reason
from tests.issuer.http.door.visitors import PAGE, Visitor
from tests.issuer.http.world import World, made


def test_in_by_a_token(visitor: Visitor) -> None:
    arrived = visitor.arrive(visitor.enter(api_token(visitor.door.world)["token"], "/notes?page=2"))
    assert arrived.status_code == (401 if visitor.door.kind == "nginx" else 302)
    assert arrived.headers["location"] == f"https://{visitor.door.host}/notes?page=2"
    cookie = arrived.headers["set-cookie"]
    assert cookie.startswith("__Host-hourmark-visit=hmv_")
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= attributes
    assert not any(attribute.startswith("domain") for attribute in attributes)
    answer = visitor.open("/notes")
    assert (answer.status_code, answer.headers["hourmark-subject"]) == (200, "user:admin")
    assert (answer.headers["cookie"], answer.headers["authorization"]) == ("", "")


@pytest.mark.parametrize("end", ["renew", "delete"])
def test_what_ends_the_token_ends_the_visit(visitor: Visitor, end: str) -> None:
    world = visitor.door.world
    token = api_token(world)
    visitor.arrive(visitor.enter(token["token"]))
    assert visitor.is_let_in()
    path = f"/v1/tokens/{token['id']}"
    (world.admin.post(f"{path}/renew") if end == "renew" else world.admin.delete(path)).raise_for_status()
    assert not visitor.is_let_in()
    assert visitor.open(Sec_Fetch_Mode="cors").status_code == 401


def test_a_renewal_with_grace_leaves_the_visit_until_the_next_one(visitor: Visitor) -> None:
    world = visitor.door.world
    token = api_token(world)
    visitor.arrive(visitor.enter(token["token"]))
    renewal = f"/v1/tokens/{token['id']}/renew"
    world.admin.post(renewal, json={"grace_seconds": 60}).raise_for_status()
    assert visitor.is_let_in()
    world.admin.post(renewal).raise_for_status()
    assert not visitor.is_let_in()


def test_rights_that_are_lost_do_not_open(visitor: Visitor) -> None:
    """A visit goes on with what is left."""
    world, app = visitor.door.world, visitor.door.app
    role = world.role(f"app:query@{app.name}", "data:get@*")
    visitor.arrive(visitor.enter(world.key(role).text))
    policies = world.admin.get(f"/v1/roles/{role}/policies").json()["items"]
    by_permission = {each["permission"]: each["id"] for each in policies}
    for permission, is_in in (("data:get@*", True), (f"app:query@{app.name}", False)):
        world.admin.delete(f"/v1/roles/{role}/policies/{by_permission[permission]}").raise_for_status()
        assert visitor.is_let_in() is is_in


@pytest.mark.parametrize("end", ["sign-ins", "disable", "host"])
def test_what_ends_the_session_ends_the_visit(door: Door, new_visitor: NewVisitor, end: str) -> None:
    world, user = door.world, f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": user}))
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": world.role("app:query@*")}))
    visitor = new_visitor(door, user)
    visitor.to_entrance()
    visitor.arrive(visitor.issuer.send("/enter/session").headers["location"])
    assert visitor.open().headers["hourmark-subject"] == f"user:{user}"
    path = f"/v1/apps/{door.app.name}"
    if end == "sign-ins":
        world.admin.delete(f"/v1/users/{user}/sign-ins").raise_for_status()
    elif end == "disable":
        world.admin.post(f"/v1/users/{user}/disable").raise_for_status()
    else:
        world.admin.patch(path, json={"host": f"new.{door.host}"}).raise_for_status()
        assert reason(visitor.open()) == (403, "unknown_app")
        world.admin.patch(path, json={"host": door.host}).raise_for_status()
    assert not visitor.is_let_in()


def test_a_code_is_good_once_and_in_the_browser_that_began(visitor: Visitor, new_visitor: NewVisitor) -> None:
    world, door = visitor.door.world, visitor.door
    token = api_token(world)["token"]
    other = new_visitor(door)
    other.open()
    stolen = visitor.enter(token)
    other.arrive(stolen)
    assert not other.is_let_in()
    # Used up by whoever had no right to it: the browser that began begins again.
    visitor.arrive(stolen)
    assert not visitor.is_let_in()
    code = visitor.enter(token)
    visitor.arrive(code)
    assert visitor.is_let_in()
    visitor.arrive(code)
    assert not visitor.is_let_in()


@pytest.mark.parametrize("end", ["renew", "delete"])
def test_a_code_is_worth_nothing_once_its_credential_has_ended(visitor: Visitor, end: str) -> None:
    world = visitor.door.world
    token = api_token(world)
    code = visitor.enter(token["token"])
    path = f"/v1/tokens/{token['id']}"
    (world.admin.post(f"{path}/renew") if end == "renew" else world.admin.delete(path)).raise_for_status()
    led = visitor.arrive(code)
    assert led.headers["location"].startswith(f"{world.url}/enter?")
    assert not visitor.is_let_in()


def test_a_code_of_one_app_is_none_of_another(visitor: Visitor, new_visitor: NewVisitor) -> None:
    world = visitor.door.world
    elsewhere = new_visitor(doors.door(world, visitor.door.kind))
    code = visitor.enter(api_token(world)["token"]).partition("/_hourmark")[2]
    elsewhere.cookies = dict(visitor.cookies)
    elsewhere.open(f"/_hourmark{code}")
    assert not elsewhere.is_let_in()


@pytest.mark.parametrize("query", ["", "?code=", "?code=hme_x", "?code=%00", "?to=https://elsewhere.example"])
def test_a_code_that_is_none_leads_to_the_entrance(visitor: Visitor, query: str) -> None:
    led = visitor.open(f"/_hourmark/enter{query}").headers["location"]
    assert led.startswith(f"{visitor.door.world.url}/enter?")
    assert "elsewhere" not in led


ELSEWHERE = {
    "origin": (
        "https://elsewhere.example",
        "//elsewhere.example",
        "https://HOST@elsewhere.example",
        "https://user@HOST",
        "https://HOST:8443",
        "https://HOST.elsewhere.example",
        "https://HOST%2f@elsewhere.example",
        "https://HOST\\@elsewhere.example",
        "http://HOST",
        "javascript:alert(1)//HOST",
    ),
    "target": ("//elsewhere.example", "\\\\elsewhere.example", "@elsewhere.example", "", "https:elsewhere"),
    "browser": ("", "x"),
    "at": ("", "0", "99999999999", "-1", "1e9", "\u0661"),
    "seal": ("", "0" * 64),
}


def test_a_link_that_was_not_made_here_shows_no_form(world: World, new_visitor: NewVisitor) -> None:
    """Nor does what such a form would send open anything."""
    visitor = new_visitor(doors.door(world))
    led = urlsplit(visitor.open().headers["location"])
    made_here = dict(parse_qsl(led.query))
    assert visitor.issuer.get(f"/enter?{urlencode(made_here)}").status_code == 200
    for name, values in ELSEWHERE.items():
        for value in values:
            changed = made_here | {name: value.replace("HOST", visitor.door.host)}
            answer = visitor.issuer.get(f"/enter?{urlencode(changed)}")
            assert (answer.status_code, "<form" in answer.text) == (403, False), changed
    visitor.issuer.get(f"/enter?{urlencode(made_here)}")
    foreign = {"token": "x:y", "origin": "https://elsewhere.example"}
    assert visitor.issuer.send("/enter/token", foreign).status_code == 403
    assert visitor.issuer.send("/enter/token", Origin="https://elsewhere.example").status_code == 403


TARGETS = (
    "//elsewhere.example/x",
    "/\\elsewhere.example",
    "/%2f%2felsewhere.example",
    "/%5celsewhere.example",
    "/@elsewhere.example",
    "/.elsewhere.example",
    "/:80@elsewhere.example",
    "/?next=https://elsewhere.example",
    "/a%0d%0aSet-Cookie:x=1",
)


def test_the_way_back_is_to_the_page_at_the_app(world: World, new_visitor: NewVisitor) -> None:
    door, token = doors.door(world), api_token(world)["token"]
    for target in TARGETS:
        visitor = new_visitor(door)
        arrived = visitor.arrive(visitor.enter(token, target))
        assert arrived.headers["location"] == f"https://{door.host}{target}"
        (cookie,) = arrived.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-hourmark-visit=")


def test_whoever_is_in_is_not_made_somebody_else(visitor: Visitor, new_visitor: NewVisitor) -> None:
    """A code that an attacker got, in a link that a victim follows: the victim stays who it was."""
    world, door = visitor.door.world, visitor.door
    mine = world.holder("app:query@*")
    visitor.arrive(visitor.enter(mine.text))
    attacker = new_visitor(door)
    planted = attacker.enter(world.holder("app:query@*").text)
    led = visitor.arrive(planted)
    assert led.headers["location"].startswith(f"{world.url}/enter?")
    assert "hourmark-visit" not in led.headers["set-cookie"]
    assert visitor.open().headers["hourmark-subject"] == f"role:{mine.role}"
    # It is worth nothing any more in the attacker's browser either.
    attacker.arrive(planted)
    assert not attacker.is_let_in()


def test_only_over_tls_the_cookie_says_that_it_is_of_this_host(world: World) -> None:
    door = doors.door(world)
    for scheme, expected in (("http", "hourmark-browser"), ("https", "__Host-hourmark-browser")):
        asked = door.says() | {"X-Original-URL": f"{scheme}://{door.host}/"} | PAGE
        cookie = world.nobody.get("/v1/forward-auth", headers=asked).headers["set-cookie"]
        assert cookie.startswith(f"{expected}=")
        assert ("Secure" in cookie) == (scheme == "https")
