"""Where a user is signed in, over HTTP: listed, ended one by one, and all at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browsers import Browser, signed_in
from tests.clients import App, as_oneself, command_line, register
from tests.issuer.http.world import World, bearer


def sign_ins(world: World, caller: dict[str, str], user: str) -> list[dict[str, Any]]:
    answer = world.nobody.get(f"/v1/users/{user}/sign-ins", headers=caller)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def audited(world: World, user: str) -> list[tuple[str, str, Any]]:
    """The newest first."""
    rows = world.admin.get("/v1/audit", params={"target": f"user:{user}"}).json()["items"]
    return [(row["actor"], row["action"], row["detail"]) for row in rows]


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/").status_code == 200


def test_everything_that_the_user_signed_in_at_is_listed_the_newest_first(
    world: World, ada: str, browser: Browser, app: App
) -> None:
    app.sign_in(browser, scope="data:get@x offline_access")
    at_command_line, at_app, in_browser = sign_ins(world, as_oneself(world, browser), ada)
    assert [each["client_id"] for each in (at_command_line, at_app, in_browser)] == [
        "hourmark-cli",
        app.client_id,
        "console",
    ]
    assert [each["is_here"] for each in (at_command_line, at_app, in_browser)] == [True, False, False]
    assert [each["name"] for each in (at_app, in_browser)] == [app.name, "A browser"]
    assert {each["user"] for each in (at_command_line, at_app, in_browser)} == {ada}
    assert (in_browser["address"], in_browser["user_agent"]) == ("127.0.0.1", "tests")


def test_one_ends_and_the_others_go_on(world: World, ada: str, browser: Browser, app: App) -> None:
    mine = as_oneself(world, browser)
    tokens = app.sign_in(browser, scope="data:get@x offline_access")
    at_app, here, in_browser = sign_ins(world, mine, ada)
    place = f"/v1/users/{ada}/sign-ins/{at_app['id']}"
    ended = world.nobody.delete(place, headers=mine)
    assert ended.json() == {"signed_out": ada, "sign_in": at_app["id"]}
    assert not world.is_active(tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert sign_ins(world, mine, ada) == [here, in_browser]
    told = (f"user:{ada}", "user:sign-out", {"client_id": app.client_id})
    assert audited(world, ada)[0] == told
    assert world.nobody.delete(place, headers=mine).status_code == 200
    assert audited(world, ada).count(told) == 1, "ending it again does nothing"


def test_a_browser_is_signed_out_from_afar(world: World, ada: str, browser: Browser) -> None:
    mine = as_oneself(world, browser)
    _, in_browser = sign_ins(world, mine, ada)
    with signed_in(world.issuer, ada) as another:
        assert is_signed_in(another)
        ended = world.nobody.delete(f"/v1/users/{ada}/sign-ins/{in_browser['id']}", headers=mine)
        assert ended.status_code == 200
        assert (is_signed_in(browser), is_signed_in(another)) == (False, True)


def test_signing_out_everywhere_ends_what_asks_for_it_too(
    world: World, ada: str, browser: Browser, app: App
) -> None:
    mine = as_oneself(world, browser)
    tokens = app.sign_in(browser, scope="data:get@x offline_access")
    ended = world.nobody.delete(f"/v1/users/{ada}/sign-ins", headers=mine)
    assert ended.json() == {"signed_out": ada, "sign_in": None}
    assert not is_signed_in(browser)
    assert world.nobody.get("/v1/me", headers=mine).status_code == 401
    assert not world.is_active(tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert sign_ins(world, bearer(world.issuer.admin_key), ada) == []
    assert audited(world, ada)[0] == (f"user:{ada}", "user:sign-out-everywhere", {})
    kept = world.admin.get("/v1/consents", params={"user": ada}).json()["items"]
    assert [consent["client_id"] for consent in kept] == [app.client_id]


def test_whoever_may_signs_others_out(world: World, ada: str, browser: Browser) -> None:
    token = command_line(world).sign_in(browser, scope="data:get@x")["access_token"]
    looks, ends = world.holder(f"user:get@{ada}"), world.holder(f"user:sign-out@{ada}")
    place = f"/v1/users/{ada}/sign-ins"
    at_command_line, _ = sign_ins(world, looks.bearer, ada)
    one = f"{place}/{at_command_line['id']}"
    assert [world.nobody.delete(path, headers=looks.bearer).status_code for path in (one, place)] == [403] * 2
    assert world.is_active(token)
    assert world.nobody.delete(one, headers=ends.bearer).status_code == 200
    assert (world.is_active(token), is_signed_in(browser)) == (False, True)
    assert world.nobody.delete(place, headers=ends.bearer).status_code == 200
    assert not is_signed_in(browser)
    assert [actor for actor, *_ in audited(world, ada)[:2]] == [ends.access] * 2


def test_strangers_see_and_end_nothing(world: World, ada: str, browser: Browser) -> None:
    own = sign_ins(world, as_oneself(world, browser), ada)
    with signed_in(world.issuer, "admin") as elsewhere:
        admin = as_oneself(world, elsewhere)
    # Under the name of the one who asks somebody else's is not there.
    foreign = world.nobody.delete(f"/v1/users/admin/sign-ins/{own[0]['id']}", headers=admin)
    assert foreign.status_code == 404
    key = world.holder("user:get@admin", "user:sign-out@admin")
    for method, path in (("GET", ""), ("DELETE", ""), ("DELETE", f"/{own[0]['id']}")):
        answer = world.nobody.request(method, f"/v1/users/{ada}/sign-ins{path}", headers=key.bearer)
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert is_signed_in(browser)


def test_an_app_that_acts_for_the_user_is_not_the_user(world: World, ada: str, browser: Browser) -> None:
    token = register(world).sign_in(browser, resource=world.url)["access_token"]
    for method, path in (("GET", ""), ("DELETE", ""), ("DELETE", "/1")):
        answer = world.nobody.request(method, f"/v1/users/{ada}/sign-ins{path}", headers=bearer(token))
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert is_signed_in(browser)


def test_a_consent_is_no_sign_in(world: World, ada: str, browser: Browser, app: App) -> None:
    app.code(browser)
    (consent,) = world.admin.get("/v1/consents", params={"user": ada}).json()["items"]
    assert world.admin.delete(f"/v1/users/{ada}/sign-ins/{consent['id']}").status_code == 404


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_nobody_is_there(world: World, method: str) -> None:
    assert world.admin.request(method, "/v1/users/nobody/sign-ins").status_code == 404
