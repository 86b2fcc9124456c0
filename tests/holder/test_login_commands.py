"""Signing in and out, and the token for whoever wants one."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from keys import RoleKey
from tests.holder.conftest import Hourmark
from tests.holder.issuer_double import SERVICES, IssuerDouble

ROLE = "org.account.admin"


def test_signing_in_keeps_the_key_where_nobody_else_can_read_it(
    hourmark: Hourmark, issuer: IssuerDouble, home: Path
) -> None:
    key = issuer.add_key().reveal()
    done = hourmark("login", "--url", issuer.url + "/", "--token-file", "-", stdin=key + "\n")
    assert (done.code, done.out) == (0, "")
    assert f"Signed in as role:{ROLE} in {issuer.url.removeprefix('http://')}\n" in done.err
    kept = home / "config" / "hourmark" / "profiles" / "default.json"
    assert str(kept) in done.err
    assert json.loads(kept.read_text()) == {"url": issuer.url, "token": key, "principal": f"role:{ROLE}"}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in kept.parents[:2]] == [0o700, 0o700]
    assert [path.name for path in kept.parent.iterdir()] == ["default.json"]
    assert hourmark("whoami", "--field", "principal").out == f"role:{ROLE}\n"


@pytest.mark.parametrize("how", ["flag", "file", "stdin"])
def test_three_ways_to_hand_over_a_key(
    hourmark: Hourmark, issuer: IssuerDouble, home: Path, how: str
) -> None:
    key = issuer.add_key().reveal()
    (home / "key").write_text(key)
    arguments = {
        "flag": ["--api-token", key],
        "file": ["--token-file", str(home / "key")],
        "stdin": ["--token-file", "-"],
    }[how]
    assert hourmark("login", *arguments, stdin=key, HOURMARK_URL=issuer.url).code == 0


def wrong_last_character(key: str) -> str:
    return key[:-1] + ("0" if key[-1] != "0" else "1")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (wrong_last_character, "a character was mistyped"),
        (lambda key: key[:-3], "3 missing"),
        (lambda _: "password", "looks like hmk_"),
        (lambda _: "", "looks like hmk_"),
    ],
)
def test_a_typing_error_is_told_without_a_request(
    hourmark: Hourmark, issuer: IssuerDouble, spoil: Any, why: str
) -> None:
    key = issuer.add_key().reveal()
    done = hourmark("login", "--url", issuer.url, "--api-token", spoil(key))
    assert (done.code, why in done.err, issuer.requests) == (4, True, [])
    assert key.partition(":")[2][:20] not in done.err


def test_a_key_that_the_issuer_does_not_know_is_not_kept(
    hourmark: Hourmark, issuer: IssuerDouble, home: Path
) -> None:
    done = hourmark("login", "--url", issuer.url, "--api-token", RoleKey.generate().reveal(), "-o", "json")
    assert (done.code, done.out, done.error["code"]) == (4, "", "invalid_token")
    assert done.error["request_id"] == "req-1"
    assert not (home / "config").exists()


def test_without_a_terminal_and_options_it_says_what_there_is(hourmark: Hourmark) -> None:
    done = hourmark("login")
    assert done.code == 2
    assert all(option in done.err for option in ("--url", "--token-file", "--api-token"))


def test_usage_of_login(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    key = issuer.add_key().reveal()
    token = issuer.mint(ROLE, "*")
    assert hourmark("login", "--api-token", key).code == 2
    assert hourmark("login", "--url", issuer.url, "--api-token", key, "--token-file", "-").code == 2
    assert hourmark("login", "--api-token", key, "token").code == 2
    refused = hourmark("login", "--url", issuer.url, "--api-token", token)
    assert (refused.code, "HOURMARK_TOKEN" in refused.err) == (2, True)


def test_profiles_are_apart_and_a_key_goes_to_its_own_issuer_alone(
    hourmark: Hourmark, issuer: IssuerDouble
) -> None:
    key = issuer.add_key().reveal()
    assert hourmark("login", "--url", issuer.url, "--api-token", key, "--profile", "one").code == 0
    assert hourmark("whoami", "--profile", "one").code == 0
    assert hourmark("whoami", HOURMARK_PROFILE="one").code == 0
    assert hourmark("--profile", "one", "whoami").code == 0
    assert hourmark("whoami").code == 4
    before = len(issuer.requests)
    other = hourmark("whoami", "--profile", "one", "--url", issuer.url.replace("127.0.0.1", "localhost"))
    assert (other.code, len(issuer.requests)) == (4, before)
    assert hourmark("whoami", "--profile", "../one").code == 2


def test_signing_out_says_what_lives_on(hourmark: Hourmark, issuer: IssuerDouble, home: Path) -> None:
    key = issuer.add_key()
    hourmark("login", "--url", issuer.url, "--api-token", key.reveal())
    done = hourmark("logout", "--profile", "default", HOURMARK_TOKEN=key.reveal())
    assert (done.code, done.out) == (0, "")
    assert f"hourmark role key delete {ROLE} {key.access}" in done.err
    assert "HOURMARK_TOKEN is set and still counts" in done.err
    kept = home / "config" / "hourmark" / "profiles" / "default.json"
    assert json.loads(kept.read_text()) == {"url": issuer.url}
    assert hourmark("whoami").code == 4
    again = hourmark("logout")
    assert (again.code, "You are not signed in" in again.err) == (4, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOURMARK_TOKEN", RoleKey.generate().reveal()),
        ("HOURMARK_TOKEN", "broken"),
        ("HOURMARK_TOKEN_FILE", "/none"),
        ("HOURMARK_TOKEN_SOCKET", "/none"),
    ],
    ids=["role key", "broken", "file", "socket"],
)
def test_what_does_not_count_is_not_signed_out(
    hourmark: Hourmark, issuer: IssuerDouble, home: Path, name: str, value: str
) -> None:
    hourmark("login", "--url", issuer.url, "--api-token", issuer.add_key().reveal())
    kept = home / "config" / "hourmark" / "profiles" / "default.json"
    before = kept.read_text()
    done = hourmark("logout", **{name: value})
    assert (done.code, done.out, kept.read_text()) == (2, "", before)
    assert f"credential from {name} counts" in done.err
    assert "hourmark logout --profile NAME" in done.err


def test_a_token_is_bare_and_for_whom_it_was_asked(
    hourmark: Hourmark, issuer: IssuerDouble, admin: str
) -> None:
    done = hourmark("login", "token")
    assert (done.code, done.err) == (0, "")
    assert done.out.strip() in issuer.tokens
    assert issuer.requests[-1].form == {"grant_type": "client_credentials"}
    assert admin not in str(issuer.requests[-1].headers)
    assert hourmark("login", "token", "--resource", "urn:x", "--scope", "data:get@a").err == ""
    form = issuer.requests[-1].form
    assert (form["resource"], form["scope"]) == ("urn:x", "data:get@a")
    whole = hourmark("login", "token", "-o", "json").json
    assert set(whole) == {"access_token", "token_type", "expires_in", "scope"}
    assert hourmark("login", "token", "-H", "-o", "json").code == 2


def test_what_was_granted_is_said_when_it_is_less(hourmark: Hourmark, admin: str) -> None:
    assert admin
    less = hourmark("login", "token", "--scope", "data:get@a more:than@held")
    assert (less.code, less.err) == (0, "Granted: data:get@a\n")
    nothing = hourmark("login", "token", "--scope", "nothing:of@it", "-o", "json")
    assert (nothing.code, nothing.error["code"]) == (1, "invalid_scope")


def test_a_token_must_live_long_enough(hourmark: Hourmark, issuer: IssuerDouble, admin: str) -> None:
    assert admin
    issuer.lifetime = 60
    assert hourmark("login", "token", "--min-ttl", "60").code == 0
    short = hourmark("login", "token", "--min-ttl", "61", "-o", "json")
    assert (short.code, short.out, short.error["code"]) == (4, "", "ttl_too_short")


def test_a_credential_that_is_a_token_serves_itself(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    token = issuer.mint(ROLE, "data:get@a")
    environ = {"HOURMARK_URL": issuer.url, "HOURMARK_TOKEN": token}
    assert hourmark("login", "token", **environ).out == token + "\n"
    assert hourmark("login", "token", "--resource", SERVICES, **environ).out == token + "\n"
    assert issuer.requests == []
    assert hourmark("login", "token", "--min-ttl", "3601", **environ).code == 4
    for option in ("--resource", "--scope"):
        refused = hourmark("login", "token", option, "urn:x", "-o", "json", **environ)
        assert (refused.code, refused.error["code"]) == (1, "not_a_role_key")
    issuer.lifetime = -60
    dead = issuer.mint(ROLE, "*", issued_at=1)
    assert hourmark("login", "token", HOURMARK_TOKEN=dead).code == 4
