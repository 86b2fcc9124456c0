"""A form counts when it comes from our own page, in the browser and session that the page was made for."""

from __future__ import annotations

import pytest

from issuer.api.openapi.pages import PAGES
from tests.browsers import Browser
from tests.issuer.console.conftest import NewBrowser

# A client's page sends people to /authorize, by a form too: it changes nothing.
FORMS = [page.path for page in PAGES if page.method == "POST" and page.path != "/authorize"]


@pytest.mark.parametrize("path", FORMS)
def test_without_its_token_nothing_is_done(signed_in: NewBrowser, path: str) -> None:
    browser = signed_in()
    for csrf in ("", "x", "ä"):
        answer = browser.send(path, csrf=csrf)
        if path == "/logout" and not csrf:
            assert answer.headers["location"].startswith("/logout"), "it asks"
            continue
        assert (answer.status_code, "Not permitted" in answer.text) == (403, True)
        assert "text/html" in answer.headers["content-type"]
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("path", FORMS)
def test_another_sessions_token_is_worth_nothing(signed_in: NewBrowser, path: str) -> None:
    one, other = signed_in(), signed_in()
    other.get("/session")
    assert one.get("/session").status_code == 200
    assert one.send(path, csrf=other.hidden()["csrf"]).status_code == 403


def test_a_token_from_before_the_sign_in_is_worth_nothing_after(signed_in: NewBrowser) -> None:
    browser = signed_in()
    browser.get("/session")
    cookies = dict(browser.cookies)
    with Browser(browser.url) as anonymous:
        anonymous.cookies = {name: value for name, value in cookies.items() if "browser" in name}
        anonymous.get("/login")
        token = anonymous.hidden()["csrf"]
    assert token != browser.hidden()["csrf"]
    assert browser.send("/session/sign-out-everywhere", csrf=token).status_code == 403


@pytest.mark.parametrize("path", [path for path in FORMS if path != "/logout"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_from_a_page_elsewhere_nothing_is_done(
    signed_in: NewBrowser, path: str, headers: dict[str, str]
) -> None:
    browser = signed_in()
    browser.get("/session")
    answer = browser.send(path, None, csrf=None, **headers)
    assert (answer.status_code, "page elsewhere" in answer.text) == (403, True)


def test_a_form_of_a_page_whose_session_ended_says_so(signed_in: NewBrowser) -> None:
    browser = signed_in()
    browser.get("/session")
    browser.send("/session/sign-out-everywhere")
    with Browser(browser.url) as other:
        other.cookies = dict(browser.cookies)
        other.get("/login")
        token, other.page = other.hidden()["csrf"], ""
        answer = other.send("/session/sign-out-everywhere", csrf=token)
        assert (answer.status_code, "sign in, then try again" in answer.text) == (403, True)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"csrf=a&csrf=b", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"a=" + b"b" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
    ],
)
def test_what_is_no_form_is_refused_with_a_page(
    browser: Browser, content: bytes, kind: str, status: int
) -> None:
    answer = browser._http.post("/login", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, "text/html" in answer.headers["content-type"]) == (status, True)
