"""Other tools with fresh tokens: real git at a server that wants one, kubectl's plugin, AWS's process."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl

import pytest

from tests.clients import claims
from tests.issuer.http.world import OTHER, World, open_world
from tests.journeys.terminal import Terminal

ARN = "arn:aws:iam::123456789012:role/reader"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("issuer")) as opened:
        yield opened


@pytest.fixture
def terminal(world: World, tmp_path: Path) -> Iterator[Terminal]:
    key = world.holder("data:get@*").text
    with Terminal(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=key, GIT_TERMINAL_PROMPT="0") as opened:
        yield opened


@contextmanager
def served(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Gives host and port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.05,)).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class Repositories(SimpleHTTPRequestHandler):
    """Bare repositories as files, for whoever has a token of this issuer as the password."""

    def __init__(self, *given: object, world: World, passwords: list[str], **more: str) -> None:
        self._world, self._passwords = world, passwords
        super().__init__(*given, **more)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        header = self.headers.get("Authorization", "").removeprefix("Basic ")
        user, _, password = base64.b64decode(header).decode().partition(":")
        if user == "hourmark" and self._world.is_active(password):
            self._passwords.append(password)
            super().do_GET()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *ignored: object) -> None:
        pass


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With one commit, in a folder that can be served as it is."""
    if shutil.which("git") is None:
        pytest.skip("no git: install it")
    bare, work = tmp_path / "served" / "repository.git", tmp_path / "work"
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "init.defaultBranch=main"]
    for line in (
        [*git, "init", "-q", str(work)],
        [*git, "-C", str(work), "commit", "-q", "--allow-empty", "-m", "first"],
        [*git, "clone", "-q", "--bare", str(work), str(bare)],
        [*git, "-C", str(bare), "update-server-info"],
    ):
        subprocess.run(line, check=True, capture_output=True)
    return bare


def test_git_clones_with_a_fresh_token(world: World, terminal: Terminal, repository: Path) -> None:
    passwords: list[str] = []
    handler = partial(Repositories, world=world, passwords=passwords, directory=str(repository.parent))
    with served(handler) as host, served(handler) as other:
        helper = f"!hourmark credential git --host {host} --scope data:get@x"
        terminal(f"git config --global credential.helper {json.dumps(helper)}")
        terminal(f"git clone -q http://{host}/repository.git cloned")
        terminal("git -C cloned log -1")
        refused = terminal.run(f"git clone -q http://{other}/repository.git elsewhere")
    assert passwords
    assert {claims(each)["scope"] for each in passwords} == {"data:get@x"}
    assert refused.code != 0, "another host gets nothing"
    asked = terminal(f"printf 'protocol=http\\nhost={host}\\n\\n' | git credential fill").split()
    assert asked[2] == "username=hourmark"
    assert claims(asked[3].removeprefix("password="))["scope"] == "data:get@x"


@pytest.mark.parametrize(
    ("operation", "asked", "code", "says"),
    [
        ("get", "protocol=https\\nhost=elsewhere.example\\n", 0, ""),
        ("get", "protocol=https\\nhost=git.example:8443\\n", 0, ""),
        ("get", "protocol=https\\nhost=git.example\\nusername=somebody\\n", 0, ""),
        ("get", "", 0, ""),
        ("store", "protocol=https\\nhost=git.example\\nusername=hourmark\\npassword=x\\n", 0, ""),
        ("erase", "protocol=https\\nhost=git.example\\n", 0, ""),
        ("get", "protocol=http\\nhost=git.example\\n", 1, "others could read it"),
    ],
)
def test_what_git_is_not_given(terminal: Terminal, operation: str, asked: str, code: int, says: str) -> None:
    done = terminal.run(f"printf '{asked}' | hourmark credential git --host git.example {operation}")
    assert (done.code, done.out, says in done.err) == (code, "", True)


def test_kubectl_gets_an_exec_credential(terminal: Terminal) -> None:
    info = '{"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential", "spec": {}}'
    for given, version in (("", "v1"), (f"KUBERNETES_EXEC_INFO='{info}' ", "v1beta1")):
        made = terminal.json(f"{given}hourmark credential kubernetes --resource {OTHER}")
        assert (made["apiVersion"], made["kind"]) == (
            f"client.authentication.k8s.io/{version}",
            "ExecCredential",
        )
        said = claims(made["status"]["token"])
        ends_at = datetime.fromisoformat(made["status"]["expirationTimestamp"]).timestamp()
        assert said["aud"] == OTHER
        assert said["iat"] < ends_at < said["exp"], "it is asked for the next one while this one is good"


@pytest.mark.parametrize(
    "info", ["nonsense", '{"apiVersion": "client.authentication.k8s.io/v1alpha1"}', '{"kind": "x"}']
)
def test_what_is_no_question_of_kubectl(terminal: Terminal, info: str) -> None:
    done = terminal.run(f"KUBERNETES_EXEC_INFO='{info}' hourmark credential kubernetes")
    assert (done.code, done.out, "client.authentication.k8s.io/v1" in done.err) == (2, "", True)


class Sts(BaseHTTPRequestHandler):
    """Speaks as AWS's token service does, for tokens of one issuer."""

    def __init__(self, *given: object, world: World, asked: list[dict[str, str]]) -> None:
        self._world, self._asked = world, asked
        super().__init__(*given)  # type: ignore[arg-type]

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self._asked.append(form)
        if self.path == "/moved":
            self._answer(307, "", Location="/")
        elif self.path == "/strange":
            self._answer(200, '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
        elif form["RoleArn"] != ARN or not self._world.is_active(form["WebIdentityToken"]):
            self._answer(
                403,
                '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
                "<Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRole</Message>"
                "</Error></ErrorResponse>",
            )
        else:
            self._answer(
                200,
                '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
                "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA1</AccessKeyId>"
                "<SecretAccessKey>hidden</SecretAccessKey><SessionToken>session</SessionToken>"
                "<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>"
                "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
            )

    def _answer(self, status: int, text: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *ignored: object) -> None:
        pass


def test_aws_gets_keys_for_a_token(world: World, terminal: Terminal) -> None:
    asked: list[dict[str, str]] = []
    with served(partial(Sts, world=world, asked=asked)) as host:
        line = f"hourmark credential aws --resource {OTHER} --sts-endpoint http://{host}"
        assert terminal.json(f"{line} --role-arn {ARN} --duration 15m") == {
            "Version": 1,
            "AccessKeyId": "ASIA1",
            "SecretAccessKey": "hidden",
            "SessionToken": "session",
            "Expiration": "2030-01-01T00:00:00Z",
        }
        (form,) = asked
        assert claims(form.pop("WebIdentityToken"))["aud"] == OTHER
        assert form == {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": ARN,
            "RoleSessionName": "hourmark",
            "DurationSeconds": "900",
        }
        refused = terminal.run(f"{line} --role-arn {ARN}s")
        assert (refused.code, "AccessDenied: Not authorized" in refused.err) == (5, True)
        strange = terminal.run(f"{line}/strange --role-arn {ARN}")
        assert (strange.code, "something else than STS" in strange.err) == (7, True)
        asked.clear()
        moved = terminal.run(f"{line}/moved --role-arn {ARN}")
        assert (moved.code, len(asked)) == (1, 1), "no redirect is followed"
    gone = terminal.run(f"{line} --role-arn {ARN}")
    assert (gone.code, "--sts-endpoint" in gone.err) == (7, True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (f"--role-arn {ARN} --sts-endpoint http://sts.example", "https"),
        ("--role-arn reader --sts-endpoint https://sts.example", "--role-arn"),
        (f"--role-arn {ARN} --sts-endpoint https://sts.example --duration long", "--duration"),
        (f"--role-arn {ARN}", "--sts-endpoint"),
    ],
)
def test_what_aws_cannot_be_asked(terminal: Terminal, options: str, says: str) -> None:
    done = terminal.run(f"hourmark credential aws {options}")
    assert (done.code, done.out, says in done.err) == (2, "", True)
