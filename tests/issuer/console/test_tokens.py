"""API tokens in the console: made, shown once, listed, renewed, deleted; nobody else's."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
import pytest

from issuer.store import exchange_counts
from tests.browsers import Browser, inside
from tests.issuer.console.conftest import NewBrowser
from tests.issuer.http.world import World, bearer, made

FORM = {"name": "nightly", "preset-read": "on", "expires": "30"}
DEVELOPER = "app:*@* data:*@* job:*@* repository:*@*"
"""What is warned about for developer operations."""
_TOKEN = re.compile(r"hmk_[0-9A-Za-z]{16}:[0-9A-Za-z]{38}")


@pytest.fixture
def user(world: World, user: str) -> str:
    """One who may do something."""
    role = {"role": world.role("app:*@*", "job:*@*")}
    made(world.admin.post(f"/v1/users/{user}/roles", json=role))
    return user


def person(world: World) -> str:
    """Somebody else, who may do nothing."""
    name = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": name}))
    return name


def token_in(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    (found,) = set(_TOKEN.findall(answer.text))
    return str(found)


def made_by(signed_in: NewBrowser, **fields: str) -> tuple[Browser, str]:
    """A browser that still shows it, and the API token."""
    browser = signed_in()
    browser.get("/tokens/new")
    return browser, token_in(browser.send("/tokens/new", {**FORM, **fields}))


def _date(days_ahead: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days_ahead)).strftime("%Y-%m-%d")


def is_good(world: World, token: str) -> bool:
    return world.nobody.get("/v1/me", headers=bearer(token)).status_code == 200


def test_more_than_a_page_holds_go_on_on_the_next(world: World, user: str, signed_in: NewBrowser) -> None:
    about = {"description": "x" * 500, "label_selectors": ["team=nlp"]}
    asked = {"owner": f"user:{user}", "presets": ["read"]} | about
    for number in range(51):
        made(world.admin.post("/v1/tokens", json={**asked, "name": f"token {number:03}"}))
    browser = signed_in()
    first = browser.get("/tokens?label=team%3Dnlp").text
    assert (first.count('<th scope="row">'), len(first) < 90_000) == (50, True)
    (more,) = re.findall(r'href="(/tokens\?[^"]*cursor[^"]*)"', first)
    second = browser.get(unescape(more)).text
    assert (second.count('<th scope="row">'), "token 050" in second) == (1, True)
    assert 'href="/tokens?label=team%3Dnlp">To the beginning' in second
    for cursor in ("-1", "x", "9" * 20, "99999"):
        assert browser.get(f"/tokens?cursor={cursor}").status_code == 200


def test_a_link_fills_the_form_in_as_it_was(signed_in: NewBrowser, world: World) -> None:
    fields = {"name": "ä & b", "labels": "team=nlp,stage=test", "preset-operator": "on", "expires": "7"}
    browser = signed_in()
    browser.get("/tokens/new")
    shown = unescape(browser.send("/tokens/new/link", {**fields, "description": ""}).text)
    (link,) = re.findall(rf">({world.url}/tokens/new\?[^<]*)</textarea>", shown)
    assert dict(parse_qsl(urlsplit(link).query)) == fields, "and no proof of the form is in it"
    page = unescape(browser.get(link.removeprefix(world.url)).text)
    for filled in ('value="ä & b"', 'value="team=nlp,stage=test"', 'name="preset-operator" checked'):
        assert filled in page
    assert 'value="7" selected' in page


def test_a_link_names_what_the_page_does_not_offer(signed_in: NewBrowser) -> None:
    browser, hidden = signed_in(), "app-of-somebody-else"
    page = browser.get(f"/tokens/new?preset-read=on&app-{hidden}=on&resources=my-*").text
    assert f'name="resources" type="text" value="{hidden} my-*"' in page
    browser.get("/tokens/new")
    shown = unescape(browser.send("/tokens/new/link", {**FORM, "resources": hidden}).text)
    assert f"resources={hidden}" in shown
    unknown = browser.get("/tokens/new?preset-old-type=on").text
    assert "old-type, which is no token type here" in unknown.replace("<wbr>", "")


def test_a_last_day_counts_where_nothing_else_was_chosen(world: World, signed_in: NewBrowser) -> None:
    day = _date(3)
    _, token = made_by(signed_in, expires="90", until=day)
    answer = world.admin.get(f"/v1/tokens/{token.partition(':')[0]}").json()
    assert answer["expires_at"].startswith(_date(4)), "when its last day is over"
    page = signed_in().get(f"/tokens/new?until={day}").text
    assert ('value="until" selected' in page, f'value="{day}"' in page) == (True, True)


def test_one_for_a_service_that_starts_jobs(world: World, user: str, signed_in: NewBrowser) -> None:
    assumed = world.role("job:get@*")
    starter = world.role("job:get@*", f"role:assume@{assumed}")
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": starter}))
    fields = {"preset-operator": "on", "audiences": world.url}
    _, token = made_by(signed_in, **fields, job_roles=assumed, broad="app:*@* job:*@*")
    said = world.nobody.get("/v1/me", headers=bearer(token)).json()
    assert f"role:assume@{assumed}" in said["scope"].split()
    answer = world.admin.get(f"/v1/tokens/{token.partition(':')[0]}").json()
    assert (answer["audiences"], answer["job_roles"]) == ([world.url], [assumed])

    browser = signed_in()
    browser.get("/tokens/new")
    refused = browser.send("/tokens/new", {**FORM, "audiences": "https://nowhere.example"})
    assert "https://nowhere.example" in refused.text
    assert "known: " in refused.text


def test_made_shown_once_listed_renewed_deleted(world: World, user: str, signed_in: NewBrowser) -> None:
    browser = signed_in()
    assert "None yet" in browser.get("/tokens").text
    browser.get("/tokens/new")
    answer = browser.send("/tokens/new", {**FORM, "labels": "model=base", "description": "in CI"})
    first = token_in(answer)
    assert answer.headers["cache-control"] == "no-store"
    said = world.nobody.get("/v1/me", headers=bearer(first)).json()
    assert (said["principal"], said["scope"]) == (
        f"user:{user}",
        "app:query@*[model=base] job:query@*[model=base]",
    )
    listed = browser.get("/tokens").text
    for part in ("nightly", "in CI", "Read", "model=base", first[:8]):
        assert part in listed
    assert first.partition(":")[2] not in listed

    page = browser.get(f"/tokens/{first.partition(':')[0]}").text
    for part in ("nightly", "shown once and cannot be shown again", "query every job", "made"):
        assert part in page.replace("<wbr>", "")
    second = token_in(browser.press("Renew"))
    assert (is_good(world, first), is_good(world, second)) == (False, True)
    browser.get(f"/tokens/{first.partition(':')[0]}")
    assert browser.press("Delete", {"confirm": "night"}).status_code == 400
    assert is_good(world, second)
    assert browser.press("Delete", {"confirm": "nightly"}).headers["location"] == "/tokens"
    assert not is_good(world, second)
    assert "None yet" in browser.get("/tokens").text


@pytest.mark.parametrize(("name", "kept"), [(" lead ", "lead"), ("two  blanks", "two  blanks")])
def test_a_name_with_blanks_is_typed_as_it_is_shown(
    world: World, user: str, signed_in: NewBrowser, name: str, kept: str
) -> None:
    asked = {"name": name, "presets": ["read"], "owner": f"user:{user}"}
    token = made(world.admin.post("/v1/tokens", json=asked))
    assert token["name"] == kept
    typed = {"confirm": " ".join(name.split())}
    deleted = signed_in().press("Delete this API token", typed, on=f"/tokens/{token['id']}")
    assert deleted.headers["location"].startswith("/tokens")


def test_what_it_made_is_named_when_it_is_gone(world: World, user: str, signed_in: NewBrowser) -> None:
    role = world.role("job:get@*")
    starter = world.role("job:*@*", f"role:assume@{role}")
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": starter}))
    fields = {"preset-operator": "on", "job_roles": role, "broad": "app:*@* job:*@*"}
    browser, token = made_by(signed_in, **fields)
    job = made(world.nobody.post("/v1/jobs", headers=bearer(token), json={"role": role}))["id"]
    gone = browser.press(
        "Delete this API token", {"confirm": "nightly"}, on=f"/tokens/{token.partition(':')[0]}"
    )
    assert (gone.status_code, "nightly is deleted" in gone.text) == (200, True)
    assert f'Job <a href="/jobs/{job}">' in gone.text
    assert not is_good(world, token)


def test_renewed_with_grace_the_old_secret_lives_on(world: World, signed_in: NewBrowser) -> None:
    browser, token = made_by(signed_in)
    path = f"/tokens/{token.partition(':')[0]}"
    second = token_in(browser.press("Renew", {"grace": "3600"}, on=path))
    assert (is_good(world, token), is_good(world, second)) == (True, True)
    assert "<dt>Old secret</dt><dd>good until" in browser.get(path).text
    for grace in ("-1", "x", "99999999"):
        assert browser.press("Renew", {"grace": grace}, on=path).status_code == 400
    assert is_good(world, second)


def test_filtered_by_text_state_and_label(signed_in: NewBrowser) -> None:
    browser, _ = made_by(signed_in, name="one-a", labels="group=A,stage=test")
    made_by(lambda: browser, name="two-b", labels="group=B")
    for query, shown in (
        ("", {"one-a", "two-b"}),
        ("text=ONE", {"one-a"}),
        ("label=group%3DA", {"one-a"}),
        ("label=stage%3Dtest&text=two", set()),
        ("state=active", {"one-a", "two-b"}),
        ("state=expired", set()),
    ):
        page = browser.get(f"/tokens?{query}").text.replace("<wbr>", "")
        assert {name for name in ("one-a", "two-b") if name in page} == shown, query


def test_what_reaches_everything_is_asked_about_once_more(signed_in: NewBrowser) -> None:
    browser = signed_in()
    browser.get("/tokens/new")
    broad = {**FORM, "preset-operator": "on"}
    answer = browser.send("/tokens/new", broad)
    assert "do anything with every job" in answer.text.replace("<wbr>", "")
    assert "None yet" in browser.get("/tokens").text
    (warned,) = re.findall(r'name="broad" value="([^"]+)"', answer.text)
    for other in ({"preset-developer-operations": "on", "broad": warned}, {"broad": "on"}):
        browser.get("/tokens/new")
        again = browser.send("/tokens/new", {**broad, **other})
        assert "This token reaches everything of its kind." in again.text, "it was about something else"
    browser.get("/tokens/new")
    token_in(browser.send("/tokens/new", {**broad, "broad": warned}))


def test_what_it_would_reach_is_counted(world: World, signed_in: NewBrowser) -> None:
    browser, label = signed_in(), f"team={uuid4().hex}"
    name, _, value = label.partition("=")
    for its_labels in ({name: value}, {name: value, "stage": "test"}, {}):
        made(world.admin.post("/v1/jobs", json={"role": world.role(), "labels": its_labels}))
    for labels, counted in (
        (label, "2 running jobs"),
        (f"{label},stage=test", "1 running job and"),
        ("x=y", "0 run"),
    ):
        browser.get("/tokens/new")
        answer = browser.send("/tokens/new/reach", {"labels": labels})
        assert counted in answer.text
    browser.get("/tokens/new")
    only_apps = browser.send("/tokens/new/reach", {"labels": label, "preset-protected-endpoint": "on"})
    assert "you may look at: 0 apps." in only_apps.text
    assert browser.send("/tokens/new/reach", {"labels": "x"}).status_code == 400


def test_the_file_is_for_who_has_the_secret(signed_in: NewBrowser, world: World) -> None:
    browser, token = made_by(signed_in)
    answer = browser.press("Download as .env")
    assert answer.text == f"HOURMARK_URL={world.url}\nHOURMARK_TOKEN={token}\n"
    assert answer.headers["content-disposition"] == 'attachment; filename="hourmark.env"'
    assert answer.headers["cache-control"] == "no-store"
    assert browser.send("/tokens/env", {"secret": "anything else"}).status_code == 400


def test_the_page_counts_exchanges_once_they_are_written_down(world: World, signed_in: NewBrowser) -> None:
    browser, token = made_by(signed_in)
    access = token.partition(":")[0]
    assert "None in the last 48 hours" in browser.get(f"/tokens/{access}").text
    with inside(world.issuer) as there, there.write("tests") as tx:
        exchange_counts.add(tx.session, {(access, tx.now - tx.now % 3600): 3, ("hmk_gone", 0): 1})
        exchange_counts.add(tx.session, {(access, tx.now - tx.now % 3600): 2})
    page = browser.get(f"/tokens/{access}").text
    assert ("5 exchanges in the last 48 hours" in page, page.count("<rect")) == (True, 1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "at least 1 character"),
        ({"preset-read": ""}, "choose at least one"),
        ({"preset-nothing": "on"}, "is no preset"),
        ({"preset-developer-operations": "on", "broad": DEVELOPER}, "data:*@* repository:*@* is missing"),
        ({"labels": "model"}, "write name=value"),
        ({"resources": "a@b"}, "write a name"),
        ({"expires": "10000"}, "choose how long"),
        ({"expires": "never"}, "is not allowed here"),
        ({"expires": "30", "until": "2999-01-01"}, "its last day below says another"),
        ({"expires": "until", "until": "soon"}, "name its last day"),
        ({"expires": "until", "until": "2020-01-01"}, "is in the past"),
        ({"expires": "until", "until": "2999-01-01"}, "is too late here"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    signed_in: NewBrowser, changes: dict[str, str], says: str
) -> None:
    browser = signed_in()
    browser.get("/tokens/new")
    answer = browser.send("/tokens/new", {**FORM, "description": "typed before", **changes})
    assert answer.status_code == (403 if says.endswith("is missing") else 400)
    assert says in answer.text.replace("<wbr>", "")
    assert "typed before" in answer.text
    assert "None yet" in browser.get("/tokens").text


def test_a_name_is_taken_once(signed_in: NewBrowser) -> None:
    browser = signed_in()
    for status in (200, 400):
        browser.get("/tokens/new")
        assert browser.send("/tokens/new", FORM).status_code == status


def test_another_users_are_not_there(world: World, signed_in: NewBrowser) -> None:
    browser, other = signed_in(), signed_in(user=person(world))
    browser.get("/tokens/new")
    token = token_in(browser.send("/tokens/new", FORM))
    path = f"/tokens/{token.partition(':')[0]}"
    for asked in (path, f"{path}/renew", f"{path}/delete"):
        other.get("/tokens/new")
        answer = other.get(asked) if asked == path else other.send(asked, {"confirm": "nightly"})
        assert answer.status_code == 404
    assert is_good(world, token)


def test_who_sat_down_in_between_makes_none(signed_in: NewBrowser) -> None:
    browser = signed_in(at=int(time.time()) - 3600)
    assert "/login?next=/tokens/new" in browser.get("/tokens/new").headers["location"]
    browser.get("/session")
    for path, form in (("/tokens/hmk_x/renew", {}), ("/tokens/new", FORM)):
        kept = browser.send(path, form)
        assert (kept.status_code, "Confirm that it is you" in kept.text) == (403, True)


def test_nobody_is_shown_any(world: World) -> None:
    for path in ("/tokens", "/tokens/new?name=x"):
        assert world.nobody.get(path).headers["location"].startswith("/login?next=/tokens")
