"""What an app gets is within what its user lets it have at that moment: at each issue, however it asks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuer.store import apps
from issuer.store.apps import Registration
from issuer.store.database import Transaction
from tests.browsers import Browser, inside, signed_in
from tests.clients import App, register, returned
from tests.issuer.http.test_token_exchange import ACCESS_TOKEN, GRANT
from tests.issuer.http.world import World, made
from verifier import Scope

BOTH = "data:get@* data:put@*"
LASTING = f"{BOTH} offline_access"


def scope_of(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return set(answer.json()["scope"].split())


def patch(world: World, app: App, **members: object) -> None:
    answer = world.admin.patch(f"/v1/apps/{app.name}", json=members)
    assert answer.status_code == 200, answer.text


def consents(world: World, user: str) -> list[str]:
    answer = world.admin.get("/v1/consents", params={"user": user})
    assert answer.status_code == 200, answer.text
    return [each["scope"] for each in answer.json()["items"]]


@pytest.fixture
def newcomer(world: World) -> Callable[..., str]:
    """A new user with a role of these permissions."""

    def make(*permissions: str) -> str:
        name = f"u{uuid4().hex[:12]}"
        made(world.admin.post("/v1/users", json={"name": name}))
        made(world.admin.post(f"/v1/users/{name}/roles", json={"role": world.role(*permissions)}))
        return name

    return make


@pytest.fixture
def user(newcomer: Callable[..., str]) -> str:
    return newcomer("data:*@*")


@pytest.fixture
def browser(world: World, user: str) -> Iterator[Browser]:
    with signed_in(world.issuer, user) as opened:
        yield opened


def test_what_it_wanted_no_more_in_between_it_is_not_given_back(world: World, browser: Browser) -> None:
    app = register(world, BOTH)
    tokens = app.sign_in(browser, scope=LASTING)
    patch(world, app, scope="data:get@*")
    patch(world, app, scope=BOTH)
    assert scope_of(app.refresh(tokens["refresh_token"])) == {"data:get@*", "offline_access"}


def test_another_place_to_send_people_to_ends_what_was_let(world: World, browser: Browser, user: str) -> None:
    app = register(world, BOTH)
    tokens = app.sign_in(browser, scope=LASTING)
    patch(world, app, redirect_uris=[app.redirect_uri, "https://elsewhere.test/cb"])
    assert not world.is_active(tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert consents(world, user) == []


def test_a_new_secret_ends_the_tokens_of_sign_ins_which_go_on(world: World, browser: Browser) -> None:
    app = register(world, BOTH, token_endpoint_auth_method="client_secret_basic")
    tokens = app.sign_in(browser, scope=LASTING)
    renewed = world.admin.post(f"/v1/apps/{app.name}/secret")
    assert not world.is_active(tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_client"
    app.secret = renewed.json()["client_secret"]
    assert scope_of(app.refresh(tokens["refresh_token"])) == set(LASTING.split())


def narrow(tx: Transaction, name: str) -> None:
    row = apps.get(tx.session, name)
    less = Registration(
        description=row.description,
        redirect_uris=tuple(json.loads(row.redirect_uris)),
        post_logout_redirect_uris=(),
        host=None,
        scope="data:get@*",
        authentication=row.authentication,
        secret_hash=row.secret_hash,
        jwks=row.jwks,
        id_token_algorithm=None,
    )
    apps.change(tx, row, less)


def renew(tx: Transaction, name: str) -> None:
    apps.set_secret(tx, apps.get(tx.session, name), bytes(32))


@pytest.mark.parametrize("change", [narrow, renew])
def test_what_changes_while_it_asks_counts(
    world: World, browser: Browser, change: Callable[[Transaction, str], None]
) -> None:
    """It has authenticated, and waits for the database while another one writes."""
    app = register(world, BOTH, token_endpoint_auth_method="client_secret_basic")
    token = app.sign_in(browser, scope=LASTING)["refresh_token"]
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(app.refresh(token)))
    with inside(world.issuer) as there, there.write("tests") as tx:
        asking.start()
        time.sleep(0.5)  # long enough to authenticate; were it not, the change would be seen all the same
        change(tx, app.name)
    asking.join()
    (answer,) = answers
    if change is narrow:
        assert scope_of(answer) == {"data:get@*", "offline_access"}
    else:
        assert answer.json()["error"] in ("invalid_grant", "invalid_client")


def test_overlaps_that_no_token_could_hold_are_refused_and_nothing_is_kept(
    world: World, newcomer: Callable[..., str]
) -> None:
    name = newcomer(*(f"data:get@*[a={number}]" for number in range(17)))
    app = register(world, " ".join(f"data:get@*[b={number}]" for number in range(17)))
    with signed_in(world.issuer, name) as browser:
        browser.get(app.target())
        assert returned(browser.send("/consent", {"decision": "allow"}))["error"] == "invalid_scope"
        assert browser.get("/").status_code == 200
    assert consents(world, name) == []


def test_a_consent_that_is_full_takes_no_more_and_can_be_withdrawn(
    world: World, newcomer: Callable[..., str]
) -> None:
    name = newcomer("*")
    app = register(world, " ".join(f"data:get@r{number}" for number in range(256)))
    with signed_in(world.issuer, name) as browser:
        code = app.code(browser)
        assert app.redeem(code).status_code == 200
        browser.get(app.target(scope="openid"))
        assert returned(browser.send("/consent", {"decision": "allow"}))["error"] == "invalid_scope"
        assert browser.get("/").status_code == 200
        assert len(consents(world, name)) == 1
        browser.press(f"Withdraw what {app.name} may do", on="/authorised-apps")
    assert consents(world, name) == []


def test_an_older_code_brings_no_more_than_what_is_let_by_now(world: World, browser: Browser) -> None:
    app = register(world, BOTH)
    older = app.code(browser, scope=BOTH)
    browser.press(f"Withdraw what {app.name} may do", on="/authorised-apps")
    app.code(browser, scope="data:get@*")
    assert scope_of(app.redeem(older)) == {"data:get@*"}


PERMISSIONS = ("data:get@*", "data:get@a*", "data:*@a", "data:put@*[team=x]", "data:put@b", "*")
some = st.sets(st.sampled_from(PERMISSIONS[:-1]), min_size=1)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # a dozen requests each
@given(
    held=st.sets(st.sampled_from(PERMISSIONS), min_size=1), wanted=some, agreed=some, later=some, asked=some
)
def test_whatever_the_rights_nothing_comes_out_that_is_not_in_all_of_them(
    world: World,
    newcomer: Callable[..., str],
    *,
    held: set[str],
    wanted: set[str],
    agreed: set[str],
    later: set[str],
    asked: set[str],
) -> None:
    """By code, by refresh once the app was changed, and by exchange: within user, app, consent, request."""
    user = newcomer(*held)
    app = register(world, " ".join(sorted(wanted)), token_endpoint_auth_method="client_secret_basic")
    other = register(world, " ".join(sorted(wanted)))
    with signed_in(world.issuer, user) as browser:
        browser.get(app.target(scope=f"{' '.join(sorted(agreed))} offline_access openid"))
        told = returned(browser.send("/consent", {"decision": "allow"}))
        browser.get(other.target(scope="openid " + " ".join(sorted(agreed))))
        others = returned(browser.send("/consent", {"decision": "allow"}))
    tokens, subject = app.redeem(told["code"]).json(), other.redeem(others["code"]).json()
    bounds = [held, wanted, agreed]
    check(tokens["scope"], *bounds)
    patch(world, app, scope=" ".join(sorted(later)))
    check(app.refresh(tokens["refresh_token"]).json()["scope"], *bounds, later)
    exchange = {"grant_type": GRANT, "subject_token": subject["access_token"]}
    exchange |= {"subject_token_type": ACCESS_TOKEN, "scope": f"openid {' '.join(sorted(asked))}"}
    check(app.ask(exchange).json()["scope"], *bounds, later, asked)


def check(scope: str, *bounds: set[str]) -> None:
    got = Scope(Scope.parse(scope).permissions)
    for bound in bounds:
        assert got <= Scope.parse(" ".join(bound)), f"{scope} is wider than {bound}"
