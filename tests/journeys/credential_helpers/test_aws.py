"""Keys of AWS for a token: by our own command, and by AWS's library as every tool of AWS has it."""

from __future__ import annotations

from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from tests.clients import claims
from tests.issuer.http.world import OTHER, World
from tests.journeys.credential_helpers.serving import served
from tests.journeys.terminal import Terminal
from tests.running_issuer import BIN

ARN = "arn:aws:iam::123456789012:role/reader"
SHOWS = f"""{BIN / "python"} -c '
from botocore.session import Session
keys = Session().get_credentials().get_frozen_credentials()
print(keys.access_key, keys.secret_key, keys.token)
'"""
"""What AWS's library finds by itself."""


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


def test_keys_for_a_token(world: World, terminal: Terminal) -> None:
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


def test_a_process_that_awss_library_starts(world: World, terminal: Terminal, tmp_path: Path) -> None:
    asked: list[dict[str, str]] = []
    with served(partial(Sts, world=world, asked=asked)) as host:
        (tmp_path / "config").write_text(
            f"[default]\ncredential_process = hourmark credential aws --resource {OTHER} --role-arn {ARN}"
            f" --sts-endpoint http://{host}\n"
        )
        assert terminal(f"AWS_CONFIG_FILE=config {SHOWS}") == "ASIA1 hidden session\n"
    assert [claims(each["WebIdentityToken"])["aud"] for each in asked] == [OTHER]


CONFIG = """
[profile other]
role_arn = arn:aws:iam::123456789012:role/other
source_profile = long-lived

[profile long-lived]
aws_access_key_id = AKIA1
aws_secret_access_key = other
"""


@pytest.mark.parametrize(
    "before",
    [
        "",
        "AWS_PROFILE=other",
        "AWS_DEFAULT_PROFILE=other",
        "AWS_ACCESS_KEY_ID=AKIA1 AWS_SECRET_ACCESS_KEY=other AWS_SESSION_TOKEN=x AWS_SECURITY_TOKEN=x",
    ],
    ids=["nothing", "profile", "default profile", "keys"],
)
def test_a_file_that_awss_library_reads(
    world: World, terminal: Terminal, tmp_path: Path, before: str
) -> None:
    """Whatever the starter's own tools of AWS are set up for."""
    (tmp_path / "config").write_text(CONFIG)
    asked: list[dict[str, str]] = []
    with served(partial(Sts, world=world, asked=asked)) as host:
        found = f"AWS_ENDPOINT_URL_STS=http://{host} AWS_REGION=eu-central-1 {SHOWS}"
        line = f"hourmark exec --resource {OTHER} --aws-role-arn {ARN} -- env {found}"
        assert terminal(f"AWS_CONFIG_FILE=config {before} {line}") == "ASIA1 hidden session\n"
    assert [claims(each["WebIdentityToken"])["aud"] for each in asked] == [OTHER]
    assert [each["RoleArn"] for each in asked] == [ARN]
