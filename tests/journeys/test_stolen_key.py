"""A signing key is declared stolen: one command, and nobody accepts what it signed."""

from __future__ import annotations

import json
import time

import pytest

from keys import RoleKey
from tests.issuer.cli.command import Done, in_a_process
from tests.journeys.client import SERVICES, Client, seconds_until, verdict
from tests.journeys.conftest import Measured
from tests.running_issuer import RunningIssuer
from verifier import Verifier

PROMISED = 5.0
"""Seconds until every process of the issuer, and every verifier that can wait for news, knows."""


def operator(issuer: RunningIssuer, command: str) -> Done:
    return in_a_process(command, issuer.log.parent, **issuer.settings)


def kid_of(issuer: RunningIssuer, phase: str) -> str:
    """Of the key that is `phase`: housekeeping makes the next one a second after the start."""

    def found() -> list[str]:
        keys = json.loads(operator(issuer, "keys list -o json").out)
        return [key["kid"] for key in keys if key["phase"] == phase]

    seconds_until(lambda: found() != [])
    return found()[0]


def published(client: Client) -> set[str]:
    return {
        key["kid"] for key in client.ask("GET", "/.well-known/jwks.json").raise_for_status().json()["keys"]
    }


def seconds_until_good(verifier: Verifier, client: Client, key: RoleKey) -> float:
    """Until a new token of the role key passes."""
    return seconds_until(lambda: verdict(verifier, client.token(key)) == "good")


@pytest.mark.parametrize("phase", ["current", "next"])
def test_a_stolen_key_is_refused_everywhere_and_work_goes_on(
    issuer: RunningIssuer, here: Client, there: Client, measured: Measured, phase: str
) -> None:
    key = here.new_key(here.new_role())
    stolen = kid_of(issuer, phase)
    before = here.token(key)
    with Verifier(issuer.settings["HOURMARKD_ISSUER"], SERVICES) as verifier:
        assert verdict(verifier, before) == "good"
        assert stolen in verifier.trust.keys
        typed_at = time.monotonic()
        done = operator(issuer, f"keys revoke --yes -o json -- {stolen}")
        assert (done.code, done.err) == (0, "")
        # The verifier's JWKS is good for minutes more; it is the list's new signer that tells it.
        assert seconds_until(lambda: stolen not in verifier.trust.keys) < PROMISED
        measured(
            f"{phase} key: from typing the command until a verifier forgets it", time.monotonic() - typed_at
        )
        assert verdict(verifier, before) == ("unknown_key" if phase == "current" else "good")
        # Whatever process issues it, a new token is good: at both, by another key.
        for client in (here, there):
            assert seconds_until_good(verifier, client, key) < PROMISED
            assert stolen not in published(client)
    said = json.loads(done.out)
    assert published(here) == published(there) >= {said["current"], said["next"]}
    # The issuer's own API refuses the old token as well.
    old = here.ask("GET", "/v1/me", headers={"Authorization": f"Bearer {before}"})
    assert (old.status_code == 401) == (phase == "current")
