"""What holds for each command there is: a new one that is not in the table here turns this red."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy

import pytest
import yaml

from holder.cli.program import root
from holder.profile import Profile
from keys import RoleKey
from tests.holder.conftest import Done, Hourmark
from tests.holder.issuer_double import SERVICES, IssuerDouble
from tests.holder.token_double import TokenDouble
from tests.holder.user_double import UserDouble

ROLE = "org.account.token"
USER = "ada"
ACCESS = RoleKey.generate().access


class World:
    """An issuer with a role, its policy and key, a user who holds it, an API token, and somebody signed in.

    New for each command that runs.
    """

    def __init__(self, issuer: IssuerDouble) -> None:
        made = {"created_at": "2026-11-01T10:00:00Z", "created_by": "user:admin"}
        issuer.roles = {ROLE: {"name": ROLE, **made}}
        issuer.policies = [{"id": 1, "role": ROLE, "permission": "data:get@a", **made}]
        issuer.keys = {ACCESS: {**issuer.keys[issuer.add_key(ROLE).access], "access": ACCESS}}
        issuer.users = UserDouble()
        issuer.users.add(USER, ROLE)
        issuer.api_tokens = TokenDouble()
        issuer.api_tokens.add(ACCESS, "basetoken")
        self.token = issuer.mint(ROLE, "data:get@a", audience=SERVICES)
        Profile("default", issuer.url, issuer.add_key().reveal(), "role:org.account.admin").save()


SHOWN_ONCE = ("secret", "token")
"""Each time another one."""
DATA: dict[str, tuple[str, Callable[[World], list[str]]]] = {
    # The command, one field of its data, and its arguments.
    "can": ("by", lambda world: [world.token, "data:get@a"]),
    "context current": ("endpoint", lambda _: []),
    "context list": ("name", lambda _: []),
    "credential docker install": ("helper", lambda _: ["registry.example:5000"]),
    "login token": ("token_type", lambda _: []),
    "role delete": ("deleted", lambda _: [ROLE]),
    "role get": ("name", lambda _: [ROLE]),
    "role key delete": ("deleted", lambda _: [ROLE, ACCESS]),
    "role key list": ("access", lambda _: [ROLE]),
    "role key new": ("secret", lambda _: [ROLE]),
    "role key renew": ("secret", lambda _: [ROLE, ACCESS]),
    "role list": ("name", lambda _: []),
    "role new": ("name", lambda _: ["org.account.new"]),
    "role policy delete": ("deleted", lambda _: [ROLE, "1"]),
    "role policy list": ("permission", lambda _: [ROLE]),
    "role policy new": ("permission", lambda _: [ROLE, "data:get@b"]),
    "role policy test": ("permission", lambda _: [ROLE, "data:get@a"]),
    "status": ("credential", lambda _: []),
    "token create": ("token", lambda _: ["nightly", "--role", "read"]),
    "token delete": ("deleted", lambda _: [ACCESS]),
    "token get": ("name", lambda _: [ACCESS]),
    "token list": ("prefix", lambda _: []),
    "token presets": ("name", lambda _: []),
    "token renew": ("token", lambda _: [ACCESS]),
    "user delete": ("deleted", lambda _: [USER]),
    "user disable": ("state", lambda _: [USER]),
    "user enable": ("state", lambda _: [USER]),
    "user get": ("name", lambda _: [USER]),
    "user invite": ("url", lambda _: [USER]),
    "user list": ("name", lambda _: []),
    "user new": ("name", lambda _: ["grace"]),
    "user role delete": ("taken", lambda _: [USER, ROLE]),
    "user role list": ("role", lambda _: [USER]),
    "user role new": ("role", lambda _: [USER, "org.account.other"]),
    "verify": ("sub", lambda world: [world.token]),
    "whoami": ("principal", lambda _: []),
}
WORDS_ALONE = {"login", "logout", "context use", "completion"}
"""These have no data: what they print is words, or a script."""
WITH_A_REAL_ISSUER = {
    *(f"app {verb}" for verb in ("register", "list", "get", "update", "secret", "delete")),
    *("consent list", "consent delete", "user sign-ins", "user sign-out"),
    *("job new", "job list", "job get", "job label", "job end", "exec"),
    *(f"role trust {verb}" for verb in ("new", "list", "delete", "test", "lint")),
    *("credential git", "credential kubernetes", "credential aws"),
}
"""tests/journeys/test_{apps,consents,jobs}_by_command.py and test_{exec,credential_helpers,
outside_identities}.py try these."""


def commands(group: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, command in getattr(group, "commands", {}).items():
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield " ".join((*path, name))
        yield from commands(command, (*path, name))


EVERY = sorted(commands(root()))


def test_no_command_is_forgotten() -> None:
    assert sorted([*DATA, *WORDS_ALONE, *WITH_A_REAL_ISSUER]) == EVERY


@pytest.fixture
def run(hourmark: Hourmark, issuer: IssuerDouble) -> Callable[..., Done]:
    """`run(command, *options)`, with its arguments of the table, in a new world."""

    def run(command: str, *options: str) -> Done:
        done = hourmark(*command.split(), *DATA[command][1](World(issuer)), *options)
        assert (done.code, done.out[-1:]) == (0, "\n"), done.err
        return done

    return run


@pytest.mark.parametrize("command", DATA)
def test_its_data_comes_in_every_form(run: Callable[..., Done], command: str) -> None:
    field = DATA[command][0]
    in_json, in_yaml = run(command, "-o", "json").json, yaml.safe_load(run(command, "-o", "yaml").out)
    first_json, first_yaml = (data[0] if isinstance(data, list) else data for data in (in_json, in_yaml))
    assert list(first_json) == list(first_yaml)
    assert field in first_json
    alone = run(command, "--field", field).out
    templated = run(command, "--format", "text", "--format-template", f"{{{{.{field}}}}}").out
    if field not in SHOWN_ONCE:
        assert alone == templated == f"{first_json[field]}\n"
    assert len(alone) == len(templated) == len(f"{first_json[field]}\n")
    values = run(command, "-o", "text").out.splitlines()[0].split("\t")
    assert len(values) == len(first_json)
    assert run(command, "-o", "table").out.strip()


@pytest.mark.parametrize("command", DATA)
def test_a_field_that_it_does_not_have(hourmark: Hourmark, issuer: IssuerDouble, command: str) -> None:
    world = World(issuer)
    before = deepcopy((issuer.roles, issuer.users, issuer.api_tokens))
    line = [*command.split(), *DATA[command][1](world), "--field", "nonsense"]
    words, in_json = hourmark(*line), hourmark(*line, "-o", "json")
    assert (words.code, words.out, in_json.code, in_json.out) == (2, "", 2, "")
    assert words.err.startswith("Error: There is no field 'nonsense'\n")
    assert in_json.error["error"].startswith("There is no field 'nonsense': the fields are ")
    named = in_json.error["error"].rpartition("are ")[2].lower().split(", ")
    assert DATA[command][0].replace("_", "") in named
    assert (issuer.roles, issuer.users, issuer.api_tokens) == before


@pytest.mark.parametrize("command", EVERY)
def test_its_help_and_its_errors(hourmark: Hourmark, command: str) -> None:
    helped = hourmark(*command.split(), "--help")
    assert (helped.code, helped.err) == (0, "")
    assert helped.out.startswith(f"Usage: hourmark {command} ")
    assert f"hourmark {command}" in helped.out.partition("Example")[2], "its help shows no example"
    refused = hourmark(*command.split(), "--nonsense", "-o", "json")
    assert (refused.code, refused.out) == (2, "")
    assert refused.error == {
        "error": refused.error["error"],
        "code": "usage",
        "hint": f"hourmark {command} --help",
        "request_id": None,
    }
