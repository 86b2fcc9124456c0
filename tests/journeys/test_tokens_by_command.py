"""API tokens by the command line: made for a program, used wherever a credential goes, renewed, and ended."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from keys import RoleKey
from tests.browsers import signed_in
from tests.clients import command_line
from tests.issuer.http.world import Key, World, bearer, made
from tests.journeys.conftest import NewDatabase
from tests.journeys.terminal import Terminal

BASETOKEN = "hourmark token create basetoken --label-selector model=base --role operator"


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough: the command line knows nothing of databases."""
    return dict


@dataclass
class Maker:
    """Who makes API tokens, at a terminal of theirs."""

    principal: str
    terminal: Terminal = field(repr=False)

    def create(self, options: str, name: str = "") -> dict[str, Any]:
        name = name or f"t-{uuid4().hex[:8]}"
        return dict(self.terminal.json(f"hourmark token create {name} {options} -o json"))


@pytest.fixture(params=["a user who is signed in", "a role key"])
def maker(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Maker]:
    """One who may do what is done with jobs and apps."""
    with ExitStack() as stack:
        if request.param == "a role key":
            key = world.holder("app:*@*", "job:*@*")
            permission = {"permission": f"role-key:*@{key.role}"}
            made(world.admin.post(f"/v1/roles/{key.role}/policies", json=permission))
            principal, credential = f"role:{key.role}", key.text
        else:
            name = f"u{uuid4().hex[:12]}"
            made(world.admin.post("/v1/users", json={"name": name}))
            role = {"role": world.role("app:*@*", "job:*@*")}
            made(world.admin.post(f"/v1/users/{name}/roles", json=role))
            browser = stack.enter_context(signed_in(world.issuer, name))
            signed = command_line(world).sign_in(browser, scope="*", resource=world.url)
            principal, credential = f"user:{name}", signed["access_token"]
        terminal = Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=credential)
        yield Maker(principal, stack.enter_context(terminal))


def exchanged(world: World, token: str) -> str:
    """A token for an API token, which goes there as Basic."""
    key = RoleKey.parse(token)
    return world.token(Key("", key.access, key.secret))


def test_it_is_made_and_is_good_in_four_places(world: World, maker: Maker) -> None:
    done = maker.terminal.run(BASETOKEN)
    assert (done.code, "shown this once" in done.err) == (0, True), done.err
    shown = yaml.safe_load(done.out)
    scope = "app:*@*[model=base] job:*@*[model=base]"
    assert (shown["owner"], shown["role"], shown["scope"]) == (maker.principal, "operator", scope)
    token = shown["token"]
    assert RoleKey.parse(token).secret not in done.err
    who = world.nobody.get("/v1/me", headers=bearer(token)).json()
    assert (who["principal"], who["client_id"], who["scope"]) == (maker.principal, shown["id"], scope)
    for line in (
        f"hourmark whoami --app-token {token} --field client_id",
        f"HOURMARK_TOKEN={token} hourmark whoami --field client_id",
    ):
        assert maker.terminal(line).strip() == shown["id"]
    assert world.is_active(exchanged(world, token))


def test_it_is_listed_without_its_secret(maker: Maker) -> None:
    token = maker.create("-l model=base -l team=nlp --role operator --role read --description CI")
    secret = RoleKey.parse(token.pop("token")).secret
    (listed,) = maker.terminal.json("hourmark token list -o json")
    assert listed == token
    assert (listed["role"], listed["selector"]) == ("operator,read", "model=base,team=nlp")
    assert maker.terminal.json(f"hourmark token get {token['id']} -o json") == listed
    for form in ("table", "json", "yaml", "text"):
        assert secret not in maker.terminal(f"hourmark token list -o {form}")
    assert maker.terminal.run("hourmark token list --state expired").err == "There is none.\n"


def test_renewed_the_old_secret_and_its_tokens_end(world: World, maker: Maker) -> None:
    before = maker.create("--role read -l model=base")
    token = exchanged(world, before["token"])
    renewed = maker.terminal.json(f"hourmark token renew {before['id']} -o json")
    kept = ("id", "name", "role", "selector", "scope", "expires_at")
    assert [renewed[name] for name in kept] == [before[name] for name in kept]
    assert (world.is_active(token), world.is_active(exchanged(world, renewed["token"]))) == (False, True)
    assert maker.terminal.run(f"hourmark whoami --app-token {before['token']}").code == 4
    line = f"hourmark token renew {before['id']} --grace 24h --field token"
    latest = maker.terminal(line).strip()
    for each in (renewed["token"], latest):
        assert world.is_active(exchanged(world, each))


def test_deleted_it_is_gone_for_good(world: World, maker: Maker) -> None:
    token = maker.create("--role read")
    issued = exchanged(world, token["token"])
    for _ in range(2):
        gone = maker.terminal.json(f"hourmark token delete {token['id']} -o json")
        assert gone == {"deleted": token["id"], "made": []}
    assert not world.is_active(issued)
    assert maker.terminal.run(f"hourmark whoami --app-token {token['token']}").code == 4
    for line in (f"hourmark token get {token['id']}", f"hourmark token renew {token['id']}"):
        done = maker.terminal.run(line)
        assert (done.code, done.out, "hourmark token list" in done.err) == (1, "", True), done.err


def test_nobody_makes_one_that_is_wider_than_oneself(maker: Maker) -> None:
    done = maker.terminal.run("hourmark token create wide --role developer-operations")
    assert (done.code, done.out) == (5, "")
    assert "data:*@* repository:*@* is missing" in done.err
    assert maker.terminal.run("hourmark token list").err == "There is none.\n"


def test_what_there_is_to_choose(world: World, tmp_path: Path) -> None:
    with Terminal(tmp_path, HOURMARK_URL=world.url) as terminal:
        names = terminal("hourmark token presets --field name").split()
    assert names == ["read", "operator", "developer-operations", "protected-endpoint"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ("", 2, "there are read, operator, developer-operations, protected-endpoint"),
        ("--role admin", 1, "--role: 'admin' is no preset; there are: read, operator"),
        ("--role read -l model", 2, "it is name=value"),
        ("--role read -l ''", 2, "--label-selector is empty"),
        ("--role read --job-role org.tests.x", 1, "--job-role: it would start no jobs"),
        (
            "--role operator --job-role org@tests",
            1,
            "--job-role: 'org@tests' is none: write ORG.ACCOUNT.NAME",
        ),
        ("--role read -l a=1 -l a=2", 1, "--label-selector: the label a is to have two values"),
        ("--role read --resource a@b", 1, "--resource: 'a@b' is none"),
        ("--role read --audience https://elsewhere.example", 1, "--audience: 'https://elsewhere.example'"),
        ("--role read --expires never", 1, "--expires never: is not allowed here"),
        ("--role read --expires 9999d", 1, "--expires: is too late here"),
        ("--role read --owner ada", 1, "owner: is a principal"),
        ("--role read --owner role:org.no.such", 1, "hourmark user list, hourmark role list"),
    ],
)
def test_what_makes_none(world: World, tmp_path: Path, options: str, code: int, said: str) -> None:
    with Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=world.issuer.admin_key) as terminal:
        done = terminal.run(f"hourmark token create wrong {options}")
        assert (done.code, done.out, said in done.err) == (code, "", True), done.err
        assert terminal.run("hourmark token list").err == "There is none.\n"


def test_for_a_role_and_for_one_service(world: World, tmp_path: Path) -> None:
    role = world.role("app:*@*", "job:*@*")
    with Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=world.issuer.admin_key) as terminal:
        options = f"--role read --owner role:{role} --resource {shlex.quote('samples/*')} --resource my-app"
        token = terminal.json(
            f"hourmark token create ci {options} --audience urn:hourmark:services --expires 36h -o json"
        )
        assert terminal(f"hourmark token list --owner role:{role} --field id").strip() == token["id"]
        assert token["scope"].split()[:2] == ["app:query@my-app", "app:query@samples/*"]
        line = f"hourmark login token --app-token {token['token']}"
        assert world.is_active(terminal(f"{line} --field access_token").strip())
        elsewhere = terminal.run(f"{line} --resource {world.url}")
        said = "`resource` is none of those that this credential is for: urn:hourmark:services"
        assert (elsewhere.code, said in elsewhere.err) == (1, True), elsewhere.err
