"""`hourmark role …`: what reaches the issuer and what the user sees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from keys import RoleKey
from tests.holder.conftest import Hourmark
from tests.holder.issuer_double import IssuerDouble

ROLE = "org.account.token"


@pytest.fixture
def role(hourmark: Hourmark, admin: str) -> str:
    assert admin
    assert hourmark("role", "new", ROLE).code == 0
    return ROLE


def test_the_story_as_typed(hourmark: Hourmark, issuer: IssuerDouble, admin: str) -> None:
    assert hourmark("role", "new", ROLE).code == 0
    assert (
        hourmark("role", "policy", "new", ROLE, "data:get@urn:hourmark:data:org.account.workspace").code == 0
    )
    made = hourmark(
        "role", "key", "new", ROLE, "--format", "text", "--format-template", "{{.Access}}:{{.Secret}}"
    )
    key = RoleKey.parse(made.out.removesuffix("\n"))
    assert "shown this once" in made.err
    me = hourmark("whoami", HOURMARK_TOKEN=made.out.strip())
    assert (me.code, f"principal: role:{ROLE}\n" in me.out) == (0, True)
    header = hourmark("login", "token", "-H", HOURMARK_TOKEN=key.reveal())
    assert header.out.startswith("Authorization: Bearer ey")
    assert header.out.count("\n") == 1
    token = header.out.split()[-1]
    assert token in issuer.tokens
    assert hourmark("whoami", HOURMARK_TOKEN=token).code == 0
    assert admin not in made.out + made.err


def test_lists_walk_all_pages(hourmark: Hourmark, admin: str) -> None:
    assert admin
    names = [f"org.account.r{number}" for number in range(5)]
    assert [hourmark("role", "new", name).code for name in names] == [0] * 5
    assert [item["name"] for item in hourmark("role", "list", "-o", "json").json] == names
    assert hourmark("role", "list", "--field", "name").out.split() == names


def test_lists_are_narrowed_by_the_issuer_on_every_page(
    hourmark: Hourmark, issuer: IssuerDouble, role: str
) -> None:
    for name in ("org.a.1", "org.a.2", "org.a.3", "org.b.1"):
        assert hourmark("role", "new", name).code == 0
    assert hourmark("role", "list", "org.a.", "--field", "name").out.split() == [
        "org.a.1",
        "org.a.2",
        "org.a.3",
    ]
    assert [request.query["prefix"] for request in issuer.requests[-2:]] == [["org.a."]] * 2
    good, ended = issuer.add_key(role).access, issuer.add_key(role).access
    issuer.keys[ended]["expires_at"] = "2026-01-01T00:00:00Z"

    def listed(*options: str) -> list[str]:
        return hourmark("role", "key", "list", role, "--field", "access", *options).out.split()

    assert (listed("--state", "active"), listed("--state", "expired")) == ([good], [ended])
    assert listed() == [good, ended]
    assert hourmark("role", "key", "list", role, "--state", "gone").code == 2


def test_a_policy_is_tested_before_anybody_needs_it(
    hourmark: Hourmark, issuer: IssuerDouble, role: str
) -> None:
    for permission in ("data:get@a", "data:get@b", "app:query@*[group=A]"):
        assert hourmark("role", "policy", "new", role, permission).code == 0
    yes = hourmark("role", "policy", "test", role, "app:query@my-app[group=A]")
    allowed = "yes: app:query@my-app[group=A] is allowed by app:query@*[group=A]\n"
    assert (yes.code, yes.out, yes.err) == (0, allowed, "")
    no = hourmark("role", "policy", "test", role, "app:query@my-app", "-o", "json")
    assert (no.code, no.err) == (5, "")
    assert no.json["missing"][0] == "app:query@*[group=A] asks for the label group=A"
    before = len(issuer.requests)
    assert hourmark("role", "policy", "test", role, "data:*@a").code == 2
    assert len(issuer.requests) == before
    assert hourmark("role", "policy", "test", "org.account.nobody", "data:get@a").code == 1


def test_a_role_is_got_and_deleted_with_its_keys(hourmark: Hourmark, issuer: IssuerDouble, role: str) -> None:
    key = issuer.add_key(role)
    assert hourmark("role", "get", role, "-o", "json").json["name"] == role
    assert hourmark("role", "delete", role, "-o", "json").json == {"deleted": role, "keys": [key.access]}
    gone = hourmark("role", "get", role)
    assert (gone.code, gone.out) == (1, "")
    assert "hourmark role list" in gone.err


def test_a_name_is_quoted_and_never_climbs(hourmark: Hourmark, issuer: IssuerDouble, admin: str) -> None:
    assert admin
    assert hourmark("role", "get", "a/b c").code == 1
    assert issuer.requests[-1].path == "/v1/roles/a%2Fb%20c"
    before = len(issuer.requests)
    assert [hourmark("role", "delete", name).code for name in ("..", ".", "")] == [2, 2, 2]
    assert len(issuer.requests) == before


def test_a_key_is_made_narrower_and_with_an_end(hourmark: Hourmark, issuer: IssuerDouble, role: str) -> None:
    options = ("--name", "nightly", "--scope", "data:get@a data:get@b", "--expires", "90d")
    assert hourmark("role", "key", "new", role, *options).code == 0
    sent = issuer.requests[-1].json
    ends = datetime.fromisoformat(sent.pop("expires_at"))
    assert sent == {"name": "nightly", "scope": "data:get@a data:get@b"}
    assert abs(ends - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("key", "new", ROLE, "--expires", "2020-01-01"),
        ("key", "new", ROLE, "--expires", "soon"),
        ("key", "new", ROLE, "--scope", "data@get@x@"),
        ("key", "new", ROLE, "--format-template", "{{.Access}}:{{.Password}}"),
        ("key", "new", ROLE, "--field", "password"),
        ("key", "renew", ROLE, "hmk_x", "--grace", "a day"),
        ("policy", "new", ROLE, "data:get"),
        ("policy", "delete", ROLE, "data:get"),
    ],
)
def test_what_cannot_be_meant_is_found_before_anything_is_made(
    hourmark: Hourmark, issuer: IssuerDouble, role: str, arguments: tuple[str, ...]
) -> None:
    before = len(issuer.requests)
    done = hourmark("role", *arguments)
    assert (done.code, done.out, len(issuer.requests)) == (2, "", before)
    assert done.err.startswith("Error: ")
    assert role in arguments


def test_an_unknown_field_names_those_that_are_there(hourmark: Hourmark, role: str) -> None:
    done = hourmark("role", "key", "new", role, "--field", "password")
    assert "Access, Secret, Role, Name, Scope, CreatedAt, CreatedBy, ExpiresAt" in done.err


def test_keys_are_listed_without_secrets_and_renewed(
    hourmark: Hourmark, issuer: IssuerDouble, role: str
) -> None:
    made = hourmark("role", "key", "new", role, "-o", "json").json
    listed = hourmark("role", "key", "list", role)
    assert listed.out.splitlines()[0].split()[:2] == ["ACCESS", "ROLE"]
    assert "LAST EXCHANGED AT" in listed.out
    assert (made["access"] in listed.out, made["secret"] in listed.out) == (True, False)
    renewed = hourmark("role", "key", "renew", role, made["access"], "--grace", "24h", "-o", "json")
    assert issuer.requests[-1].json == {"grace_seconds": 86400}
    assert renewed.json["secret"] != made["secret"]
    assert "24h" in renewed.err
    assert "The old secret ended" in hourmark("role", "key", "renew", role, made["access"]).err
    assert issuer.requests[-1].json == {}


def test_deleting_a_key_says_what_it_made(hourmark: Hourmark, issuer: IssuerDouble, role: str) -> None:
    access = issuer.add_key(role).access
    done = hourmark("role", "key", "delete", role, access)
    assert done.out == f"deleted: {access}\nmade:    hmk_AnotherOne000000\n"
    assert "live on" in done.err


def test_a_policy_is_deleted_by_id_or_by_what_it_permits(hourmark: Hourmark, role: str) -> None:
    for permission in ("data:get@a", "data:get@b", "app:query@*[b=2,a=1]"):
        assert hourmark("role", "policy", "new", role, permission).code == 0
    named = ("role", "policy", "delete", role, "app:query@[a=1,b=2]", "-o", "json")
    first, again = hourmark(*named), hourmark(*named)
    assert (first.code, first.json, first.err) == (0, {"deleted": "app:query@*[a=1,b=2]"}, "")
    assert (again.code, again.json, "nothing to delete" in again.err) == (0, first.json, True)
    for _ in range(2):
        assert hourmark("role", "policy", "delete", role, "1").out == "deleted: 1\n"
    assert hourmark("role", "policy", "list", role, "--field", "permission").out == "data:get@b\n"


def test_a_taken_name_is_an_error_with_the_issuers_words(hourmark: Hourmark, role: str) -> None:
    done = hourmark("role", "new", role, "-o", "json")
    assert done.code == 1
    assert done.error == {
        "error": f"That cannot be: {role} is there already",
        "code": "name_taken",
        "hint": "look at what is there: hourmark role list",
        "request_id": "req-1",
    }
