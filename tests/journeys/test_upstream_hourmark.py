"""People of one Hourmark sign in at another one: as a user there already, as a new one, and not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.browsers import Browser, leads_to, signed_in
from tests.running_issuer import RunningIssuer, free_port, start_issuer


@dataclass(frozen=True)
class Two:
    """Where people are known, and where they want to go."""

    home: RunningIssuer
    away: RunningIssuer


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with ExitStack() as stack:
        home = stack.enter_context(start_issuer(tmp_path_factory.mktemp("home")))
        port = free_port()
        with home.http() as admin:
            for name in ("ada", "bob", "eve"):
                admin.post("/v1/users", json={"name": name, "display_name": name.title()})
            app = admin.post(
                "/v1/apps",
                json={
                    "name": "away",
                    "redirect_uris": [f"http://127.0.0.1:{port}/login/home/callback"],
                    "token_endpoint_auth_method": "client_secret_basic",
                },
            ).json()
        provider = {
            "issuer": home.url,
            "title": "Home",
            "client_id": app["client_id"],
            "client_secret": app["client_secret"],
            "creates_users": True,
        }
        away = stack.enter_context(
            start_issuer(
                tmp_path_factory.mktemp("away"),
                HOURMARKD_PORT=str(port),
                HOURMARKD_ISSUER=f"http://127.0.0.1:{port}",
                HOURMARKD_UPSTREAM_PROVIDERS=json.dumps({"home": provider}),
            )
        )
        with away.http() as admin:
            admin.post("/v1/users", json={"name": "bob"})
            admin.post("/v1/users", json={"name": "eve"})
        yield Two(home, away)


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def through_home(two: Two, name: str, answer: httpx.Response) -> str:
    """Says yes at home; returns the path that leads back."""
    assert leads_to(answer).startswith(f"{two.home.url}/authorize?")
    with signed_in(two.home, name) as there:
        asked = there.get(path_of(leads_to(answer)))
        while asked.status_code != 302:
            if asked.status_code == 303:  # it has to be proved again
                assert asked.headers["location"].startswith("/login")
                there.close()
                return _again(two, name, asked.headers["location"])
            asked = there.send("/consent", {"decision": "allow"})
        return path_of(asked.headers["location"])


def _again(two: Two, name: str, login: str) -> str:
    """As if the user had proved it at home a moment ago."""
    with signed_in(two.home, name) as there:
        asked = there.get(parse_qs(urlsplit(login).query)["next"][0])
        if asked.status_code == 200:
            asked = there.send("/consent", {"decision": "allow"})
        return path_of(asked.headers["location"])


def test_somebody_new_becomes_a_user(two: Two) -> None:
    with Browser(two.away.url) as browser:
        assert "Sign in with Home" in browser.get("/login").text
        back = through_home(two, "ada", browser.get("/login/home?next=/"))
        answer = browser.get(back)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "ada" in browser.get("/").text
        # The way back is good once.
        assert browser.get(back).status_code == 403


def test_a_name_that_is_taken_is_nobody_elses(two: Two) -> None:
    with Browser(two.away.url) as browser:
        answer = browser.get(through_home(two, "eve", browser.get("/login/home")))
        assert answer.status_code == 403
        assert "exists already" in answer.text
        assert browser.get("/").status_code == 303


def test_a_user_links_an_account_and_signs_in_by_it(two: Two) -> None:
    with signed_in(two.away, "bob") as browser:
        assert "Link Home" in browser.get("/").text
        begun = browser.send("/login/home")
        answer = browser.get(through_home(two, "bob", begun))
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert two.home.url in browser.get("/").text
    with Browser(two.away.url) as other:
        other.get(through_home(two, "bob", other.get("/login/home")))
        assert "bob" in other.get("/").text


def test_another_browser_cannot_finish_what_one_began(two: Two) -> None:
    with Browser(two.away.url) as one, Browser(two.away.url) as other:
        back = through_home(two, "ada", one.get("/login/home"))
        answer = other.get(back)
        assert (answer.status_code, "did not begin" in answer.text) == (403, True)


def test_denied_at_home(two: Two) -> None:
    with Browser(two.away.url) as browser:
        began = browser.get("/login/home")
        state = dict(part.split("=") for part in urlsplit(began.headers["location"]).query.split("&"))[
            "state"
        ]
        answer = browser.get(f"/login/home/callback?error=access_denied&state={state}&iss={two.home.url}")
        assert (answer.status_code, "access_denied" in answer.text) == (403, True)


def test_no_such_provider(two: Two) -> None:
    with Browser(two.away.url) as browser:
        assert browser.get("/login/nobody").status_code == 404
