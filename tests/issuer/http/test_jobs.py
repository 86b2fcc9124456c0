"""Jobs: a ticket gets one-hour tokens for as long as the job runs, and nothing after."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

from issuer.store import jobs
from keys import Handle
from tests.browsers import inside
from tests.clients import claims
from tests.issuer.http.world import OTHER, World, bearer, made


def begin(world: World, role: str, **members: Any) -> dict[str, Any]:
    return dict(made(world.admin.post("/v1/jobs", json={"role": role} | members)))


def get_token(world: World, ticket: str, /, **query: str) -> httpx.Response:
    return world.nobody.get("/v1/token", headers=bearer(ticket), params=query)


def token(world: World, job: dict[str, Any]) -> str:
    answer = get_token(world, job["ticket"])
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def test_a_job_gets_its_token_with_no_secret_baked_in(world: World) -> None:
    role = world.role("data:get@*")
    job = begin(world, role, name="nightly", labels={"team": "nlp"})
    assert (job["role"], job["name"], job["state"]) == (role, "nightly", "running")
    assert job["labels"] == {"team": "nlp", "hourmark/id": job["id"], "hourmark/type": "job"}
    answer = get_token(world, job["ticket"])
    assert answer.headers["cache-control"] == "no-store"
    said = claims(answer.json()["access_token"])
    assert (said["sub"], said["client_id"], said["job"]) == (f"role:{role}", job["id"], job["id"])
    assert (said["labels"], said["roles"], said["scope"]) == (job["labels"], [role], "data:get@*")
    assert said["exp"] - said["iat"] == 3600
    assert claims(get_token(world, job["ticket"], resource=OTHER).json()["access_token"])["aud"] == OTHER
    narrower = get_token(world, job["ticket"], scope="data:get@x").json()
    assert (narrower["scope"], claims(narrower["access_token"])["roles"]) == ("data:get@x", [])


def test_no_answer_but_the_first_has_the_ticket(world: World) -> None:
    job = begin(world, world.role())
    ticket = job.pop("ticket")
    assert Handle.JOB_TICKET.is_whole(ticket)
    mine = bearer(world.holder(f"job:get@{job['id']}").text)
    one, listed = (world.nobody.get(f"/v1/jobs{path}", headers=mine) for path in (f"/{job['id']}", ""))
    assert one.json() == job
    assert listed.json()["items"] == [job]
    assert ticket not in one.text + listed.text


def pass_limit(world: World, job: dict[str, Any]) -> httpx.Response:
    """As if its minute were over: its tokens end by themselves then, so there is nothing to revoke."""
    with inside(world.issuer) as there, there.write("tests") as tx:
        row, _ = jobs.get(tx.session, job["id"])
        row.ends_at = int(time.time()) - 1
        tx.session.add(row)
    return world.admin.get(f"/v1/jobs/{job['id']}")


ENDS: dict[str, Callable[[World, dict[str, Any]], httpx.Response]] = {
    "it is ended": lambda world, job: world.admin.delete(f"/v1/jobs/{job['id']}"),
    "its own ticket ends it": lambda world, job: revoke(world, job["ticket"], token=job["ticket"]),
    "its limit passes": pass_limit,
    "its role is deleted": lambda world, job: world.admin.delete(f"/v1/roles/{job['role']}"),
}


@pytest.mark.parametrize("how", ENDS)
def test_with_a_job_end_its_ticket_and_every_token(world: World, how: str) -> None:
    job = begin(world, world.role("data:get@*"), time_limit_seconds=60)
    other = begin(world, world.role("data:get@*"))
    tokens = [token(world, job), get_token(world, job["ticket"], resource=world.url).json()["access_token"]]
    assert all(map(world.is_active, tokens))
    for _ in range(2):
        answer = ENDS[how](world, job)
        assert answer.status_code == 200 or (how, answer.status_code) == ("its own ticket ends it", 401)
    limit = datetime.fromisoformat(job["ends_at"]).timestamp()
    if how == "its limit passes":
        assert all(claims(each)["exp"] <= limit for each in tokens)
    else:
        assert not any(map(world.is_active, tokens))
        assert world.nobody.get("/v1/me", headers=bearer(tokens[1])).status_code == 401
    says = "its job has reached its limit" if how == "its limit passes" else "its job has ended"
    for path in ("/v1/token", "/v1/me"):
        refused = world.nobody.get(path, headers=bearer(job["ticket"]))
        assert (refused.status_code, f"{says} ({job['id']}, at 20" in refused.text) == (401, True)
    assert revoke(world, job["ticket"], token="x").status_code == 401
    assert world.is_active(token(world, other)), "another job goes on"


@pytest.mark.parametrize("how", ["it is ended", "its limit passes"])
def test_what_has_ended_is_shown_and_changed_no_more(world: World, how: str) -> None:
    job = begin(world, world.role())
    ENDS[how](world, job)
    state = {"it is ended": "ended", "its limit passes": "timed_out"}[how]
    assert world.admin.get(f"/v1/jobs/{job['id']}").json()["state"] == state
    answer = world.admin.put(f"/v1/jobs/{job['id']}/labels", json={"labels": {}})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_what_its_role_loses_its_tokens_lose_and_it_goes_on(world: World) -> None:
    role = world.role("data:get@*", "data:put@*")
    job = begin(world, role)
    raw = token(world, job)
    policies = world.admin.get(f"/v1/roles/{role}/policies").json()["items"]
    (number,) = (each["id"] for each in policies if each["permission"] == "data:put@*")
    assert world.admin.delete(f"/v1/roles/{role}/policies/{number}").status_code == 200
    assert not world.is_active(raw)
    assert claims(token(world, job))["scope"] == "data:get@*"


@pytest.mark.parametrize(
    ("ticket", "says"),
    [
        ("", "send the job's ticket, which begins with hmj_,"),
        ("hmj_short", "cut off"),
        (Handle.JOB_TICKET.generate(), "another issuer's; start another one"),
        (Handle.REFRESH_TOKEN.generate(), "begins with hmj_"),
        ("hmk_0123456789abcdef:x", "grant_type=client_credentials"),
        ("a.b.c", "a token already"),
    ],
    ids=["nothing", "cut off", "of no job", "another secret", "a role key", "a token"],
)
def test_what_is_no_ticket(world: World, ticket: str, says: str) -> None:
    answer = get_token(world, ticket) if ticket else world.nobody.get("/v1/token")
    assert answer.status_code == 401
    assert says in answer.text
    assert (answer.headers["www-authenticate"] == "Bearer") == (not ticket), "no error is named"


def test_a_ticket_elsewhere_hears_where_it_belongs(world: World) -> None:
    ticket = begin(world, world.role("job:*@*"))["ticket"]
    grant = {"grant_type": "client_credentials"}
    answers = [
        world.nobody.get("/v1/jobs", headers=bearer(ticket)),
        world.nobody.post("/v1/token", data=grant, auth=(ticket, "")),
        world.nobody.post("/v1/token", data=grant, auth=("job", ticket)),
        world.nobody.post("/v1/token", data=grant, headers=bearer(ticket)),
        world.nobody.get("/v1/jobs", auth=(ticket, "")),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 400, 401]
    for answer in answers:
        assert "GET /v1/token" in answer.text
        assert ticket not in answer.text


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"scope": "job:get@*"}, "invalid_scope"),
        ({"ticket": "x"}, "invalid_request"),
    ],
)
def test_what_a_ticket_does_not_get(world: World, query: dict[str, str], error: str) -> None:
    answer = get_token(world, begin(world, world.role("data:get@*"))["ticket"], **query)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"role": "no role"}, "role"),
        ({"labels": {"team": "n l p"}}, "labels"),
        ({"labels": {"": "x"}}, "labels"),
        ({"labels": {"hourmark/owner": "me"}}, "labels"),
        ({"labels": {"team": 7}}, "labels"),
        ({"time_limit_seconds": 59}, "time_limit_seconds"),
        ({"time_limit_seconds": 90 * 86400 + 1}, "time_limit_seconds"),
        ({"command": "x"}, "command"),
        ({"time_limit_seconds": "1h"}, "time_limit_seconds"),
        ({"name": "a\nb"}, "name"),
        ({"name": " \u2003 "}, "name"),
    ],
)
def test_what_is_no_job(world: World, members: dict[str, Any], field: str) -> None:
    role = world.role()
    mine = bearer(world.holder("job:*@*", f"role:assume@{role}").text)
    answer = world.nobody.post("/v1/jobs", headers=mine, json={"role": role} | members)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert role not in world.nobody.get("/v1/jobs?limit=200", headers=mine).text, "nothing is half-made"


def test_what_the_platform_sets_is_set_whatever_was_written(world: World) -> None:
    mine = {"hourmark/id": "job_of_another", "hourmark/type": "app"}
    job = begin(world, world.role(), labels=mine)
    assert job["labels"] == {"hourmark/id": job["id"], "hourmark/type": "job"}


def test_a_label_scoped_credential_stamps_its_labels_and_stays_within_them(world: World) -> None:
    role = world.role("data:get@*")
    key = world.key(world.role("job:*@*[team=stamped]", f"role:assume@{role}"))
    asked = {"role": role, "labels": {"stage": "test"}}
    job = made(world.nobody.post("/v1/jobs", headers=bearer(key.text), json=asked))
    assert job["labels"]["team"] == "stamped"
    other = begin(world, role, labels={"team": "vision"})
    mine = bearer(key.text)
    listed = world.nobody.get("/v1/jobs", headers=mine).json()["items"]
    assert [each["id"] for each in listed] == [job["id"]]
    for method in ("GET", "DELETE"):
        assert world.nobody.request(method, f"/v1/jobs/{other['id']}", headers=mine).status_code == 403
    asked = {"role": role, "labels": {"team": "vision"}}
    refused = world.nobody.post("/v1/jobs", headers=mine, json=asked)
    assert (refused.status_code, "set the labels team=stamped" in refused.json()["detail"]) == (403, True)
    several = bearer(world.holder("job:*@*[team=a]", "job:*@*[team=b]", f"role:assume@{role}").text)
    refused = world.nobody.post("/v1/jobs", headers=several, json={"role": role})
    assert (refused.status_code, "set the labels team=a or team=b" in refused.json()["detail"]) == (403, True)

    place = f"/v1/jobs/{job['id']}/labels"
    refused = world.nobody.put(place, headers=mine, json={"labels": {"team": "vision"}})
    assert (refused.status_code, "set the labels team=stamped" in refused.json()["detail"]) == (403, True)
    changed = world.nobody.put(place, headers=mine, json={"labels": {"team": "stamped", "stage": "live"}})
    assert changed.json()["labels"]["stage"] == "live"
    reserved = world.nobody.put(place, headers=mine, json={"labels": {"hourmark/id": "x"}})
    assert (reserved.status_code, reserved.json()["code"]) == (422, "invalid_field")


def test_changed_labels_reach_the_next_token_and_end_the_one_before(world: World) -> None:
    job = begin(world, world.role("data:get@*"), labels={"stage": "test"})
    before = token(world, job)
    place = f"/v1/jobs/{job['id']}/labels"
    assert world.admin.put(place, json={"labels": {"stage": "test"}}).status_code == 200
    assert world.is_active(before), "nothing has changed"
    assert world.admin.put(place, json={"labels": {"stage": "live"}}).status_code == 200
    assert not world.is_active(before)
    assert claims(token(world, job))["labels"]["stage"] == "live"


def test_a_selector_on_its_id_reaches_one_job(world: World) -> None:
    role = world.role()
    one, other = begin(world, role), begin(world, role)
    mine = bearer(world.holder(f"job:get@*[hourmark/id={one['id']}]").text)
    assert world.nobody.get(f"/v1/jobs/{one['id']}", headers=mine).status_code == 200
    assert world.nobody.get(f"/v1/jobs/{other['id']}", headers=mine).status_code == 403
    listed = world.nobody.get("/v1/jobs", headers=mine).json()["items"]
    assert [each["id"] for each in listed] == [one["id"]]


def test_lists_by_state(world: World) -> None:
    role = world.role()
    mine = bearer(world.holder("job:get@*").text)
    ended = begin(world, role)
    world.admin.delete(f"/v1/jobs/{ended['id']}")
    for state, is_in in (("running", False), ("ended", True)):
        items: list[str] = []
        cursor = ""
        while True:
            query = {"state": state, "limit": "200", "cursor": cursor}
            page = world.nobody.get("/v1/jobs", headers=mine, params=query).json()
            items += [each["id"] for each in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert (ended["id"] in items) is is_in


def test_who_a_ticket_is(world: World) -> None:
    role = world.role("data:get@*")
    job = begin(world, role)
    answer = world.nobody.get("/v1/me", headers=bearer(job["ticket"]))
    assert answer.json() == {
        "principal": f"role:{role}",
        "roles": [role],
        "scope": "data:get@*",
        "client_id": job["id"],
        "audience": None,
        "expires_at": job["ends_at"],
    }


def revoke(world: World, ticket: str, /, **form: str) -> httpx.Response:
    return world.nobody.post("/v1/revoke", headers=bearer(ticket), data=form)


def test_a_job_ends_itself_by_its_ticket_and_no_other(world: World) -> None:
    role = world.role("data:get@*")
    job, other = begin(world, role), begin(world, role)
    mine, others = token(world, job), token(world, other)
    refused = revoke(world, job["ticket"], token=other["ticket"])
    assert (refused.status_code, "another job's" in refused.json()["error_description"]) == (400, True)
    assert world.is_active(others)
    assert revoke(world, job["ticket"], token=job["ticket"]).status_code == 200
    assert (world.is_active(mine), world.is_active(others)) == (False, True)
    assert world.admin.get(f"/v1/jobs/{job['id']}").json()["state"] == "ended"
    assert revoke(world, job["ticket"], token=job["ticket"]).status_code == 401


def test_a_job_ends_a_token_that_leaked_and_goes_on(world: World) -> None:
    job = begin(world, world.role("data:get@*"))
    leaked, other = token(world, job), token(world, begin(world, world.role("data:get@*")))
    assert revoke(world, job["ticket"], token=leaked).status_code == 200
    assert not world.is_active(leaked)
    assert world.is_active(token(world, job)), "it goes on"
    for text in (other, leaked, "nonsense"):
        before = token(world, job)
        assert revoke(world, job["ticket"], token=text).status_code == 200
        assert world.is_active(before), "nothing of the job was meant"
    assert world.is_active(other), "a ticket ends the tokens of its own job alone"
    rows = world.admin.get("/v1/audit", params={"action": "token:revoke", "limit": "200"}).json()["items"]
    assert [row["actor"] for row in rows if row["detail"].get("job") == job["id"]] == [job["id"]]


def test_a_ticket_is_no_credential_for_anything_else(world: World) -> None:
    ticket = begin(world, world.role("*"))["ticket"]
    assert world.nobody.get("/v1/jobs", headers=bearer(ticket)).status_code == 401
    assert world.nobody.post("/v1/introspect", headers=bearer(ticket), data={"token": "x"}).status_code == 401
    form = {"grant_type": "client_credentials"}
    assert world.nobody.post("/v1/token", headers=bearer(ticket), data=form).status_code in (400, 401)
    missing = revoke(world, ticket)
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
