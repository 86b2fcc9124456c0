"""What every page has: its headers, its cookies, and refusals that people can read."""

from __future__ import annotations

import pytest

from issuer.browser import BROWSER_COOKIE
from issuer.console.long_names import breakable
from issuer.console.pages import own_path
from issuer.settings import Settings
from tests.browsers import Browser
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def test_nobody_is_signed_in(browser: Browser) -> None:
    answer = browser.get("/?a=b&c=/d")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/%3Fa%3Db%26c%3D/d")


def test_somebody_is(signed_in: NewBrowser) -> None:
    answer = signed_in().get("/")
    assert answer.status_code == 200
    assert "Ada Lovelace" in answer.text
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_cookies_are_for_this_host_alone_and_for_no_script(signed_in: NewBrowser) -> None:
    (cookie,) = signed_in().get("/").headers.get_list("set-cookie")
    name, *attributes = cookie.split("; ")
    assert name.startswith(f"{BROWSER_COOKIE}=")
    assert {each.lower() for each in attributes} == {
        *("httponly", "secure", "samesite=lax", "path=/", "max-age=31536000")
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1/nowhere", 404),
        ("DELETE", "/tokens", 405),
        ("GET", "/a%2fb", 404),
    ],
)
def test_who_follows_a_link_to_nowhere_gets_a_page(world: World, method: str, path: str, status: int) -> None:
    browsers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for headers, kind in ((browsers, "text/html"), ({}, "application/problem+json")):
        answer = world.nobody.request(method, path, headers=headers)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (status, kind)
        assert ("allow" in answer.headers) == (status == 405)
    oauth = world.nobody.delete("/v1/token", headers=browsers)
    assert oauth.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("path", ["/", "/login", "/login?next=/", "/a/b?c=%2F#d", "/authorize?a=b&c=d"])
def test_a_path_of_ours_is_come_back_to(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "x",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "/\t/evil",
        "/\n/evil",
        "/a\r\nSet-Cookie: b=c",
        "/a b",
        "/ä",
        "javascript:alert(1)",
        "/" + "a" * 9000,
        "/a\\b",
    ],
)
def test_any_other_leads_to_the_start(path: str | None) -> None:
    assert own_path(path) == "/"


def test_style_and_mark_are_kept_for_ever(browser: Browser, signed_in: NewBrowser) -> None:
    page = signed_in().get("/").text
    for name, kind in (("ground.css", "text/css"), ("icon.svg", "image/svg+xml")):
        path = next(each for each in page.split('"') if each.endswith(name))
        answer = browser.get(path)
        assert answer.headers["content-type"].partition(";")[0] == kind
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert len(answer.content) < 20_000
        other = browser.get(f"/static/0/{name}")
        assert (other.content, other.headers["cache-control"]) == (answer.content, "no-store")


@pytest.mark.parametrize(
    ("issuer", "origin"),
    [
        ("", "http://127.0.0.1:8700"),
        ("https://issuer.example", "https://issuer.example"),
        ("https://Issuer.Example:443", "https://issuer.example"),
        ("http://localhost:80", "http://localhost"),
        ("https://issuer.example:8443/path", "https://issuer.example:8443"),
        ("http://[::1]:8700", "http://[::1]:8700"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(issuer: str, origin: str) -> None:
    assert Settings(issuer=issuer).origin == origin


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("get data urn:x:a.b", "get data urn:<wbr>x:<wbr>a.<wbr>b"),
        ("it begins with a.", "it begins with a."),
        ("<b>.x:y", "&lt;b&gt;.x:<wbr>y"),
    ],
)
def test_long_names_part_at_their_joints(text: str, shown: str) -> None:
    assert breakable(text) == shown
