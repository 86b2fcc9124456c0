"""Passwords, set-up links and sessions, as a browser sends them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import httpx
import pytest

from issuer.browser import SESSION_COOKIE
from tests.browsers import Browser
from tests.clients import command_line
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World, made

PASSWORD = "correct horse battery"
OTHER = "another battery, staple"
Invite = Callable[..., str]


def set_up(browser: Browser, link: str, password: str = PASSWORD) -> httpx.Response:
    assert browser.get(link).status_code == 200
    return browser.send("/setup", {"password": password, "again": password})


def log_in(browser: Browser, user: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
    browser.get("/login")
    return browser.send("/login", {"user": user, "password": password, **fields})


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/").status_code == 200


def test_a_link_sets_a_password_once_and_signs_in(browser: Browser, user: str, invite: Invite) -> None:
    link = invite(user)
    answer = set_up(browser, link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Ada Lovelace" in browser.get("/").text
    with Browser(browser.url) as other:
        assert other.get(link).status_code == 404
        assert log_in(other, user).headers["location"] == "/"
        assert is_signed_in(other)


@pytest.mark.parametrize(
    ("password", "again", "says"),
    [
        ("short", "short", "at least 12 characters"),
        ("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "too easy to guess"),
        ("x" * 20 + "yzäöü" * 300, None, "longer than 1024 bytes"),
        (PASSWORD, "correct horse batterie", "not the same"),
        (PASSWORD, "", "not the same"),
    ],
)
def test_a_link_lasts_until_something_was_set(
    browser: Browser, link: str, password: str, again: str | None, says: str
) -> None:
    browser.get(link)
    answer = browser.send("/setup", {"password": password, "again": password if again is None else again})
    assert (answer.status_code, says in answer.text) == (400, True)
    assert password not in answer.text
    assert set_up(browser, link).status_code == 303


def test_a_later_link_ends_an_earlier_one(browser: Browser, user: str, invite: Invite) -> None:
    earlier, later = invite(user), invite(user)
    assert browser.get(earlier).status_code == 404
    assert browser.get(later).status_code == 200


def test_a_link_that_was_cut_off_or_invented_is_a_page(browser: Browser, link: str) -> None:
    other = link[:-1] + ("0" if link[-1] != "0" else "1")
    for wrong in ("/setup", "/setup?invitation=", "/setup?invitation=%00", link[:-1], other):
        answer = browser.get(wrong)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "ask whoever sent it for a new one" in answer.text
        assert answer.headers["x-request-id"] in answer.text


def test_a_link_of_a_disabled_user_opens_nothing(
    world: World, browser: Browser, user: str, link: str
) -> None:
    world.admin.post(f"/v1/users/{user}/disable").raise_for_status()
    assert browser.get(link).status_code == 404
    browser.get("/login")
    form = {"invitation": link.partition("=")[2], "password": PASSWORD, "again": PASSWORD}
    assert browser.send("/setup", form).status_code == 404
    world.admin.post(f"/v1/users/{user}/enable").raise_for_status()
    assert browser.get(link).status_code == 200


def test_a_new_password_by_a_link_ends_every_sign_in(
    browser: Browser, user: str, invite: Invite, signed_in: NewBrowser
) -> None:
    old = signed_in()
    assert is_signed_in(old)
    set_up(browser, invite(user))
    assert not is_signed_in(old)
    assert is_signed_in(browser)


def test_wrong_for_every_reason_looks_the_same(
    world: World, browser: Browser, user: str, invite: Invite
) -> None:
    set_up(browser, invite(user))
    disabled = f"{user}-disabled"
    made(world.admin.post("/v1/users", json={"name": disabled}))
    with Browser(world.url) as other:
        set_up(other, invite(disabled))
    world.admin.post(f"/v1/users/{disabled}/disable").raise_for_status()
    pages = set()
    for name, password in (
        (user, "wrong"),
        ("nobody", PASSWORD),
        (disabled, PASSWORD),
        ("admin", PASSWORD),  # who has none
        (user, "x" * 2000),
        ("a" * 5000, PASSWORD),
        (user, ""),
    ):
        with Browser(world.url) as other:
            answer = log_in(other, name, password)
            assert answer.status_code == 400
            pages.add("User name and password do not belong together." in answer.text)
            assert SESSION_COOKIE not in other.cookies
            assert password not in answer.text or password in ("wrong", "")
    assert pages == {True}


def test_a_session_is_new_at_every_sign_in(browser: Browser, user: str, invite: Invite) -> None:
    """Nobody can give a browser a session beforehand, and know it afterwards."""
    set_up(browser, invite(user))
    first = browser.cookies[SESSION_COOKIE]
    log_in(browser, user)
    second = browser.cookies[SESSION_COOKIE]
    assert first != second
    browser.cookies[SESSION_COOKIE] = first
    assert not is_signed_in(browser)
    invented = "hms_" + "A" * 38
    browser.cookies[SESSION_COOKIE] = invented
    log_in(browser, user)
    assert browser.cookies[SESSION_COOKIE] != invented
    assert is_signed_in(browser)


def test_the_sessions_cookie(browser: Browser, user: str, invite: Invite) -> None:
    cookies = set_up(browser, invite(user)).headers.get_list("set-cookie")
    (cookie,) = (each for each in cookies if each.startswith(f"{SESSION_COOKIE}=hms_"))
    attributes = {each.lower() for each in cookie.split("; ")[1:]}
    assert attributes == {"httponly", "secure", "samesite=lax", "path=/", "max-age=2592000"}


@pytest.mark.parametrize("then", ["/account/password", "/authorize?client_id=a&state=b%2Fc"])
def test_sign_in_returns_to_where_somebody_came_from(
    browser: Browser, user: str, invite: Invite, then: str
) -> None:
    set_up(browser, invite(user))
    with Browser(browser.url) as other:
        other.get("/login?" + str(httpx.QueryParams({"next": then})))
        answer = other.send("/login", {"user": user, "password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, then)


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil"])
def test_sign_in_leads_nowhere_else(browser: Browser, user: str, invite: Invite, then: str) -> None:
    set_up(browser, invite(user))
    browser.get("/login?" + str(httpx.QueryParams({"next": then})))
    assert browser.hidden()["next"] == "/"
    answer = browser.send("/login", {"user": user, "password": PASSWORD, "next": then})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [
        ("https://app.example/cb", " https://app.example;"),
        ("http://127.0.0.1:4711/cb", " http://127.0.0.1:4711;"),
        ("http://[::1]:4711/cb", " http:;"),
        ("com.example.app:/cb", " com.example.app:;"),
        ("javascript:alert(1)", None),
        ("https://a b;script-src *", None),
        ("https://[", None),
        ("nothing", None),
    ],
)
def test_a_client_behind_the_sign_in_is_not_stopped_by_the_policy(
    browser: Browser, redirect_uri: str, source: str | None
) -> None:
    then = "/authorize?" + str(httpx.QueryParams({"redirect_uri": redirect_uri}))
    answer = browser.get("/login?" + str(httpx.QueryParams({"next": then})))
    policy = answer.headers["content-security-policy"]
    form_action = policy.partition("form-action 'self'")[2].partition(" base-uri")[0]
    assert form_action == (source or ";")


def test_a_proof_that_is_old_is_asked_for_again(signed_in: NewBrowser) -> None:
    for path in ("/account/password", "/account/passkeys"):
        answer = signed_in(at=int(time.time()) - 301).get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")


def test_a_password_is_changed_and_other_browsers_are_signed_out(
    world: World, browser: Browser, user: str, invite: Invite, signed_in: NewBrowser
) -> None:
    set_up(browser, invite(user))
    here, old = signed_in(), signed_in(at=int(time.time()) - 301)
    program = command_line(world).sign_in(browser, scope="* openid offline_access")
    here.get("/account/password")
    stale = old.send("/account/password", here.hidden() | {"password": OTHER, "again": OTHER})
    assert stale.status_code == 403, "the form of another session"
    assert here.send("/account/password", {"password": OTHER, "again": "x"}).status_code == 400
    assert here.send("/account/password", {"password": OTHER, "again": OTHER}).headers["location"] == "/#ways"
    assert (is_signed_in(here), is_signed_in(old), is_signed_in(browser)) == (True, False, False)
    assert command_line(world).refresh(program["refresh_token"]).json()["error"] == "invalid_grant"
    assert log_in(browser, user, PASSWORD).status_code == 400
    assert log_in(browser, user, OTHER).status_code == 303


def test_one_sign_in_is_ended_and_all_are(signed_in: NewBrowser, world: World) -> None:
    here, there, third = signed_in(), signed_in(), signed_in()
    here.get("/session")
    assert here.page.count(">End</button>") == 2
    assert here.press(">End</button>").headers["location"] == "/session#sign-ins"
    assert [is_signed_in(each) for each in (here, there, third)] == [True, True, False]
    assert here.press("Sign out everywhere", on="/session").headers["location"] == "/login"
    assert not any(map(is_signed_in, (here, there, third)))
    newest = world.admin.get("/v1/audit", params={"limit": 1}).json()["items"][0]
    assert newest["action"] == "user:sign-out-everywhere"
    assert newest["actor"] == newest["target"]


def test_what_is_another_users_is_not_there(world: World, signed_in: NewBrowser, user: str) -> None:
    other = f"{user}-other"
    made(world.admin.post("/v1/users", json={"name": other}))
    theirs, own = signed_in(user=other), signed_in()
    signed_in(user=other)
    theirs.get("/session")
    (their_end,) = re.findall(r"/session/sign-ins/\d+/end", theirs.page)
    for path, fields in (
        (their_end, {}),
        (their_end.replace("session/sign-ins", "authorised-apps").replace("end", "withdraw"), {}),
        ("/account/passkeys/remove", {"id": "00ff"}),
        ("/account/passkeys/remove", {"id": "no hex"}),
    ):
        own.get("/session")
        answer = own.send(path, fields)
        assert (answer.status_code, "text/html" in answer.headers["content-type"]) == (404, True), path
    assert is_signed_in(theirs)


def test_a_disabled_user_is_signed_out_and_stays_so(world: World, signed_in: NewBrowser, user: str) -> None:
    browser = signed_in()
    assert is_signed_in(browser)
    for how in ("disable", "enable"):
        world.admin.post(f"/v1/users/{user}/{how}").raise_for_status()
        assert not is_signed_in(browser)


def test_many_wrong_passwords_do_not_lock_out_the_right_one(
    narrow: World, browser: Browser, invite_at: Callable[[World, str], str]
) -> None:
    made(narrow.admin.post("/v1/users", json={"name": "ada"}))
    with Browser(narrow.url) as own, Browser(narrow.url) as other:
        set_up(own, invite_at(narrow, "ada"))
        codes = [log_in(other, "ada", "wrong").status_code for _ in range(4)]
        assert codes == [400, 400, 429, 429]
        assert "Too many attempts" in other.page
        assert log_in(other, "ada").status_code == 303
    del browser


def test_no_secret_is_in_the_log(world: World, browser: Browser, user: str, invite: Invite) -> None:
    link = invite(user)
    set_up(browser, link)
    csrf = browser.hidden()["csrf"]
    answer = log_in(browser, user)
    line = world.line(answer)
    assert (line["sub"], line["signed_in"], line["route"]) == (f"user:{user}", "pwd", "/login")
    log = world.issuer.log.read_text()
    secrets = [PASSWORD, link.partition("=")[2], csrf, *browser.cookies.values(), "argon2"]
    assert [secret for secret in secrets if secret in log] == []


def test_every_change_is_audited(world: World, browser: Browser, user: str, invite: Invite) -> None:
    set_up(browser, invite(user))
    rows = world.admin.get("/v1/audit", params={"target": f"user:{user}"}).json()["items"]
    assert [(row["action"], row["actor"]) for row in rows[:2]] == [
        ("user:set-password", f"user:{user}"),
        ("user:invite", world.admin.headers["authorization"].split()[1].partition(":")[0]),
    ]
    assert "hmi_" not in str(rows)
