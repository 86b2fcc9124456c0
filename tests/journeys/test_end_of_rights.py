"""What was given is taken away: a key, a role, a permission, a token. What goes with it, and what stays."""

from __future__ import annotations

import httpx
import pytest

from tests.journeys.client import READ, SERVICES, WRITE, Client, seconds_until, seconds_until_revoked, verdict
from tests.journeys.conftest import Measured
from verifier import Verifier

PROMISED = 1.0
"""Seconds until every process of the issuer, and every verifier that can wait for news, knows."""


def test_a_deleted_key_is_gone_for_good(here: Client, there: Client, measured: Measured) -> None:
    role = here.new_role()
    key, sibling = here.new_key(role), here.new_key(role)
    assert not there.refuses(key)
    token, token_of_sibling = there.token(key), there.token(sibling)
    with Verifier(here.issuer.url, SERVICES) as verifier:
        assert verdict(verifier, token) == "good"
        here.delete_key(role, key)
        assert here.refuses(key)
        measured("key deleted here, refused there", took := there.seconds_until_refused(key))
        assert took < PROMISED
        assert seconds_until_revoked(verifier, token) < PROMISED
        assert verdict(verifier, token_of_sibling) == "good"
    # Nothing brings it back: there is no such key to renew, deleting it again changes nothing.
    path = f"/v1/roles/{role}/keys/{key.access}"
    assert here.ask("POST", f"{path}/renew", json={}).status_code == httpx.codes.NOT_FOUND
    assert here.ask("DELETE", path).status_code == httpx.codes.OK
    assert here.refuses(key)
    listed = here.ask("GET", f"/v1/roles/{role}/keys").json()["items"]
    assert [each["access"] for each in listed] == [sibling.access]
    # Nor does a client get to choose the access id of a new one.
    chosen = here.ask("POST", f"/v1/roles/{role}/keys", json={"access": key.access})
    assert chosen.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert not here.refuses(sibling)


def test_a_deleted_role_takes_its_keys_and_tokens_along(
    here: Client, there: Client, measured: Measured
) -> None:
    role = here.new_role()
    keys = [here.new_key(role) for _ in range(3)]
    tokens = [there.token(key) for key in keys]
    bystander = here.new_key(here.new_role())
    with Verifier(here.issuer.url, SERVICES) as verifier:
        assert [verdict(verifier, token) for token in tokens] == ["good"] * 3
        here.delete_role(role)
        assert all(here.refuses(key) for key in keys)
        took = seconds_until(lambda: all(there.refuses(key) for key in keys))
        measured("role deleted here, its keys refused there", took)
        assert took < PROMISED
        assert seconds_until(lambda: {verdict(verifier, token) for token in tokens} == {"revoked"}) < PROMISED
    # Its name is never used again, so no old policy of a service lets somebody else in.
    again = here.ask("POST", "/v1/roles", json={"name": role})
    assert (again.status_code, "never used again" in again.json()["detail"]) == (httpx.codes.CONFLICT, True)
    assert here.ask("GET", f"/v1/roles/{role}").status_code == httpx.codes.NOT_FOUND
    assert here.ask("POST", f"/v1/roles/{role}/keys", json={}).status_code == httpx.codes.NOT_FOUND
    assert not here.refuses(bystander)


def test_a_narrowed_role_loses_its_tokens_and_keeps_its_keys(here: Client, there: Client) -> None:
    role = here.new_role(READ)
    policy = here.new_policy(role, WRITE)
    key = here.new_key(role)
    token = here.token(key)
    with Verifier(here.issuer.url, SERVICES) as verifier:
        verifier.verify(token).require("data:put", "urn:hourmark:data:org.account.workspace")
        here.delete_policy(role, policy)
        # Here at once: who exchanges again gets a token without the permission, and the old one is listed.
        assert here.exchange(key).raise_for_status().json()["scope"] == READ
        assert here.verdict(token) == "revoked"
        assert seconds_until_revoked(verifier, token) < PROMISED
        assert seconds_until(lambda: there.exchange(key).json()["scope"] == READ) < PROMISED
        assert verdict(verifier, there.token(key)) == "good"
    # Asked for by name, it is not there to be granted.
    refused = here.exchange(key, scope=WRITE)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


def test_a_role_without_any_permission_left_has_keys_that_open_nothing(here: Client) -> None:
    role = here.new_role()
    policy = here.new_policy(role, WRITE)
    key = here.new_key(role)
    for each in here.ask("GET", f"/v1/roles/{role}/policies").json()["items"]:
        here.delete_policy(role, each["id"])
    refused = here.exchange(key)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    # The key itself lives on, and is of use again as soon as its role is.
    assert here.new_policy(role, WRITE) != policy
    assert here.exchange(key).raise_for_status().json()["scope"] == WRITE


@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token"])
def test_who_lost_a_token_revokes_it_and_goes_on(here: Client, there: Client, hint: str | None) -> None:
    """RFC 7009: the hint is one, and never decides."""
    role = here.new_role()
    key, stranger = here.new_key(role), here.new_key(role)
    lost = here.token(key)
    form = {"token": lost} | ({} if hint is None else {"token_type_hint": hint})
    with Verifier(here.issuer.url, SERVICES) as verifier:
        # Somebody else's revocation is accepted and does nothing; a wrong secret is refused.
        other = here.ask("POST", "/v1/revoke", data=form, auth=(stranger.access, stranger.secret))
        assert (other.status_code, here.verdict(lost)) == (200, "good")
        wrong = here.ask("POST", "/v1/revoke", data=form, auth=(key.access, stranger.secret))
        assert (wrong.status_code, here.verdict(lost)) == (401, "good")
        # Its own counts at whichever process, and again it is as good as done.
        for client in (there, here):
            done = client.ask("POST", "/v1/revoke", data=form, auth=(key.access, key.secret))
            assert (done.status_code, done.content) == (200, b"")
        assert seconds_until_revoked(verifier, lost) < PROMISED
        assert seconds_until(lambda: verdict(verifier, here.token(key)) == "good") < PROMISED
        assert verdict(verifier, here.token(stranger)) == "good"
