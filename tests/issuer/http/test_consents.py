"""What users let apps have, over HTTP: withdrawn by themselves, or by whoever may do it for them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.browsers import Browser, signed_in
from tests.clients import App, as_oneself, claims, register
from tests.issuer.http.world import World, bearer, made


def consents(world: World, caller: dict[str, str], **query: str) -> list[dict[str, Any]]:
    answer = world.nobody.get("/v1/consents", headers=caller, params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def withdraw(world: World, caller: dict[str, str], consent: int, **query: str) -> httpx.Response:
    return world.nobody.delete(f"/v1/consents/{consent}", headers=caller, params=query)


def last_audit(world: World, user: str) -> dict[str, Any]:
    query: dict[str, str | int] = {"target": f"user:{user}", "limit": 1}
    return dict(world.admin.get("/v1/audit", params=query).json()["items"][0])


def test_what_was_let_is_listed_and_withdrawing_it_ends_all_that_came_of_it(
    world: World, ada: str, browser: Browser, app: App
) -> None:
    mine = as_oneself(world, browser)
    tokens = app.sign_in(browser, scope="data:get@x offline_access")
    assert world.is_active(tokens["access_token"])
    (consent,) = consents(world, mine)
    assert consent.pop("created_at").endswith("Z")
    number = consent.pop("id")
    assert consent == {
        "user": ada,
        "app": app.name,
        "client_id": app.client_id,
        "owner": "user:admin",
        "scope": "data:get@x offline_access",
    }
    assert withdraw(world, mine, number).json() == {"withdrawn": number}
    assert consents(world, mine) == []
    assert not world.is_active(tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    row = last_audit(world, ada)
    assert (row["actor"], row["action"], row["detail"]) == (
        f"user:{ada}",
        "consent:withdraw",
        {"client_id": app.client_id},
    )
    assert browser.get(app.target()).status_code == 200, "it is asked about again"
    assert withdraw(world, mine, number).status_code == 200
    assert last_audit(world, ada)["number"] == row["number"], "withdrawing it again does nothing"


def test_other_apps_go_on(world: World, browser: Browser) -> None:
    mine, kept, withdrawn = as_oneself(world, browser), register(world), register(world)
    tokens = [app.sign_in(browser)["access_token"] for app in (kept, withdrawn)]
    newest, _ = consents(world, mine)
    withdraw(world, mine, newest["id"]).raise_for_status()
    assert [world.is_active(token) for token in tokens] == [True, False]


def test_the_list_comes_in_pages_the_newest_first(world: World, browser: Browser) -> None:
    mine, apps = as_oneself(world, browser), [register(world) for _ in range(3)]
    for app in apps:
        app.code(browser)
    seen, query = [], {"limit": "2"}
    while True:
        page = world.nobody.get("/v1/consents", headers=mine, params=query).json()
        seen.append([consent["client_id"] for consent in page["items"]])
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    first, second, third = (app.client_id for app in apps)
    assert seen == [[third, second], [first]]


def test_whoever_may_do_it_for_others_says_for_whom(
    world: World, ada: str, browser: Browser, app: App
) -> None:
    app.code(browser)
    looks, ends = world.holder(f"user:get@{ada}"), world.holder(f"user:withdraw-consent@{ada}")
    (consent,) = consents(world, looks.bearer, user=ada)
    refused = withdraw(world, looks.bearer, consent["id"], user=ada)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert withdraw(world, ends.bearer, consent["id"], user=ada).status_code == 200
    assert consents(world, looks.bearer, user=ada) == []
    assert last_audit(world, ada)["actor"] == ends.access


def test_a_role_has_none_of_its_own(world: World) -> None:
    key = world.holder("user:*@*")
    for answer in (
        world.nobody.get("/v1/consents", headers=key.bearer),
        withdraw(world, key.bearer, 1),
        world.nobody.get("/v1/consents", headers=key.bearer, params={"user": "no name"}),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "user")


def test_strangers_learn_and_end_nothing(world: World, ada: str, browser: Browser, app: App) -> None:
    token = app.sign_in(browser)["access_token"]
    (consent,) = consents(world, as_oneself(world, browser))
    stranger = f"{ada}-other"
    made(world.admin.post("/v1/users", json={"name": stranger}))
    role = world.role("data:get@*")
    made(world.admin.post(f"/v1/users/{stranger}/roles", json={"role": role}))
    with signed_in(world.issuer, stranger) as elsewhere:
        theirs = as_oneself(world, elsewhere)
    assert consents(world, theirs) == []
    assert world.nobody.get("/v1/consents", headers=theirs, params={"user": ada}).status_code == 403
    assert withdraw(world, theirs, consent["id"]).status_code == 404
    assert withdraw(world, theirs, consent["id"], user=ada).status_code == 403
    assert world.is_active(token)


def test_a_sign_in_is_no_consent(world: World, browser: Browser, ada: str) -> None:
    mine = as_oneself(world, browser)
    sign_ins = world.nobody.get(f"/v1/users/{ada}/sign-ins", headers=mine).json()["items"]
    assert [withdraw(world, mine, sign_in["id"]).status_code for sign_in in sign_ins] == [404, 404]


@pytest.mark.parametrize("named", [False, True])
def test_an_app_that_acts_for_the_user_is_not_the_user(
    world: World, ada: str, browser: Browser, *, named: bool
) -> None:
    app, query = register(world), {"user": ada} if named else {}
    token = app.sign_in(browser, resource=world.url)["access_token"]
    assert claims(token)["act"] == {"sub": app.client_id}
    (consent,) = consents(world, as_oneself(world, browser))
    theirs = bearer(token)
    listed = world.nobody.get("/v1/consents", headers=theirs, params=query)
    assert (listed.status_code, listed.json()["code"]) == (403, "insufficient_scope")
    assert withdraw(world, theirs, consent["id"], **query).status_code == 403
    assert world.is_active(token)


def test_nobody_is_there(world: World) -> None:
    assert world.admin.get("/v1/consents", params={"user": "nobody"}).status_code == 404
    assert world.admin.delete("/v1/consents/first").json()["errors"][0]["field"] == "consent"
