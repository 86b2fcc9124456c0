"""An hour at a screen with two issuers' contexts: TAB, sign-in by pasting, and what `status` tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.client import READ, Client
from tests.journeys.conftest import NewDatabase
from tests.journeys.terminal import Screen
from tests.running_issuer import RunningIssuer


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough: a screen knows nothing of databases."""
    return dict


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    with Screen(tmp_path) as opened:
        yield opened


def test_contexts_from_pasting_to_status(issuer: RunningIssuer, screen: Screen) -> None:
    with Client(issuer) as client:
        role = client.new_role(READ)
        key = client.new_key(role)

    # Two sign-ins, pasted where nobody can look over a shoulder.
    for name, secret in (("admin", issuer.admin_key), ("reader", key.reveal())):
        screen.type(f"hourmark login --url {issuer.url} --profile {name}\n")
        assert "sign in with the browser" in screen.until("Choose")
        screen.type("3\n")
        assert "Paste a role key" in screen.until("Role key: ")
        screen.type(secret + "\n")
        done = screen.ends()
        assert (done.code, secret in done.shown) == (0, False)
        assert f"hourmark context use {name}" in done.shown

    # The second one is chosen with TAB, which knows commands and contexts.
    assert screen.run("source <(hourmark completion bash)").code == 0
    screen.type("hourmark cont\t")
    screen.until("hourmark context ")
    screen.type("use rea\t")
    screen.until("use reader ")
    screen.type("\n")
    assert screen.ends().code == 0

    # Who that is; and with a variable, who it would be otherwise.
    status = screen.run("hourmark status")
    assert (status.code, f"role:{role}" in status.shown, key.secret in status.shown) == (0, True, False)
    screen.run(f"export HOURMARK_TOKEN={issuer.admin_key}")
    status = screen.run("hourmark status")
    assert "credential: HOURMARK_TOKEN" in status.shown
    assert f"hides:      profile reader, {key.access}:********, role:{role}" in status.shown
    assert "principal:  user:admin" in status.shown
    screen.run("unset HOURMARK_TOKEN")

    # May the role do it? And once the issuer is gone, what is known is still told.
    assert screen.run(f'hourmark role policy test {role} "{READ}"').code in (0, 5)
    assert screen.run(f'hourmark --profile admin role policy test {role} "{READ}"').code == 0
    missing = screen.run(f'hourmark --profile admin role policy test {role} "{READ}2"')
    assert (missing.code, f"{READ} is for" in missing.shown) == (5, True)
    screen.run(f"export HOURMARK_TOKEN={key.reveal()}")
    nowhere = screen.run("hourmark status --url http://127.0.0.1:9")
    assert (nowhere.code, "does not answer" in nowhere.shown) == (7, True)
