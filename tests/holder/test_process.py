"""`hourmark` as a process: how fast it starts, pipes, terminals, interrupts, secrets in a repr."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from holder import answers, reading
from holder.cli.session import Choices
from holder.credentials import Credential
from holder.profile import Profile
from keys import RoleKey
from tests.holder.conftest import Hourmark
from tests.holder.issuer_double import IssuerDouble

PROGRAM = [sys.executable, "-c", "import sys; from holder.cli import main; sys.exit(main())"]

# The first terminal that the leader of a session opens becomes the one that Ctrl-C comes from.
ON_ITS_TERMINAL = [*PROGRAM[:2], "import os; os.close(os.open(os.ttyname(0), os.O_RDWR)); " + PROGRAM[2]]


def test_starting_brings_nothing_heavy_along() -> None:
    heavy = "{'httpx', 'verifier', 'keys', 'cryptography', 'yaml', 'rich', 'platformdirs', 'issuer'}"
    program = f"import sys, holder.cli.program; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    "line", ["--help", "role --help", "role key list --help", "context list --field name"]
)
def test_nor_does_what_needs_no_issuer(line: str) -> None:
    heavy = "{'httpx', 'verifier', 'cryptography', 'yaml', 'rich', 'pydantic', 'issuer'}"
    program = f"import sys; from holder.cli import main; main(); print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program, *line.split()], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == ""


def test_nor_does_a_request_what_draws_on_screens(admin: str) -> None:
    assert admin
    heavy = "{'httpx', 'httpx._main', 'rich', 'pygments', 'click'}"
    program = "import sys; from holder.cli import main; main(); "
    program += f"print(*sorted(name for name in {heavy} if sys.modules.get(name)))"
    done = subprocess.run(
        [sys.executable, "-c", program, "whoami"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "httpx"


def test_help_and_version(hourmark: Hourmark) -> None:
    assert hourmark() == hourmark("--help")
    shown = hourmark("--version")
    assert (shown.code, shown.out.startswith("hourmark 0.")) == (0, True)
    assert "--field" in hourmark("role", "key", "new", "--help").out


def test_a_reader_that_left_is_no_traceback(issuer: IssuerDouble, admin: str) -> None:
    assert admin
    issuer.roles = {f"r{n}": {"name": f"r{n}" * 999, "created_at": "", "created_by": ""} for n in range(60)}
    with subprocess.Popen(
        [*PROGRAM, "role", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert (child.stderr.read(), child.wait()) == (b"", 1)


@pytest.mark.parametrize(("typed", "code"), [(None, 0), ("\x03", 130), ("\x04", 130)])
def test_on_a_terminal_it_asks_and_shows_nothing(
    issuer: IssuerDouble, home: Path, typed: str | None, code: int
) -> None:
    key = issuer.add_key().reveal()
    leader, follower = pty.openpty()
    child = subprocess.Popen(
        [*ON_ITS_TERMINAL, "login", "--url", issuer.url],
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=follower,
        start_new_session=True,
        env={**os.environ, "HOURMARK_PROFILE": "asked"},
    )
    os.close(follower)
    seen = b""
    for asked, answer in ((b"Choose", b"3\n"), (b"Role key: ", b"")):
        while asked not in seen:  # the last space comes when nothing is echoed any more
            seen += os.read(leader, 1024)
        os.write(leader, answer)
    os.write(leader, (key + "\n" if typed is None else typed).encode())
    out, _ = child.communicate(timeout=30)
    try:
        while more := os.read(leader, 1024):
            seen += more
    except OSError:  # Linux's way to say that the other end is closed
        pass
    finally:
        os.close(leader)
    assert (child.returncode, out) == (code, b"")
    assert key.encode() not in seen
    assert (home / "config" / "hourmark" / "profiles" / "asked.json").exists() is (code == 0)


@pytest.mark.parametrize(
    ("line", "code"),
    [("login", 2), ("login --token-file -", 4), ("verify", 1), ("status", 4), ("whoami --colour", 2)],
)
def test_streams_that_are_closed(issuer: IssuerDouble, line: str, code: int) -> None:
    environ = {**os.environ, "HOURMARK_URL": issuer.url}
    command = ["bash", "-c", 'exec "$@" <&-', "bash", *PROGRAM, *line.split()]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.startswith("Error: ")) == (code, True)


def test_interrupted_before_it_has_even_loaded() -> None:
    program = """
import sys
class Interrupts:
    def find_spec(self, name, path, target=None):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupts())
"""
    done = subprocess.run([*PROGRAM[:2], program + PROGRAM[2], "whoami"], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


@pytest.mark.parametrize(("options", "environ"), [(["--no-input"], {}), ([], {"CI": "true"})])
def test_it_does_not_ask_where_nobody_wants_it(
    issuer: IssuerDouble, options: list[str], environ: dict[str, str]
) -> None:
    leader, follower = pty.openpty()
    done = subprocess.run(
        [*PROGRAM, *options, "login", "--url", issuer.url],
        stdin=follower,
        stderr=follower,
        stdout=subprocess.PIPE,
        env={**os.environ, **environ},
        check=False,
        timeout=30,
    )
    os.close(follower)
    os.close(leader)
    assert done.returncode == 2


def test_no_repr_shows_a_secret() -> None:
    key = RoleKey.generate()
    made = {"role": "r", "created_at": "", "created_by": ""}
    values = [
        Credential.parse(key.reveal(), "test"),
        Profile("p", token=key.reveal()),
        Choices(app_token=key.reveal()),
        reading.read(answers.NewRoleKey, {"access": key.access, "secret": key.secret, **made}),
    ]
    assert not any(key.secret in repr(value) for value in values)
