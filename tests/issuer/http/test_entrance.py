"""A browser on its way into an app, step by step: none is good for another browser, or for another app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests import doors
from tests.browsers import Browser, signed_in
from tests.clients import claims
from tests.doors import Door, api_token
from tests.issuer.http.test_forward_auth import reason
from tests.issuer.http.world import OTHER, World, made, open_world, until

KINDS = ("nginx", "forwarded")
PAGE = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("entrance"), **doors.SETTINGS) as opened:
        yield opened


@pytest.fixture(params=KINDS)
def door(world: World, request: pytest.FixtureRequest) -> Door:
    return doors.door(world, request.param)


@dataclass
class Visitor:
    """A browser at an app's host and at the issuer."""

    door: Door
    issuer: Browser
    cookies: dict[str, str] = field(default_factory=dict)

    def open(self, target: str = "/", /, **headers: str) -> httpx.Response:
        """Asks for a page at the app, with its cookies there."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.door.ask(target, **PAGE | headers, Cookie=cookie)
        for header in answer.headers.get_list("set-cookie"):
            name, _, rest = header.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer

    def to_entrance(self, target: str = "/") -> httpx.Response:
        """Opens a page, and goes where it is led."""
        return self.issuer.get(self.open(target).headers["location"].removeprefix(self.door.world.url))

    def enter(self, token: str, target: str = "/") -> str:
        """Opens a page, shows the token at the entrance; where it is led then."""
        assert self.to_entrance(target).status_code == 200
        answer = self.issuer.send("/enter/token", {"token": token})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def arrive(self, url: str) -> httpx.Response:
        """Comes back to the app."""
        origin = f"https://{self.door.host}"
        assert url.startswith(f"{origin}/_hourmark/enter?code=")
        return self.open(url.removeprefix(origin))

    def is_let_in(self) -> bool:
        """If not, it is led to the entrance."""
        answer = self.open()
        assert answer.status_code == 200 or "/enter?" in answer.headers["location"]
        return answer.status_code == 200


NewVisitor = Callable[..., Visitor]


@pytest.fixture
def new_visitor(world: World) -> Iterator[NewVisitor]:
    """Whoever comes to a door; `user` is signed in at the issuer."""
    with ExitStack() as stack:

        def make(door: Door, user: str | None = None) -> Visitor:
            browser = Browser(world.url) if user is None else signed_in(world.issuer, user)
            return Visitor(door, stack.enter_context(browser))

        yield make


@pytest.fixture
def visitor(door: Door, new_visitor: NewVisitor) -> Visitor:
    return new_visitor(door)


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


def test_a_link_that_was_not_made_here_shows_no_form(visitor: Visitor) -> None:
    led = visitor.open().headers["location"].removeprefix(visitor.door.world.url)
    for changed in ("/enter", led.replace(visitor.door.host, "elsewhere.example"), f"{led}0"):
        answer = visitor.issuer.get(changed)
        assert (answer.status_code, "<form" in answer.text) == (403, False)
    visitor.issuer.get(led)
    foreign = {"token": "x:y", "origin": "https://elsewhere.example"}
    assert visitor.issuer.send("/enter/token", foreign).status_code == 403
    assert visitor.issuer.send("/enter/token", Origin="https://elsewhere.example").status_code == 403


def test_only_over_tls_the_cookie_says_that_it_is_of_this_host(world: World) -> None:
    door = doors.door(world)
    for scheme, expected in (("http", "hourmark-browser"), ("https", "__Host-hourmark-browser")):
        asked = door.says() | {"X-Original-URL": f"{scheme}://{door.host}/"} | PAGE
        cookie = world.nobody.get("/v1/forward-auth", headers=asked).headers["set-cookie"]
        assert cookie.startswith(f"{expected}=")
        assert ("Secure" in cookie) == (scheme == "https")


@dataclass(frozen=True)
class Agreed:
    """A user who let an app act for it, and is there."""

    door: Door
    user: str
    visitor: Visitor

    def withdraw(self) -> None:
        admin, whose = self.door.world.admin, {"user": self.user}
        (consent,) = admin.get("/v1/consents", params=whose).json()["items"]
        admin.delete(f"/v1/consents/{consent['id']}", params=whose).raise_for_status()


@pytest.fixture
def agreed(world: World, new_visitor: NewVisitor) -> Agreed:
    door = doors.door(world, "nginx", scope="data:get@* job:get@*", audience=OTHER)
    user = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": user}))
    role = world.role("app:query@*", "data:get@mine*", "data:put@*")
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": role}))
    visitor = new_visitor(door, user)
    visitor.to_entrance()
    asked = visitor.issuer.send("/enter/session")
    assert (asked.status_code, f"Let {door.app.name} act for" in asked.text) == (200, True)
    visitor.arrive(visitor.issuer.send("/enter/session", {"decision": "allow"}).headers["location"])
    return Agreed(door, user, visitor)


def handed(answer: httpx.Response) -> str:
    """The token that the app is handed."""
    assert answer.status_code == 200, answer.text
    scheme, _, token = answer.headers["authorization"].partition(" ")
    assert scheme == "Bearer"
    return token


def test_with_a_consent_the_app_is_handed_what_it_acts_with(agreed: Agreed) -> None:
    token = handed(agreed.visitor.open())
    said = claims(token)
    assert (said["sub"], said["act"]) == (f"user:{agreed.user}", {"sub": agreed.door.app.client_id})
    assert (said["scope"], said["aud"]) == ("data:get@mine*", OTHER)
    assert said["client_id"] == agreed.door.app.client_id
    # The same is handed on until it is half spent.
    assert handed(agreed.visitor.open()) == token


@pytest.mark.parametrize(
    ("presets", "scope"),
    [(["protected-endpoint"], None), (["protected-endpoint", "developer-operations"], "data:get@mine*")],
    ids=["narrow", "wide"],
)
def test_for_a_program_of_the_user_it_is_no_more_than_the_program_shows(
    agreed: Agreed, presets: list[str], scope: str | None
) -> None:
    body = {"name": f"t{uuid4().hex}", "presets": presets, "owner": f"user:{agreed.user}"}
    token = made(agreed.door.world.admin.post("/v1/tokens", json=body))["token"]
    answer = agreed.door.as_bearer(token)
    if scope is None:
        assert (answer.status_code, answer.headers["authorization"]) == (200, "")
    else:
        assert claims(handed(answer))["scope"] == scope


def test_for_whoever_never_agreed_there_is_none(agreed: Agreed) -> None:
    answer = agreed.door.as_bearer(agreed.door.world.holder("app:query@*", "data:get@*").text)
    assert (answer.status_code, answer.headers["authorization"]) == (200, "")


def test_what_the_app_is_handed_does_not_open_the_door_again(agreed: Agreed) -> None:
    token = handed(agreed.visitor.open())
    assert reason(agreed.door.as_bearer(token)) == (403, "insufficient_scope")


def test_a_consent_that_is_withdrawn_ends_what_was_handed_on(agreed: Agreed) -> None:
    token = handed(agreed.visitor.open())
    assert agreed.door.world.is_active(token)
    agreed.withdraw()
    answer = agreed.visitor.open()
    assert (answer.status_code, answer.headers["authorization"]) == (200, "")
    assert not agreed.door.world.is_active(token)


def test_what_the_app_wants_no_more_is_not_handed_on(agreed: Agreed) -> None:
    handed(agreed.visitor.open())
    changed = {"scope": "job:get@*"}
    agreed.door.world.admin.patch(f"/v1/apps/{agreed.door.app.name}", json=changed).raise_for_status()
    assert agreed.visitor.open().headers["authorization"] == ""


def test_at_another_host_nobody_has_agreed(agreed: Agreed, new_visitor: NewVisitor) -> None:
    """Whoever changes where an app is found does not get what its users let the one before have."""
    door, world = agreed.door, agreed.door.world
    token = handed(agreed.visitor.open())
    moved = Door(world, door.app, f"new.{door.host}", door.kind)
    world.admin.patch(f"/v1/apps/{door.app.name}", json={"host": moved.host}).raise_for_status()
    assert not world.is_active(token)
    visitor = new_visitor(moved, agreed.user)
    visitor.to_entrance()
    assert "act for" in visitor.issuer.send("/enter/session").text


def test_what_is_known_is_answered_without_the_database(tmp_path: Path) -> None:
    """Tokens, role keys and visits alike; what is not known has to wait for it."""
    with open_world(tmp_path, HOURMARKD_OUTAGE_ALLOWANCE="600", **doors.SETTINGS) as world:
        door, other, key = doors.door(world), doors.door(world), world.holder("app:query@*")
        token = world.token(key)
        with Browser(world.url) as browser:
            visitor = Visitor(door, browser)
            visitor.arrive(visitor.enter(key.text))

            def known() -> list[int]:
                answers = (visitor.open(), door.as_bearer(key.text), door.as_bearer(token))
                return [answer.status_code for answer in answers]

            assert known() == [200] * 3
            (tmp_path / "data" / "hourmark.db").rename(tmp_path / "away")
            until(lambda: any(line["event"] == "changes_not_followed" for line in world.issuer.lines()))
            assert known() == [200] * 3
            assert reason(other.as_bearer(token)) == (503, "temporarily_unavailable")
