"""A form says which version its page showed: who is late undoes nothing, and loses nothing they typed."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.browsers import Browser
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World, made


@pytest.fixture
def admin(signed_in: NewBrowser) -> Browser:
    return signed_in(user="admin")


def shown(browser: Browser) -> str:
    return browser.page.replace("<wbr>", "")


@pytest.fixture
def app(world: World) -> str:
    """The path of a new one, in the console; behind `/v1`, in the API."""
    name = f"stale-{uuid4().hex[:8]}"
    body = {"name": name, "redirect_uris": ["https://app.example/"], "labels": {"group": "A"}}
    made(world.admin.post("/v1/apps", json={**body, "description": "as it was"}))
    return f"/apps/{name}"


def as_shown() -> dict[str, str]:
    """What the form of an app has in it, as its page at hand shows it."""
    return {
        "redirect_uris": "https://app.example/",
        "token_endpoint_auth_method": "none",
        "labels": "group=A",
        "description": "as it was",
    }


def test_what_somebody_changed_meanwhile_stays_and_what_was_typed_too(
    world: World, admin: Browser, app: str
) -> None:
    admin.get(app)
    world.admin.patch(f"/v1{app}", json={"description": "as it is now"}).raise_for_status()
    late = admin.press("Save", as_shown() | {"labels": "group=B"})
    assert late.status_code == 412
    for said in ("changed since", "group=B", 'value="as it is now"', "changed meanwhile"):
        assert said in shown(admin), said
    now = world.admin.get(f"/v1{app}").json()
    assert (now["description"], now["labels"]["group"]) == ("as it is now", "A")
    again = as_shown() | {"labels": "group=B", "description": "as it is now"}
    assert admin.press("Save", again).status_code == 303
    now = world.admin.get(f"/v1{app}").json()
    assert (now["description"], now["labels"]["group"]) == ("as it is now", "B")


def test_what_both_changed_is_kept_as_typed_beside_what_it_is_now(
    world: World, admin: Browser, app: str
) -> None:
    admin.get(app)
    world.admin.patch(f"/v1{app}", json={"description": "theirs"}).raise_for_status()
    assert admin.press("Save", as_shown() | {"description": "mine"}).status_code == 412
    assert ('value="mine"' in shown(admin), "now it is: theirs" in shown(admin)) == (True, True)


def test_a_mistake_in_between_does_not_make_it_fresh(world: World, admin: Browser, app: str) -> None:
    admin.get(app)
    world.admin.patch(f"/v1{app}", json={"description": "theirs"}).raise_for_status()
    assert admin.press("Save", as_shown() | {"labels": "no label"}).status_code == 400
    assert admin.press("Save", as_shown() | {"labels": "group=B"}).status_code == 412
    assert world.admin.get(f"/v1{app}").json()["description"] == "theirs"


@pytest.mark.parametrize("button", ["Delete this app", "Save"])
def test_nobody_deletes_what_they_have_not_seen(world: World, admin: Browser, app: str, button: str) -> None:
    admin.get(app)
    world.admin.patch(f"/v1{app}", json={"host": f"{uuid4().hex}.example"}).raise_for_status()
    typed = as_shown() | {"confirm": app.removeprefix("/apps/")}
    assert admin.press(button, typed).status_code == 412
    assert world.admin.get(f"/v1{app}").json()["host"]


def test_a_role_that_changed_is_looked_at_once_more(world: World, admin: Browser) -> None:
    role = world.role("data:get@a")
    page = f"/roles/{role}"
    admin.get(page)
    made(world.admin.post(f"/v1{page}/policies", json={"permission": "data:get@b"}))
    late = admin.press("Add policy", {"permission": "data:get@c"})
    assert late.status_code == 412
    for said in ("data:get@b", 'value="data:get@c"', f"/audit?target=role%3A{role}"):
        assert said in shown(admin), said
    assert admin.press("Add policy", {"permission": "data:get@c"}).status_code == 303
    admin.get(page)
    made(world.admin.post(f"/v1{page}/policies", json={"permission": "data:get@d"}))
    assert admin.press("Delete the policy data:get@a").status_code == 412
    assert admin.press("Delete this role", {"confirm": role}).status_code == 303


def test_a_user_keeps_what_somebody_else_wrote(world: World, admin: Browser, user: str) -> None:
    page = f"/users/{user}"
    admin.get(page)
    world.admin.patch(f"/v1{page}", json={"email": "ada@example.org"}).raise_for_status()
    late = admin.press("Save", {"display_name": "Countess Lovelace", "email": ""})
    assert late.status_code == 412
    for said in ('value="Countess Lovelace"', 'value="ada@example.org"'):
        assert said in shown(admin), said
    assert world.admin.get(f"/v1{page}").json()["email"] == "ada@example.org"


def test_a_job_keeps_the_labels_that_somebody_else_gave_it(world: World, admin: Browser) -> None:
    job = made(world.admin.post("/v1/jobs", json={"role": world.role(), "labels": {"stage": "test"}}))
    page = f"/jobs/{job['id']}"
    admin.get(page)
    world.admin.put(f"/v1{page}/labels", json={"labels": {"stage": "live"}}).raise_for_status()
    late = admin.press("Change the labels", {"labels": "stage=test team=a"})
    assert late.status_code == 412
    assert ("now it is: stage=live" in shown(admin), "stage=test team=a" in shown(admin)) == (True, True)
    assert world.admin.get(f"/v1{page}").json()["labels"]["stage"] == "live"
