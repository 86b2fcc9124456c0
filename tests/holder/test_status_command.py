"""`hourmark status`: what counts, what it hides, and who that is at the issuer."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml

from tests.holder.conftest import Hourmark
from tests.holder.issuer_double import IssuerDouble

ROLE = "role:org.account.admin"


@pytest.fixture
def nobody() -> str:
    """A URL where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_signed_in(hourmark: Hourmark, issuer: IssuerDouble, home: Path) -> None:
    key = issuer.add_key()
    assert hourmark("login", "--url", issuer.url, "--api-token", key.reveal()).code == 0
    done = hourmark("status")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"issuer:     {issuer.url}, profile default, answers",
        "context:    default, default",
        f"credential: profile default, {key.access}:********",
        f"kept in:    {home / 'config' / 'hourmark' / 'profiles' / 'default.json'}",
        f"principal:  {ROLE}",
        "scope:      *",
    ]
    assert hourmark("status", "--field", "principal").out == f"{ROLE}\n"


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(("ahead", "says"), [(7260, "2 hours behind"), (-7260, "2 hours ahead of")])
@pytest.mark.parametrize("key", ["good", "wrong"])
def test_a_clock_that_is_wrong(
    hourmark: Hourmark, issuer: IssuerDouble, ahead: int, says: str, key: str
) -> None:
    issuer.ahead = ahead
    environ = {} if key == "good" else {"HOURMARK_TOKEN": issuer.mint("org.account.a", "*") + "x"}
    shown = hourmark("status", **environ)
    assert f"clock:      {says} the issuer's: set it" in shown.out.splitlines(), shown.out
    assert hourmark("status", "-o", "json", **environ).json["clock_ahead_seconds"] == pytest.approx(
        -ahead, abs=30
    )
    issuer.ahead = 0
    right = hourmark("status", "-o", "json")
    assert (right.json["clock_ahead_seconds"], "clock:" in hourmark("status").out) == (None, False)


def test_what_the_one_that_counts_hides(hourmark: Hourmark, issuer: IssuerDouble, home: Path) -> None:
    kept, in_file = issuer.add_key(), issuer.add_key()
    hourmark("login", "--url", issuer.url, "--api-token", kept.reveal(), "--profile", "mine")
    hourmark("context", "use", "mine")
    (home / "file").write_text(in_file.reveal())
    token = issuer.mint("org.account.a", "*")
    done = hourmark("status", "-o", "json", HOURMARK_TOKEN=token, HOURMARK_TOKEN_FILE=str(home / "file"))
    assert done.code == 0
    assert (done.json["credential"], done.json["api_token"]) == ("HOURMARK_TOKEN", "********")
    assert (done.json["profile"], done.json["profile_source"]) == ("mine", "context use")
    assert done.json["hides"] == [
        {"source": "HOURMARK_TOKEN_FILE", "api_token": f"{in_file.access}:********", "principal": None},
        {"source": "profile mine", "api_token": f"{kept.access}:********", "principal": ROLE},
    ]
    flag = hourmark("status", "--app-token", in_file.reveal(), "-o", "yaml", HOURMARK_TOKEN=token)
    hidden = yaml.safe_load(flag.out)["hides"]
    assert [each["source"] for each in hidden] == ["HOURMARK_TOKEN", "profile mine"]
    assert hidden[0]["principal"] == "role:org.account.a"
    assert not any(secret in done.out + flag.out for secret in (token, kept.secret, in_file.secret))


def test_not_signed_in(hourmark: Hourmark, issuer: IssuerDouble, nobody: str) -> None:
    here = hourmark("status", HOURMARK_URL=issuer.url)
    assert (here.code, f"{issuer.url}, HOURMARK_URL, answers" in here.out) == (4, True)
    assert "  try: hourmark login\n" in here.err
    assert not any("Authorization" in request.headers for request in issuer.requests)
    away = hourmark("status", "-o", "json", HOURMARK_URL=nobody)
    assert (away.code, away.json["issuer_answers"], away.error["code"]) == (4, False, "no_credential")
    nothing = hourmark("status")
    assert (nothing.code, "issuer:     none is named\n" in nothing.out) == (4, True)


def test_a_file_that_can_be_read_once(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    key = issuer.add_key()
    environ = {"HOURMARK_URL": issuer.url, "HOURMARK_TOKEN_FILE": "-"}
    done = hourmark("status", "-o", "json", stdin=key.reveal(), **environ)
    assert (done.code, done.json["api_token"]) == (0, f"{key.access}:********")


def test_refused(hourmark: Hourmark, issuer: IssuerDouble, admin: str) -> None:
    issuer.keys.clear()
    done = hourmark("status", "-o", "json")
    assert (done.code, done.error["code"]) == (4, "invalid_token")
    assert (done.json["issuer_answers"], done.json["credential"]) == (True, "HOURMARK_TOKEN")
    half = hourmark("status", "-o", "json", HOURMARK_TOKEN=admin[:-3])
    assert (half.code, half.error["code"], half.json["api_token"]) == (4, "malformed_credential", "********")


def test_nobody_answers(hourmark: Hourmark, admin: str, nobody: str) -> None:
    done = hourmark("status", "--url", nobody)
    assert (done.code, "does not answer" in done.out, f"curl {nobody}/livez" in done.err) == (7, True, True)
    assert admin.partition(":")[2] not in done.out + done.err


def test_no_issuer_is_named(hourmark: Hourmark, admin: str) -> None:
    done = hourmark("status", "-o", "json", HOURMARK_URL="")
    assert (done.code, done.error["code"], admin in done.out) == (2, "no_issuer", False)
    assert done.json["credential"] == "HOURMARK_TOKEN"


def test_a_broken_profile_is_in_the_way_only_where_it_counts(
    hourmark: Hourmark, admin: str, home: Path
) -> None:
    assert admin
    kept = home / "config" / "hourmark" / "profiles" / "default.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("{")
    beside = hourmark("status")
    assert (beside.code, f"rm {kept}" in beside.err) == (0, True)
    alone = hourmark("status", "-o", "json", HOURMARK_TOKEN="")
    assert (alone.code, alone.error["code"], alone.json["profile"]) == (1, "profile_unreadable", "default")
