"""`hourmark exec`: a tool that knows of a variable or a file, and of nothing else, has a fresh token."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browsers import signed_in
from tests.clients import claims
from tests.issuer.http.world import OTHER, World, made, open_world
from tests.journeys.person import Person
from tests.journeys.terminal import Terminal
from tests.running_issuer import BIN

INSIDE = """set -e
printf %s "$HOURMARK_TOKEN" >variable
cp "$HOURMARK_TOKEN_FILE" file
stat -c %a "$HOURMARK_TOKEN_FILE" >mode
test "$HOURMARK_TOKEN_FILE" = "$HOURMARK_ACCESS_TOKEN_FILE"
test -z "$HOURMARK_PROFILE$HOURMARK_TOKEN_SOCKET"
hourmark whoami --field principal >who
dirname "$HOURMARK_TOKEN_FILE" >folder
exit 7
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("issuer")) as opened:
        yield opened


@pytest.fixture
def terminal(world: World, tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "inside").write_text(INSIDE)
    with Terminal(tmp_path, HOURMARK_URL=world.url) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["role key", "token", "file", "pipe", "profile", "ticket"])
def test_with_any_credential(world: World, terminal: Terminal, tmp_path: Path, kind: str) -> None:
    role = world.role("data:get@*")
    key = world.key(role)
    ticket = made(world.admin.post("/v1/jobs", json={"role": role}))["ticket"]
    (tmp_path / "key").write_text(key.text)
    run = "hourmark exec -- bash inside"
    done = terminal.run(
        {
            "role key": f"HOURMARK_TOKEN={key.text} {run}",
            "token": f"HOURMARK_TOKEN={world.token(key)} {run}",
            "file": f"HOURMARK_TOKEN_FILE=key {run}",
            "pipe": f"cat key | HOURMARK_TOKEN_FILE=/dev/stdin {run}",
            "profile": "hourmark login --profile mine --token-file key && "
            f"HOURMARK_URL= HOURMARK_PROFILE=mine {run}",
            "ticket": f"HOURMARK_TOKEN={ticket} {run}",
        }[kind]
    )
    assert done.code == 7, done.err
    names = ("variable", "file", "mode", "who", "folder")
    read = {name: (tmp_path / name).read_text().strip() for name in names}
    assert read["variable"] == read["file"]
    assert (claims(read["file"])["sub"], read["who"], read["mode"]) == (f"role:{role}", f"role:{role}", "600")
    assert not Path(read["folder"]).exists()


def test_with_a_users_sign_in(world: World, tmp_path: Path) -> None:
    with signed_in(world.issuer, "admin") as browser:
        person = Person(world.issuer, tmp_path, browser)
        person.sign_in_here()
        done = person.run("exec", "--", str(BIN / "hourmark"), "whoami", "--field", "principal")
    assert (done.returncode, done.stdout) == (0, "user:admin\n"), done.stderr


def test_narrower_and_for_another_service(world: World, terminal: Terminal, tmp_path: Path) -> None:
    key = world.holder("data:*@*")
    line = f"hourmark exec --app-token {key.text} --resource {OTHER} --scope data:get@x -- bash inside"
    assert terminal.run(line).code == 7
    said = claims((tmp_path / "file").read_text())
    assert (said["aud"], said["scope"]) == (OTHER, "data:get@x")


def test_for_the_tools_of_aws(world: World, terminal: Terminal, tmp_path: Path) -> None:
    key = world.holder("data:get@*")
    (tmp_path / "inside").write_text(
        'test -z "$AWS_ACCESS_KEY_ID" && echo "$AWS_ROLE_ARN" && cat "$AWS_WEB_IDENTITY_TOKEN_FILE"'
    )
    arn, options = "arn:aws:iam::123456789012:role/reader", f"--app-token {key.text} --resource {OTHER}"
    shown = terminal(f"AWS_ACCESS_KEY_ID=x hourmark exec {options} --aws-role-arn {arn} -- bash inside")
    assert shown.split("\n", 1)[0] == arn
    assert claims(shown.split("\n")[1])["aud"] == OTHER
    refused = terminal.run(f"hourmark exec --app-token {key.text} --aws-role-arn {arn} -- true")
    assert (refused.code, "urn:hourmark:services" in refused.err) == (1, True), "it issues for those"


def test_the_file_stays_fresh_and_signals_go_on(tmp_path: Path) -> None:
    (tmp_path / "inside").write_text(
        """trap 'exit 9' TERM
        cp "$HOURMARK_TOKEN_FILE" before
        while cmp -s "$HOURMARK_TOKEN_FILE" before; do sleep 0.05; done
        cp "$HOURMARK_TOKEN_FILE" after
        kill -TERM $PPID
        while :; do sleep 0.05; done
        """
    )
    with (
        open_world(tmp_path, HOURMARKD_TOKEN_TTL="10") as world,
        Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=world.issuer.admin_key) as terminal,
    ):
        assert terminal.run("hourmark exec -- bash inside").code == 9
    before, after = (claims((tmp_path / name).read_text()) for name in ("before", "after"))
    assert before["iat"] < after["iat"] < before["exp"], "the next one was there before it died"


FOLLOWS = """
import json, pathlib, time
from holder.auth import fresh_token
token, deadline = fresh_token(), time.monotonic() + 20
before = token()
pathlib.Path("began").touch()
while (after := token()) == before and time.monotonic() < deadline:
    time.sleep(0.02)
pathlib.Path("seen").write_text(json.dumps([before, after]))
"""


def test_a_lost_permission_brings_another_token_to_file_and_program(
    world: World, terminal: Terminal, tmp_path: Path
) -> None:
    """The program's client reads the file that the launcher keeps fresh; both hear of it by themselves."""
    role = world.role("data:get@*")
    lost = made(world.admin.post(f"/v1/roles/{role}/policies", json={"permission": "data:put@*"}))["id"]
    (tmp_path / "program.py").write_text(FOLLOWS)
    done = terminal.run(
        f"hourmark exec --app-token {world.key(role).text} -- "
        f"sh -c 'unset HOURMARK_TOKEN; {sys.executable} program.py' & launcher=$!; "
        "for n in $(seq 1200); do test -e began && break; sleep 0.05; done; "
        f"hourmark role policy delete --app-token {world.issuer.admin_key} {role} {lost} >/dev/null; "
        "wait $launcher"
    )
    assert (done.code, done.err) == (0, "")
    before, after = json.loads((tmp_path / "seen").read_text())
    assert set(claims(before)["scope"].split()) == {"data:get@*", "data:put@*"}
    assert claims(after)["scope"] == "data:get@*"
    assert world.is_active(after)


def test_a_role_key_that_is_deleted_leaves_no_token_in_the_file(
    world: World, terminal: Terminal, tmp_path: Path
) -> None:
    key = world.key(world.role("data:get@*"))
    (tmp_path / "inside").write_text(
        """touch began
        for n in $(seq 1200); do test -e "$HOURMARK_TOKEN_FILE" || exit 7; sleep 0.05; done
        """
    )
    done = terminal.run(
        f"hourmark exec --app-token {key.text} -- bash inside & launcher=$!; "
        "for n in $(seq 1200); do test -e began && break; sleep 0.05; done; "
        f"hourmark role key delete --app-token {world.issuer.admin_key} {key.role} {key.access} >/dev/null; "
        "wait $launcher"
    )
    assert (done.code, "There is no token in" in done.err) == (7, True), done.err


def test_what_cannot_be_run(terminal: Terminal, world: World) -> None:
    nothing = terminal.run("hourmark exec")
    assert (nothing.code, "hourmark exec -- env" in nothing.err) == (2, True)
    nobody = terminal.run("hourmark exec -- touch ran")
    assert (nobody.code, "hourmark login" in nobody.err) == (4, True)
    key = world.holder("data:get@*").text
    missing = terminal.run(f"hourmark exec --app-token {key} -- no-such-program")
    assert (missing.code, "no-such-program cannot be run" in missing.err) == (1, True)
    wide = terminal.run(f"hourmark exec --app-token {key} --scope job:get@x -- touch ran")
    assert (wide.code, "hourmark whoami" in wide.err) == (1, True)
    assert terminal.run("test -e ran").code == 1
