"""A visit owns an index: it ends alone, or with what opened it, and what the app was handed ends with it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests import doors
from tests.clients import claims
from tests.doors import api_token
from tests.issuer.http.door.conftest import NewVisitor
from tests.issuer.http.door.test_forward_auth import reason
from tests.issuer.http.door.visitors import Agreed, Visitor, handed
from tests.issuer.http.world import OTHER, World, until


def listed(world: World, user: str) -> list[dict[str, Any]]:
    answer = world.admin.get(f"/v1/users/{user}/visits")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def again(agreed: Agreed, new_visitor: NewVisitor) -> Visitor:
    """The user in another browser: nothing is asked, for the app is let already."""
    visitor = new_visitor(agreed.door, agreed.user)
    visitor.to_entrance()
    visitor.arrive(visitor.issuer.send("/enter/session").headers["location"])
    return visitor


def test_each_has_its_own_index(agreed: Agreed, new_visitor: NewVisitor) -> None:
    tokens = [handed(each.open()) for each in (agreed.visitor, again(agreed, new_visitor))]
    first, second = (claims(token)["status"]["status_list"]["idx"] for token in tokens)
    assert first != second


@pytest.mark.parametrize("how", ["at the app", "over the API"])
def test_one_ends_alone_with_what_the_app_was_handed(
    agreed: Agreed, new_visitor: NewVisitor, how: str
) -> None:
    world, other = agreed.door.world, again(agreed, new_visitor)
    mine, others = handed(agreed.visitor.open()), handed(other.open())
    newest, oldest = listed(world, agreed.user)
    assert (newest["app"], newest["host"]) == (agreed.door.app.name, agreed.door.host)
    if how == "at the app":
        agreed.visitor.open("/_hourmark/leave", Sec_Fetch_Site="same-origin")
    else:
        path = f"/v1/users/{agreed.user}/visits/{oldest['id']}"
        for _ in range(2):
            assert world.admin.delete(path).json() == {"user": agreed.user, "visit": oldest["id"]}
    assert not agreed.visitor.is_let_in()
    assert not world.is_active(mine)
    assert handed(other.open()) == others
    assert world.is_active(others)
    assert listed(world, agreed.user) == [newest]
    rows = world.admin.get("/v1/audit", params={"target": f"user:{agreed.user}"}).json()["items"]
    assert [row["action"] for row in rows].count("app:leave") == 1


def test_a_page_elsewhere_ends_none(agreed: Agreed) -> None:
    agreed.visitor.open("/_hourmark/leave", Sec_Fetch_Site="cross-site")
    assert agreed.visitor.is_let_in()


def test_nobody_ends_that_of_another(agreed: Agreed) -> None:
    world = agreed.door.world
    (visit,) = listed(world, agreed.user)
    assert world.admin.delete(f"/v1/users/admin/visits/{visit['id']}").status_code == 404
    assert agreed.visitor.is_let_in()


def test_signing_out_everywhere_ends_what_a_token_opened_too(visitor: Visitor) -> None:
    world = visitor.door.world
    role = world.role("app:query@*")
    user = f"v{role.rpartition('.')[2]}"
    world.admin.post("/v1/users", json={"name": user}).raise_for_status()
    world.admin.post(f"/v1/users/{user}/roles", json={"role": role}).raise_for_status()
    token = api_token(world, owner=f"user:{user}")["token"]
    visitor.arrive(visitor.enter(token))
    assert visitor.is_let_in()
    world.admin.delete(f"/v1/users/{user}/sign-ins").raise_for_status()
    assert not visitor.is_let_in()
    assert visitor.door.as_bearer(token).status_code == 200


def test_a_consent_that_is_withdrawn_ends_what_was_handed_and_no_visit(agreed: Agreed) -> None:
    token = handed(agreed.visitor.open())
    agreed.withdraw()
    assert not agreed.door.world.is_active(token)
    assert agreed.visitor.open().headers["authorization"] == ""


def test_a_token_opens_until_it_expires(visitor: Visitor) -> None:
    world, app = visitor.door.world, visitor.door.app
    key = world.holder(f"app:query@{app.name}", "data:get@*")
    token = world.token(key, scope=f"app:query@{app.name}")
    arrived = visitor.arrive(visitor.enter(f" {token}\n", "/notes"))
    assert arrived.headers["location"] == f"https://{visitor.door.host}/notes"
    (age,) = [part for part in arrived.headers["set-cookie"].split("; ") if part.startswith("Max-Age=")]
    said = claims(token)
    assert 0 < int(age.partition("=")[2]) <= said["exp"] - said["iat"]
    answer = visitor.open()
    assert (answer.status_code, answer.headers["hourmark-subject"]) == (200, f"role:{key.role}")
    # As narrow as the token, not as its role key.
    assert (answer.headers["hourmark-client"], answer.headers["hourmark-roles"]) == (key.access, "")


@pytest.mark.parametrize("end", ["renew", "delete", "narrow"])
def test_what_ends_a_token_ends_the_visit_that_it_opened(visitor: Visitor, end: str) -> None:
    world = visitor.door.world
    role = world.role("app:query@*", "data:get@*")
    key = world.key(role)
    visitor.arrive(visitor.enter(world.token(key)))
    assert visitor.is_let_in()
    path = f"/v1/roles/{role}/keys/{key.access}"
    if end == "renew":
        world.admin.post(f"{path}/renew").raise_for_status()
    elif end == "delete":
        world.admin.delete(path).raise_for_status()
    else:
        policies = world.admin.get(f"/v1/roles/{role}/policies").json()["items"]
        (narrowed,) = [each["id"] for each in policies if each["permission"] == "data:get@*"]
        world.admin.delete(f"/v1/roles/{role}/policies/{narrowed}").raise_for_status()
    assert not visitor.is_let_in()


@pytest.mark.parametrize("end", ["renew", "delete"])
def test_another_process_hears_of_its_end(
    world: World, new_visitor: NewVisitor, elsewhere: httpx.Client, end: str
) -> None:
    """By the list, or by the log of changes: whichever comes first."""
    door, token = doors.door(world), api_token(world)
    visitor, path = new_visitor(door), f"/v1/tokens/{token['id']}"
    visitor.arrive(visitor.enter(token["token"]))
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())

    def status() -> int:
        return elsewhere.get("/v1/forward-auth", headers=door.says() | {"Cookie": cookie}).status_code

    assert status() == 200
    (world.admin.post(f"{path}/renew") if end == "renew" else world.admin.delete(path)).raise_for_status()
    until(lambda: status() == 401)


WORDS = {
    "expired": "has expired",
    "revoked": "was revoked",
    "wrong_audience": "for another service",
    "insufficient_scope": "does not open",
}


def test_why_a_token_does_not_open_is_told_of_one_whose_signature_holds(
    world: World, new_visitor: NewVisitor, refused_tokens: dict[str, str]
) -> None:
    visitor = new_visitor(doors.door(world))
    visitor.to_entrance()

    def told(token: str) -> str:
        answer = visitor.issuer.send("/enter/token", {"token": token})
        assert answer.status_code == 400
        return answer.text

    for why, token in refused_tokens.items():
        assert WORDS[why] in told(token), why
        assert "That is no valid token" in told(f"{token[:-8]}AAAAAAAA"), why
    assert "That is no valid token" in told("what somebody found")
    assert "for other services" in told(api_token(world, audiences=[OTHER])["token"])
    assert "The role key is not valid" in told("hmk_0000000000000000:x")


def test_what_a_visit_is_handed_does_not_outlive_what_opened_it(agreed: Agreed) -> None:
    """The user's own token, in another browser."""
    token = handed(agreed.visitor.open())
    agreed.door.world.admin.delete(f"/v1/users/{agreed.user}/sign-ins").raise_for_status()
    assert not agreed.door.world.is_active(token)
    assert reason(agreed.visitor.as_script()) == (401, "no_credential")
