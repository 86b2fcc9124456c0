"""What an app behind a door is handed: a token with which it acts for the user, who has agreed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from keys import RoleKey
from tests import doors
from tests.clients import claims
from tests.doors import Door
from tests.issuer.http.door.conftest import NewVisitor
from tests.issuer.http.door.test_forward_auth import reason
from tests.issuer.http.door.visitors import ACTS, Agreed, agree, handed, new_user
from tests.issuer.http.world import OTHER, Key, World, bearer, made


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


def test_for_the_issuers_own_api_it_takes_a_credential_that_is_good_there(
    world: World, new_visitor: NewVisitor
) -> None:
    """A token for services opens the app, and becomes none for the issuer."""
    door, user = doors.door(world, "nginx", scope=ACTS, audience=world.url), new_user(world)
    agreed = agree(new_visitor(door, user), user)
    token = handed(agreed.visitor.open())
    assert claims(token)["aud"] == world.url
    assert world.nobody.get("/v1/jobs", headers=bearer(token)).status_code == 200
    presets = ["protected-endpoint", "developer-operations"]
    body = {"name": f"t{uuid4().hex}", "presets": presets, "owner": f"user:{user}"}
    key = RoleKey.parse(made(world.admin.post("/v1/tokens", json=body))["token"])
    assert claims(handed(door.as_bearer(key.reveal())))["aud"] == world.url
    for_services = door.as_bearer(world.token(Key("", key.access, key.secret)))
    assert (for_services.status_code, for_services.headers["authorization"]) == (200, "")
    assert reason(door.as_bearer(world.for_issuer(Key("", key.access, key.secret)))) == (
        401,
        "wrong_audience",
    )


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


def test_nothing_is_handed_on_behind_the_back_of_a_withdrawal(agreed: Agreed) -> None:
    """While requests come all at once: what came before it ends, and nothing comes after it."""
    token = handed(agreed.visitor.open())
    tokens, has_ended = {token}, threading.Event()

    def visit_again() -> set[str]:
        found = set[str]()
        while not has_ended.is_set():
            found.add(agreed.visitor.as_script().headers["authorization"].removeprefix("Bearer "))
        return found

    with ThreadPoolExecutor(4) as crowd:
        crowds = [crowd.submit(visit_again) for _ in range(4)]
        agreed.withdraw()
        late = [agreed.visitor.as_script().headers["authorization"] for _ in range(20)]
        has_ended.set()
        for each in crowds:
            tokens |= each.result()
    assert late == [""] * 20
    assert not any(agreed.door.world.is_active(each) for each in tokens if each)


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
