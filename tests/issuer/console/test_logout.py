"""Signing out: by oneself, and because a client asks (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from issuer.signing import SigningKeys
from issuer.store import apps, principals
from issuer.store.apps import Registration
from tests.browsers import Browser, inside
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World

BACK, WITH_QUERY = "https://app.example/bye", "https://app.example/bye?from=hourmark"


@dataclass(frozen=True)
class App:
    """A client that may have browsers sent back to it."""

    world: World
    client_id: str

    def id_token(self, user: str, **claims: object) -> str:
        """As the issuer signed it, an hour before it expired."""
        now = int(time.time())
        told = {"iss": self.world.url, "aud": self.client_id, "sub": f"user:{user}", **claims}
        with inside(self.world.issuer) as there:
            signing = SigningKeys(there.database, there.kek, there.settings)
            signing.load(now)
            typ = str(told.pop("typ", "JWT"))
            return signing.current.sign(
                json.dumps({**told, "iat": now - 7200, "exp": now - 3600}).encode(), typ
            )


@pytest.fixture
def app(world: World) -> App:
    client_id = uuid4().hex
    registration = Registration(
        description="",
        redirect_uris=("https://app.example/cb",),
        post_logout_redirect_uris=(BACK, WITH_QUERY),
        host=None,
        scope="data:get@*",
        authentication="none",
        secret_hash=None,
        jwks=None,
        id_token_algorithm=None,
    )
    with inside(world.issuer) as there, there.write("tests") as tx:
        owner = principals.get(tx.session, "user:admin")
        apps.create(tx, client_id, f"the app {client_id}", registration, owner=owner, role=None)
    return App(world, client_id)


def ask(browser: Browser, **parameters: str) -> str:
    """Where it leads: a URI, or what the page is about."""
    answer = browser.get("/logout?" + urlencode(parameters))
    return answer.headers["location"] if answer.is_redirect else _heading(answer.text)


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/").status_code == 200


def _heading(page: str) -> str:
    return page.partition("<h1>")[2].partition("</h1>")[0]


def test_by_oneself(signed_in: NewBrowser) -> None:
    browser, other = signed_in(), signed_in()
    assert ask(browser) == "Sign out?"
    assert is_signed_in(browser), "to ask is not to do"
    ask(browser)
    answer = browser.send("/logout")
    assert (answer.status_code, _heading(answer.text)) == (200, "You are signed out")
    assert "Max-Age=0" in "".join(answer.headers.get_list("set-cookie"))
    assert (is_signed_in(browser), is_signed_in(other)) == (False, True)
    assert ask(browser) == "You are signed out"


def test_a_client_that_shows_whose_session_it_is_ends_it(app: App, user: str, signed_in: NewBrowser) -> None:
    """Also long after its ID token expired."""
    browser = signed_in()
    hint = app.id_token(user)
    assert (
        ask(browser, id_token_hint=hint, post_logout_redirect_uri=BACK, state="a b&c")
        == f"{BACK}?state=a+b%26c"
    )
    assert not is_signed_in(browser)
    # Again, and of a browser that was never here.
    assert ask(browser, id_token_hint=hint, post_logout_redirect_uri=BACK) == BACK
    assert ask(browser, id_token_hint=hint) == "You are signed out"


@pytest.mark.parametrize(
    "kind", ["none", "another user's", "an access token", "unsigned", "another issuer's"]
)
def test_without_that_the_user_is_asked(app: App, user: str, signed_in: NewBrowser, kind: str) -> None:
    browser = signed_in()
    good = app.id_token(user)
    hints = {
        "none": {},
        "another user's": {"id_token_hint": app.id_token("admin")},
        "an access token": {"id_token_hint": app.id_token(user, typ="at+jwt")},
        "unsigned": {"id_token_hint": good[:-4] + "AAAA"},
        "another issuer's": {"id_token_hint": app.id_token(user, iss="https://other.example")},
    }
    asked = {"client_id": app.client_id, "post_logout_redirect_uri": WITH_QUERY, "state": "s"}
    assert ask(browser, **asked, **hints[kind]) == "Sign out?"
    policy = browser.get("/logout?" + urlencode(asked)).headers["content-security-policy"]
    assert "form-action 'self' https://app.example;" in policy
    assert is_signed_in(browser)
    ask(browser, **asked, **hints[kind])
    answer = browser.send("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{WITH_QUERY}&state=s")
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "changed",
    [
        {"post_logout_redirect_uri": BACK + "/"},
        {"post_logout_redirect_uri": BACK + "?a=b"},
        {"post_logout_redirect_uri": "https://evil.example"},
        {"post_logout_redirect_uri": "javascript:alert(1)"},
        {"client_id": "another"},
        {"client_id": "hourmark-cli"},
        {"client_id": ""},
        {"client_id": "\0"},
    ],
    ids=str,
)
def test_a_browser_is_sent_nowhere_that_was_not_registered(
    app: App, signed_in: NewBrowser, changed: dict[str, str]
) -> None:
    browser = signed_in()
    asked = {"client_id": app.client_id, "post_logout_redirect_uri": BACK} | changed
    answer = browser.get("/logout?" + urlencode(asked))
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    ask(browser)
    assert browser.send("/logout", asked).status_code == 400
    assert is_signed_in(browser)


def test_a_hint_of_another_client_is_refused(app: App, user: str, signed_in: NewBrowser) -> None:
    browser = signed_in()
    answer = browser.get(
        "/logout?" + urlencode({"id_token_hint": app.id_token(user), "client_id": "another"})
    )
    assert answer.status_code == 400
    assert is_signed_in(browser)


def test_a_clients_own_form_is_asked_again_with_the_browsers_cookies(
    app: App, user: str, signed_in: NewBrowser
) -> None:
    browser = signed_in()
    asked = {"id_token_hint": app.id_token(user), "post_logout_redirect_uri": BACK}
    answer = browser.send("/logout", asked | {"other": "x"}, Origin="https://app.example")
    assert (answer.status_code, answer.headers["location"]) == (303, "/logout?" + urlencode(asked))
    assert browser.get(answer.headers["location"]).headers["location"] == BACK
    assert not is_signed_in(browser)
