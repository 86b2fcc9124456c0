"""People sign in by a provider that nobody here wrote: who they become, and what groups give them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.browsers import Browser, leads_to, signed_in
from tests.clients import register
from tests.issuer.http.world import World, made, open_world
from tests.journeys.oidc_provider import Provider, path_of, start_provider
from tests.running_issuer import free_port

SCOPE = "openid profile email groups"
ML, OPS, UNMAPPED = "org.tests.ml", "org.tests.ops", "org.tests.unmapped"


@dataclass(frozen=True)
class House:
    """An issuer, with a provider that makes users and whose groups give roles, and one that does neither."""

    world: World
    corp: Provider
    lab: Provider

    def sign_in(self, browser: Browser, claims: dict[str, Any] | None, at: str = "corp") -> httpx.Response:
        """The whole way there and back; returns what the issuer says to it."""
        provider: Provider = getattr(self, at)
        return browser.get(provider.through(leads_to(browser.get(f"/login/{at}?next=/")), claims))

    def roles(self, user: str) -> list[str]:
        answer = self.world.admin.get(f"/v1/users/{user}")
        assert answer.status_code == 200, answer.text
        return sorted(answer.json()["roles"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    port = str(free_port())
    login = f"http://127.0.0.1:{port}/login"
    with ExitStack() as stack:
        corp = stack.enter_context(
            start_provider(
                f"{login}/corp/callback",
                title="Corp",
                creates_users=True,
                scope=SCOPE,
                roles={"ml-team": ML, "ops": OPS, "nobody-made-it": "org.tests.missing"},
            )
        )
        lab = stack.enter_context(
            start_provider(
                f"{login}/lab/callback", conforms=False, algorithm="RS256", title="Lab", scope=SCOPE
            )
        )
        gone = lab.settings | {"issuer": f"http://127.0.0.1:{free_port()}", "title": "Gone"}
        providers = {"corp": corp.settings, "lab": lab.settings, "gone": gone}
        settings = {
            "HOURMARKD_PORT": port,
            "HOURMARKD_ISSUER": f"http://127.0.0.1:{port}",
            "HOURMARKD_UPSTREAM_PROVIDERS": json.dumps(providers),
        }
        world = stack.enter_context(open_world(tmp_path_factory.mktemp("upstream"), **settings))
        for role in (ML, OPS, UNMAPPED):
            made(world.admin.post("/v1/roles", json={"name": role}))
            made(world.admin.post(f"/v1/roles/{role}/policies", json={"permission": "data:get@*"}))
        yield House(world, corp, lab)


@pytest.fixture
def browser(house: House) -> Iterator[Browser]:
    with Browser(house.world.url) as opened:
        yield opened


@pytest.fixture
def ada() -> dict[str, Any]:
    """Somebody whom a provider knows, and nobody here: a new one for each test."""
    name = f"ada-{uuid4().hex[:12]}"
    return {"sub": f"subject of {name}", "preferred_username": name, "name": "Ada Lovelace"}


@pytest.fixture
def bob(house: House) -> str:
    """A user here, with an e-mail address, whom no provider knows."""
    name = f"bob-{uuid4().hex[:12]}"
    made(house.world.admin.post("/v1/users", json={"name": name, "email": f"{name}@people.example"}))
    return name


def shown_user(browser: Browser) -> str | None:
    """The name of the user who is signed in, if one is."""
    answer = browser.get("/")
    found = re.search(r"<dt>User name</dt>\s*<dd>(.*?)</dd>", answer.text)
    return found[1] if answer.status_code == 200 and found else None


def test_somebody_signs_in_and_is_the_same_user_ever_after(
    house: House, browser: Browser, ada: dict[str, Any]
) -> None:
    answer = house.sign_in(browser, ada)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert shown_user(browser) == ada["preferred_username"]
    assert "Ada Lovelace" in browser.page
    with Browser(house.world.url) as another:
        # Whatever else is said of the subject now: it is the same subject.
        house.sign_in(another, ada | {"preferred_username": "admin", "name": "Root"})
        assert shown_user(another) == ada["preferred_username"]


@pytest.mark.parametrize("is_verified", [True, False], ids=["verified", "not verified"])
def test_the_e_mail_of_a_user_opens_nobodys_account(
    house: House, browser: Browser, ada: dict[str, Any], bob: str, *, is_verified: bool
) -> None:
    claims = ada | {"email": f"{bob}@people.example", "email_verified": is_verified}
    refused = house.sign_in(browser, claims, at="lab")
    assert (refused.status_code, "no user here is linked" in refused.text.lower()) == (403, True)
    assert shown_user(browser) is None
    house.sign_in(browser, claims)
    assert shown_user(browser) == ada["preferred_username"]
    with signed_in(house.world.issuer, bob) as at_home:
        assert "Unlink" not in at_home.get("/").text


def test_the_name_of_a_user_opens_nobodys_account(
    house: House, browser: Browser, ada: dict[str, Any], bob: str
) -> None:
    refused = house.sign_in(browser, ada | {"preferred_username": bob, "groups": ["ml-team"]})
    assert (refused.status_code, "exists already" in refused.text) == (403, True)
    assert shown_user(browser) is None
    assert house.roles(bob) == []


def test_who_is_signed_in_links_an_account_and_signs_in_by_it(
    house: House, browser: Browser, ada: dict[str, Any], bob: str
) -> None:
    with signed_in(house.world.issuer, bob) as at_home:
        at_home.get("/")
        back = house.lab.through(leads_to(at_home.send("/login/lab")), ada)
        assert at_home.get(back).headers["location"] == "/"
        assert f"As {ada['sub']}, linked" in at_home.get("/").text
    house.sign_in(browser, ada, at="lab")
    assert shown_user(browser) == bob
    with Browser(house.world.url) as elsewhere:
        # The same subject at another issuer is somebody else.
        house.sign_in(elsewhere, ada)
        assert shown_user(elsewhere) == ada["preferred_username"]


def test_an_account_is_linked_to_one_user(
    house: House, browser: Browser, ada: dict[str, Any], bob: str
) -> None:
    house.sign_in(browser, ada)
    with signed_in(house.world.issuer, bob) as at_home:
        at_home.get("/")
        refused = at_home.get(house.corp.through(leads_to(at_home.send("/login/corp")), ada))
        assert (refused.status_code, "another user signs in" in refused.text.lower()) == (409, True)
        assert "Unlink" not in at_home.get("/").text


def test_an_account_that_is_unlinked_opens_nothing(
    house: House, browser: Browser, ada: dict[str, Any], bob: str
) -> None:
    with signed_in(house.world.issuer, bob) as at_home:
        at_home.get("/")
        at_home.get(house.lab.through(leads_to(at_home.send("/login/lab")), ada))
        at_home.get("/")
        named = {"issuer": house.lab.url, "subject": ada["sub"]}
        assert at_home.send("/account/identities/unlink", named).status_code == 303
    assert house.sign_in(browser, ada, at="lab").status_code == 403


def test_groups_give_roles_and_leaving_one_takes_them_with_every_token(
    house: House, browser: Browser, ada: dict[str, Any]
) -> None:
    name = ada["preferred_username"]
    house.sign_in(browser, ada | {"groups": ["ml-team", "ops", "everybody"]})
    assert house.roles(name) == [ML, OPS]
    made(house.world.admin.post(f"/v1/users/{name}/roles", json={"role": UNMAPPED}))
    token = register(house.world).sign_in(browser)["access_token"]
    assert house.world.is_active(token)
    house.sign_in(browser, ada | {"groups": ["ml-team", "ops"]})
    assert house.world.is_active(token), "nothing was taken"
    house.sign_in(browser, ada | {"groups": ["ml-team"]})
    assert house.roles(name) == [ML, UNMAPPED], "what an administrator gave stays"
    assert not house.world.is_active(token)
    house.sign_in(browser, ada)
    assert house.roles(name) == [UNMAPPED], "who says nothing of groups has none"


@pytest.mark.parametrize(
    "groups",
    [
        [ML],
        [UNMAPPED],
        [f"role:{ML}"],
        ["ML-Team"],
        [" ml-team"],
        ["ml-team,ops"],
        ["nobody-made-it"],
        ["*"],
        [["ml-team"]],
        [{"name": "ml-team"}],
        "ml-team",
        {"ml-team": True},
        None,
    ],
    ids=str,
)
def test_no_group_gives_what_the_settings_do_not_name(
    house: House, browser: Browser, ada: dict[str, Any], groups: object
) -> None:
    assert house.sign_in(browser, ada | {"groups": groups}).status_code == 303
    assert house.roles(ada["preferred_username"]) == []


def test_groups_of_a_provider_without_a_table_give_nothing(
    house: House, browser: Browser, ada: dict[str, Any], bob: str
) -> None:
    with signed_in(house.world.issuer, bob) as at_home:
        at_home.get("/")
        at_home.get(house.lab.through(leads_to(at_home.send("/login/lab")), ada))
    house.sign_in(browser, ada | {"groups": ["ml-team", ML]}, at="lab")
    assert shown_user(browser) == bob
    assert house.roles(bob) == []


def test_linking_gives_no_roles_before_the_next_sign_in(
    house: House, browser: Browser, ada: dict[str, Any], bob: str
) -> None:
    claims = ada | {"groups": ["ml-team"]}
    with signed_in(house.world.issuer, bob) as at_home:
        at_home.get("/")
        at_home.get(house.corp.through(leads_to(at_home.send("/login/corp")), claims))
    assert house.roles(bob) == []
    house.sign_in(browser, claims)
    assert (shown_user(browser), house.roles(bob)) == (bob, [ML])


def changed(url: str, **parameters: str | None) -> str:
    """With other parameters in its query; None leaves one out."""
    parts = urlsplit(url)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()} | parameters
    query = urlencode({name: value for name, value in asked.items() if value is not None}, quote_via=quote)
    return parts._replace(query=query).geturl()


def expect_refusal(browser: Browser, answer: httpx.Response, why: str) -> None:
    """A page that says what happened and what to do, and nobody who is signed in."""
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")
    assert f"Signing in at Corp did not work ({why}): begin again" in answer.text
    assert shown_user(browser) is None


def test_who_says_no_there_can_begin_again(house: House, browser: Browser, ada: dict[str, Any]) -> None:
    expect_refusal(browser, house.sign_in(browser, None), "access_denied")
    house.sign_in(browser, ada)
    assert shown_user(browser) == ada["preferred_username"]


def test_an_error_is_named_in_no_words_but_a_code(house: House, browser: Browser) -> None:
    back = house.corp.through(leads_to(browser.get("/login/corp")), None)
    answer = browser.get(changed(back, error="call 555-0100 to unlock"))
    expect_refusal(browser, answer, "an error without a name")
    assert "555-0100" not in answer.text


ANOTHER_QUESTION = "the answer is to another question than this browser asked"
ANOTHER_PROVIDER = "the answer is another provider&#39;s"


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"state": "another"}, ANOTHER_QUESTION),
        ({"state": None}, ANOTHER_QUESTION),
        ({"state": "another", "error": "access_denied"}, ANOTHER_QUESTION),
        ({"iss": "https://another.example"}, ANOTHER_PROVIDER),
        ({"iss": None}, ANOTHER_PROVIDER),
        ({"code": "another"}, "invalid_grant"),
        ({"code": None}, "the answer says neither yes nor no"),
    ],
    ids=str,
)
def test_an_answer_that_was_changed_on_its_way(
    house: House, browser: Browser, ada: dict[str, Any], parameters: dict[str, str | None], why: str
) -> None:
    back = house.corp.through(leads_to(browser.get("/login/corp")), ada)
    expect_refusal(browser, browser.get(changed(back, **parameters)), why)


def test_an_id_token_for_another_nonce(house: House, browser: Browser, ada: dict[str, Any]) -> None:
    target = leads_to(browser.get("/login/corp"))
    back = house.corp.through(changed(target, nonce="another"), ada)
    expect_refusal(browser, browser.get(back), "invalid_claim")


def test_a_code_for_another_challenge(house: House, browser: Browser, ada: dict[str, Any]) -> None:
    target = leads_to(browser.get("/login/corp"))
    back = house.corp.through(changed(target, code_challenge="a" * 43), ada)
    expect_refusal(browser, browser.get(back), "invalid_grant")


def test_each_of_several_providers_is_offered_and_keeps_to_itself(
    house: House, browser: Browser, ada: dict[str, Any]
) -> None:
    page = browser.get("/login").text
    assert re.findall(r"Sign in with (\w+)</a>", page) == ["Corp", "Lab", "Gone"]
    back = house.corp.through(leads_to(browser.get("/login/corp")), ada)
    elsewhere = browser.get(back.replace("/login/corp/", "/login/lab/"))
    assert (elsewhere.status_code, "did not begin" in elsewhere.text) == (403, True)
    assert shown_user(browser) is None
    down = browser.get("/login/gone")
    assert (down.status_code, "sign in another way" in down.text) == (503, True)
    house.sign_in(browser, ada)
    assert shown_user(browser) == ada["preferred_username"], "the others work"
    assert path_of(leads_to(browser.get("/login/lab"))).startswith("/auth?")
