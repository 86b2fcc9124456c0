"""A person holds roles: may what they may together, follows what becomes of them, and loses it with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from issuer.settings import Settings
from issuer.setup import open_database, read_key_encryption_key
from issuer.store import principals, role_keys, signing_keys
from issuer.store.secrets import HashKeyInForce
from keys import RoleKey
from tests.journeys.client import READ, SERVICES, WRITE, Client, seconds_until, seconds_until_revoked, verdict
from tests.journeys.conftest import Measured
from tests.running_issuer import RunningIssuer
from verifier import Verifier

PROMISED = 1.0
"""Seconds until every process of the issuer, and every verifier that can wait for news, knows."""
MORE = "data:list@urn:hourmark:data:org.account.workspace"
ACTOR = "user:admin"
NewUsersKey = Callable[[str], RoleKey]


@pytest.fixture
def new_key_of(issuer: RunningIssuer) -> NewUsersKey:
    """Makes a role key of a user in the database itself, as a third process beside the two."""
    given = issuer.settings
    encryption_key = given.get("HOURMARKD_KEY_ENCRYPTION_KEY")
    settings = Settings(
        data_dir=Path(given["HOURMARKD_DATA_DIR"]),
        database_url=SecretStr(given.get("HOURMARKD_DATABASE_URL", "")),
        key_encryption_key=SecretStr(encryption_key) if encryption_key else None,
    )

    def make(user: str) -> RoleKey:
        made = RoleKey.generate()
        with closing(open_database(settings)) as database:
            with database.read() as session:
                hash_keys = signing_keys.open_hash_keys(session, read_key_encryption_key(settings))
            newest = max(hash_keys)
            with database.write(actor=ACTOR, now=int(time.time())) as tx:
                role_keys.create(
                    tx,
                    principals.get(tx.session, f"user:{user}"),
                    made,
                    HashKeyInForce(newest, hash_keys[newest]),
                    name="story",
                    scope=None,
                    expires_at=None,
                )
        return made

    return make


def may(client: Client, key: RoleKey) -> set[str]:
    """The permissions of a token that is issued now."""
    return set(client.exchange(key).raise_for_status().json()["scope"].split())


def test_a_user_may_what_the_roles_together_may(
    here: Client, there: Client, new_key_of: NewUsersKey, measured: Measured
) -> None:
    reader, writer, unrelated = here.new_role(READ), here.new_role(WRITE), here.new_role(MORE)
    user = here.new_user(reader)
    key = new_key_of(user)
    assert may(here, key) == may(there, key) == {READ}
    with Verifier(here.issuer.url, SERVICES) as verifier:
        before = here.token(key)
        here.give_role(user, writer)
        assert may(here, key) == {READ, WRITE}
        measured("role given here, usable there", took := seconds_until(lambda: WRITE in may(there, key)))
        assert took < PROMISED
        token = verifier.verify(there.token(key))
        assert (token.subject, token.roles) == (f"user:{user}", tuple(sorted([reader, writer])))
        # Within a narrower token the roles are those alone that it carries whole.
        assert verifier.verify(there.token(key, scope=WRITE)).roles == (writer,)
        # What a role gains its holders gain; what was issued before stays as it was, and good.
        here.new_policy(writer, MORE)
        assert may(here, key) == {READ, WRITE, MORE}
        measured("policy added here, usable there", took := seconds_until(lambda: MORE in may(there, key)))
        assert took < PROMISED
        assert verdict(verifier, before) == "good"
        assert str(verifier.verify(before).scope) == READ
    me = there.me(key)
    assert (me["principal"], me["roles"]) == (f"user:{user}", sorted([reader, writer]))
    assert unrelated not in me["roles"]


@pytest.mark.parametrize("what", ["the user's role", "the role's policy", "the role"])
def test_what_is_taken_ends_everywhere(
    here: Client, there: Client, new_key_of: NewUsersKey, measured: Measured, what: str
) -> None:
    reader, writer = here.new_role(READ), here.new_role(MORE)
    policy = here.new_policy(writer, WRITE)
    user, bystander = here.new_user(reader, writer), here.new_user(reader)
    key, key_of_bystander = new_key_of(user), new_key_of(bystander)
    assert may(here, key) == may(there, key) == {READ, WRITE, MORE}
    token, token_of_bystander = there.token(key), there.token(key_of_bystander)
    taken = {
        "the user's role": lambda: here.take_role(user, writer),
        "the role's policy": lambda: here.delete_policy(writer, policy),
        "the role": lambda: here.delete_role(writer),
    }
    left = {READ, MORE} if what == "the role's policy" else {READ}
    with Verifier(here.issuer.url, SERVICES) as verifier:
        verifier.verify(token).require("data:put", "urn:hourmark:data:org.account.workspace")
        taken[what]()
        assert (may(here, key), here.verdict(token)) == (left, "revoked")
        measured(f"{what} taken here, narrower there", took := seconds_until(lambda: may(there, key) == left))
        assert took < PROMISED
        assert seconds_until_revoked(verifier, token) < PROMISED
        assert verdict(verifier, there.token(key)) == "good"
        assert verdict(verifier, token_of_bystander) == "good"
    refused = there.exchange(key, scope=WRITE)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


def test_a_disabled_user_opens_nothing_until_enabled(
    here: Client, there: Client, new_key_of: NewUsersKey, measured: Measured
) -> None:
    role = here.new_role(READ)
    user = here.new_user(role)
    key, key_of_role = new_key_of(user), here.new_key(role)
    assert not there.refuses(key)
    token, token_of_role = there.token(key), there.token(key_of_role)
    with Verifier(here.issuer.url, SERVICES) as verifier:
        assert verdict(verifier, token) == "good"
        here.disable_user(user)
        assert (here.refuses(key), here.verdict(token)) == (True, "revoked")
        measured("user disabled here, refused there", took := there.seconds_until_refused(key))
        assert took < PROMISED
        assert seconds_until_revoked(verifier, token) < PROMISED
        # The role that the user holds, and whoever else has it, goes on.
        assert (there.refuses(key_of_role), verdict(verifier, token_of_role)) == (False, "good")
        here.enable_user(user)
        assert not here.refuses(key)
        assert seconds_until(lambda: not there.refuses(key)) < PROMISED
        assert (verdict(verifier, there.token(key)), verdict(verifier, token)) == ("good", "revoked")


def test_a_deleted_user_is_gone_for_good(here: Client, there: Client, new_key_of: NewUsersKey) -> None:
    user = here.new_user(here.new_role(READ))
    key = new_key_of(user)
    token = there.token(key)
    with Verifier(here.issuer.url, SERVICES) as verifier:
        assert verdict(verifier, token) == "good"
        here.delete_user(user)
        assert (here.refuses(key), here.verdict(token)) == (True, "revoked")
        assert there.seconds_until_refused(key) < PROMISED
        assert seconds_until_revoked(verifier, token) < PROMISED
    again = here.ask("POST", "/v1/users", json={"name": user})
    assert (again.status_code, "never used again" in again.json()["detail"]) == (409, True)


def test_the_first_administrator_holds_roles_as_anybody_does(here: Client, there: Client) -> None:
    key = RoleKey.parse(here.issuer.admin_key)
    role = here.new_role(READ)
    here.give_role("admin", role)
    with Verifier(here.issuer.url, SERVICES) as verifier:
        assert seconds_until(lambda: role in there.me(key)["roles"]) < PROMISED
        token = there.token(key, scope=READ)
        assert verifier.verify(token).roles == (role,)
        here.take_role("admin", role)
        assert seconds_until_revoked(verifier, token) < PROMISED
        # An administrator's own policy is left, and with it the right without the role.
        assert seconds_until(lambda: there.me(key)["roles"] == []) < PROMISED
        own = verifier.verify(there.token(key, scope=READ))
        assert (own.roles, str(own.scope)) == ((), READ)
