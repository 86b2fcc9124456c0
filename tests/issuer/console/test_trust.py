"""Outside identities in the console: trusted, looked over, tried, and not trusted any more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browsers import Browser
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World, made
from tests.outside_issuer import OutsideIssuer, outside_issuer

SUBJECT = "repo:org/name:ref:refs/heads/main"


@pytest.fixture(scope="module")
def forge() -> Iterator[OutsideIssuer]:
    """Where CI jobs get their tokens."""
    with outside_issuer() as running:
        yield running


@pytest.fixture
def admin(signed_in: NewBrowser) -> Browser:
    return signed_in(user="admin")


@pytest.fixture
def page(world: World) -> str:
    """Of a new role."""
    return f"/roles/{world.role('data:get@*')}"


def shown(browser: Browser) -> str:
    return browser.page.replace("<wbr>", "")


def policies(world: World, page: str) -> list[dict[str, object]]:
    return list(world.admin.get(f"/v1{page}/trust").raise_for_status().json()["items"])


def test_from_the_first_token_to_the_last(
    world: World, admin: Browser, page: str, forge: OutsideIssuer
) -> None:
    form = {
        "issuer": forge.url,
        "subject": "repo:org/*:ref:refs/heads/main",
        "subject_is_pattern": "on",
        "claims": "repository_id=7\r\nenvironment=live and kicking",
        "description": "Deployments",
    }
    made_one = admin.press("Trust it", form, on=f"{page}/trust/new")
    assert made_one.headers["location"] == f"{page}#trust"
    (policy,) = policies(world, page)
    assert (policy["issuer"], policy["subject_pattern"]) == (forge.url, form["subject"])
    assert policy["claims"] == {"repository_id": "7", "environment": "live and kicking"}
    assert policy["audience"] == world.url
    admin.get(page)
    for said in (forge.url, "repo:org/*:ref", "repository_id=7", "Deployments"):
        assert said in shown(admin), said
    claims = {"repository_id": 7, "environment": "live and kicking"}
    token = forge.token(world.url, SUBJECT, **claims)
    tried = admin.press("Try it", {"token": token}, on=f"{page}/trust/test")
    assert (tried.status_code, "It becomes" in shown(admin), token in shown(admin)) == (200, True, False)
    admin.press("Try it", {"token": forge.token(world.url, SUBJECT, **claims | {"repository_id": 8})})
    for said in ("It is refused", "claim repository_id", "the token has another one"):
        assert said in shown(admin), said
    assert shown(admin).count(">fails<") == 1
    assert admin.press("Try it", {"token": "nonsense"}).status_code == 400
    gone = admin.press(f"Delete the trust in {form['subject']}", on=page)
    assert (gone.headers["location"], policies(world, page)) == (f"{page}#trust", [])
    admin.press("Try it", {"token": token}, on=f"{page}/trust/test")
    assert "The role trusts nobody yet" in shown(admin)


def test_it_is_looked_over_before_anything_is_made(
    world: World, admin: Browser, page: str, forge: OutsideIssuer
) -> None:
    form = {"issuer": forge.url, "subject": SUBJECT, "lint": "on"}
    admin.get(f"{page}/trust/new")
    for subject, said in (("somebody", "Nothing is wrong with it"), (SUBJECT, "made of names")):
        answer = admin.send(f"{page}/trust/new", form | {"subject": subject})
        assert (answer.status_code, said in shown(admin), policies(world, page)) == (200, True, [])
        assert f'value="{forge.url}"' in shown(admin), "nothing that was typed is lost"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"subject": "*", "subject_is_pattern": "on"}, "subject"),
        ({"issuer": "https://*", "issuer_is_pattern": "on"}, "issuer"),
        ({"issuer": "not a url"}, "issuer"),
        ({"claims": "nothing"}, "claims"),
        ({"claims": "a=1\na=2"}, "claims"),
        ({"claims": "a=1", "claim_patterns": "a=*"}, "claim_patterns"),
    ],
)
def test_what_is_dangerous_is_said_beside_its_field(
    world: World, admin: Browser, page: str, changes: dict[str, str], field: str
) -> None:
    form = {"issuer": "https://ci.example", "subject": SUBJECT, "description": "typed before"}
    answer = admin.press("Trust it", form | changes, on=f"{page}/trust/new")
    assert (answer.status_code, f'href="#{field}"' in shown(admin)) == (400, True), shown(admin)
    assert ("typed before" in shown(admin), policies(world, page)) == (True, [])


def test_who_may_only_look_trusts_nobody(world: World, user: str, signed_in: NewBrowser, page: str) -> None:
    name = page.removeprefix("/roles/")
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": world.role(f"role:get@{name}")}))
    reader, form = signed_in(), {"issuer": "https://ci.example", "subject": SUBJECT}
    made(world.admin.post(f"/v1{page}/trust", json=form))
    reader.get(page)
    assert ("Trust one" in shown(reader), "Delete the trust" in shown(reader)) == (False, False)
    answer = reader.press("Trust it", form, on=f"{page}/trust/new")
    assert (answer.status_code, f"role-trust:create@{name}" in shown(reader)) == (403, True)
    (policy,) = policies(world, page)
    assert reader.send(f"{page}/trust/{policy['id']}/delete").status_code == 403
    assert policies(world, page) == [policy]
