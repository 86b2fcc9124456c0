"""Every exit code of `hourmark`, produced for real: by a real issuer, at a screen and where there is none."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from keys import RoleKey
from tests.journeys.client import READ, WRITE, Client
from tests.journeys.conftest import NewDatabase
from tests.journeys.terminal import Screen, Terminal
from tests.running_issuer import BIN, RunningIssuer, clean_environment

CODES = [
    # What is typed, its exit code, and the code of its error with -o json; None where it is an answer.
    ("hourmark whoami", 0, None),
    ("hourmark can $JWT $READ", 0, None),
    ("hourmark role policy test $ROLE $READ", 0, None),
    ("hourmark role get no.such.role", 1, "not_found"),
    ("hourmark role new $ROLE", 1, "conflict"),
    ("hourmark role policy new $ROLE $READ", 1, "conflict"),
    ("hourmark role new x", 1, "invalid_field"),
    ("hourmark role key renew $ROLE hmk_none --grace 99d", 1, "invalid_field"),
    ("hourmark role key renew $ROLE hmk_none", 1, "not_found"),
    ("hourmark login token --resource https://nobody.example", 1, "invalid_target"),
    ("hourmark context use no-such-context", 1, "no_such_context"),
    ("hourmark verify ${JWT%?????}AAAAA", 1, "bad_signature"),
    ("hourmark whoami --colour", 2, "usage"),
    ("hourmark role get", 2, "usage"),
    ("hourmark role get $ROLE --field nonsense", 2, "usage"),
    ("hourmark role key new $ROLE --expires 2020-01-01", 2, "usage"),
    ("hourmark role key new $ROLE --scope nonsense@", 2, "usage"),
    ("hourmark whoami --url http://issuer.example", 2, "insecure_url"),
    ("hourmark login --no-input", 2, "usage"),
    ("CI=true hourmark login", 2, "usage"),
    ("</dev/null hourmark login", 2, "usage"),
    ("HOURMARK_TOKEN= hourmark whoami", 4, "no_credential"),
    ("HOURMARK_TOKEN= hourmark status", 4, "no_credential"),
    ("HOURMARK_TOKEN=$OTHERS_KEY hourmark whoami", 4, "invalid_token"),
    ("HOURMARK_TOKEN=${HOURMARK_TOKEN%?} hourmark whoami", 4, "malformed_credential"),
    ("HOURMARK_TOKEN=$WEAK_KEY hourmark role new org.account.more", 5, "insufficient_scope"),
    ("hourmark can $JWT $WRITE", 5, None),
    ("hourmark role policy test $ROLE $WRITE", 5, None),
    ("hourmark whoami --url $NOBODY", 7, "unreachable"),
    ("hourmark status --url $NOBODY", 7, "unreachable"),
    ("hourmark verify $JWT --url $NOBODY", 7, "unreachable"),
]


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough: an exit code knows nothing of databases."""
    return dict


@pytest.fixture(scope="module")
def variables(issuer: RunningIssuer) -> dict[str, str]:
    """What the lines above name."""
    with Client(issuer) as client, socket.create_server(("127.0.0.1", 0)) as free:
        role = client.new_role(READ)
        weak = client.new_key(role)
        return {
            "HOURMARK_URL": issuer.url,
            "HOURMARK_TOKEN": issuer.admin_key,
            "JWT": client.token(weak),
            "NOBODY": f"http://127.0.0.1:{free.getsockname()[1]}",
            "OTHERS_KEY": RoleKey.generate().reveal(),
            "READ": READ,
            "ROLE": role,
            "WEAK_KEY": weak.reveal(),
            "WRITE": WRITE,
        }


@pytest.fixture(scope="module")
def script(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    with Terminal(tmp_path_factory.mktemp("script"), **variables) as opened:
        yield opened


@pytest.fixture(scope="module")
def screen(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    with Screen(tmp_path_factory.mktemp("screen"), **variables) as opened:
        yield opened


@pytest.mark.parametrize(("line", "code", "error"), CODES)
def test_where_there_is_no_terminal(script: Terminal, line: str, code: int, error: str | None) -> None:
    done = script.run(line)
    assert done.code == code, done.err
    assert (done.err.startswith("Error: "), "\n  try: " in done.err) == (error is not None,) * 2
    in_json = script.run(f"{line} -o json")
    assert in_json.code == code
    if error is None:
        json.loads(in_json.out)
    else:
        said = json.loads(in_json.err)
        assert (said["code"], list(said)) == (error, ["error", "code", "hint", "request_id"])
        assert said["hint"], "an error says what helps"


@pytest.mark.parametrize(("line", "code", "error"), CODES)
def test_on_a_screen(screen: Screen, line: str, code: int, error: str | None) -> None:
    done = screen.run(line)
    assert done.code == code, done.shown
    assert ("Error: " in done.shown) == (error is not None)
    assert "Traceback" not in done.shown
    assert "\x1b" not in done.shown, "no colour, with NO_COLOR or without"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("hourmark login --no-input", "--no-input forbids to ask"),
        ("CI=1 hourmark login", "CI is set, so nobody is asked"),
        ("CI=1 hourmark login </dev/null", "CI is set, so nobody is asked"),
        ("hourmark login </dev/null", "there is no terminal to ask on"),
    ],
)
def test_why_nobody_is_asked(screen: Screen, line: str, why: str) -> None:
    assert f"  why: {why}\n" in screen.run(line).shown


@pytest.mark.parametrize("keys", ["\x03", "\x04"])
def test_interrupted_at_the_prompt(screen: Screen, keys: str) -> None:
    screen.type("hourmark login\n")
    screen.until("Choose")
    screen.type("3\n")
    screen.until("Role key: ")
    screen.type(keys)
    done = screen.ends()
    assert (done.code, "Interrupted" in done.shown, "Traceback" in done.shown) == (130, True, False)


@pytest.mark.parametrize("form", [[], ["-o", "json"]])
def test_interrupted_while_the_issuer_is_silent(form: list[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        child = subprocess.Popen(
            [BIN / "hourmark", "whoami", *form],
            env=clean_environment(
                XDG_CONFIG_HOME=str(tmp_path),
                HOURMARK_URL=f"http://127.0.0.1:{silent.getsockname()[1]}",
                HOURMARK_TOKEN=RoleKey.generate().reveal(),
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()
        with connection:
            connection.recv(1)  # from now on it waits for the answer
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=30)
    assert (child.returncode, out) == (130, "")
    if form:
        assert json.loads(err)["code"] == "interrupted"
    else:
        assert err == "Error: Interrupted\n"


def test_a_reader_that_has_seen_enough(script: Terminal) -> None:
    for number in range(3):
        script(f"hourmark role new org.account.many-{number}")
    done = script.run("hourmark role list --field name | head -1; echo ${PIPESTATUS[1]}")
    assert (done.code, len(done.out.splitlines()), done.err) == (0, 2, "")


def test_a_full_disk(script: Terminal) -> None:
    done = script.run("hourmark whoami -o json >/dev/full")
    assert (done.code, json.loads(done.err)["code"]) == (1, "output_not_written")
