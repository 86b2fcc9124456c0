"""The first quarter of an hour with Hourmark, typed in bash."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.client import READ, SERVICES
from tests.journeys.terminal import Terminal
from tests.running_issuer import RunningIssuer

NEW_KEY = 'hourmark role key new org.account.token --format text --format-template "{{.Access}}:{{.Secret}}"'


def test_from_login_to_a_token_that_is_judged_offline(
    issuer: RunningIssuer, terminal: Terminal, tmp_path: Path
) -> None:
    # An administrator signs in. From here on the profile is the credential: no variable holds one.
    terminal(f"hourmark login --api-token {issuer.admin_key}")
    (profile,) = (tmp_path / "config").rglob("*.json")
    assert profile.stat().st_mode & 0o777 == 0o600
    assert "user:admin" in terminal("hourmark whoami")

    # A role, what it may do, and a key for it, caught in a variable of the shell.
    terminal("hourmark role new org.account.token")
    terminal(f'hourmark role policy new org.account.token "{READ}"')
    terminal(f"TOKEN=$({NEW_KEY})")
    access, _, secret = terminal("echo $TOKEN").strip().partition(":")
    assert access.startswith("hmk_")
    assert len(secret) == 38

    # The key alone says who it is, in two ways.
    me = terminal.json('curl -H "Authorization: Bearer $TOKEN" $HOURMARK_URL/v1/me')
    expected = ("role:org.account.token", ["org.account.token"], READ)
    assert (me["principal"], me["roles"], me["scope"]) == expected
    assert "role:org.account.token" in terminal("HOURMARK_TOKEN=$TOKEN hourmark whoami")

    # It becomes a token that lives for an hour.
    issued = terminal.json('curl -u "$TOKEN" -d grant_type=client_credentials $HOURMARK_URL/v1/token')
    assert (issued["token_type"], issued["expires_in"], issued["scope"]) == ("Bearer", 3600, READ)

    # So does what is signed in, and curl takes it as a header.
    me = terminal.json('curl -H "$(hourmark login token -H)" $HOURMARK_URL/v1/me')
    assert (me["principal"], me["audience"]) == ("user:admin", [SERVICES])

    # Anybody can judge the token, and what it allows, with the issuer's public documents alone.
    terminal(f"JWT={issued['access_token']}")
    terminal("hourmark logout")
    claims = terminal.json("hourmark verify $JWT -o json")
    assert (claims["iss"], claims["sub"]) == (issuer.url, "role:org.account.token")
    assert (claims["client_id"], claims["scope"]) == (access, READ)
    assert "role:org.account.token" in terminal("echo $JWT | hourmark verify - 2>&1")
    assert terminal(f'hourmark can $JWT "{READ}"').startswith("yes")
    other = terminal.run('hourmark can $JWT "data:get@urn:hourmark:data:org.account.other"')
    assert (other.code, other.out.split(":")[0]) == (5, "no")
    changed = terminal.run("hourmark verify ${JWT%?????}AAAAA")
    assert (changed.code, "bad_signature" in changed.err) == (1, True)

    # Who has signed out is told so, and how to sign in again.
    alone = terminal.run("hourmark whoami")
    assert (alone.code, alone.out, "hourmark login" in alone.err) == (4, "", True)


def test_a_key_is_renewed_and_deleted_from_the_command_line(
    issuer: RunningIssuer, terminal: Terminal
) -> None:
    # A job's script has HOURMARK_TOKEN and nothing else.
    terminal(f"export HOURMARK_TOKEN={issuer.admin_key}")
    terminal("hourmark role new org.account.renewed")
    terminal(f'hourmark role policy new org.account.renewed "{READ}"')
    template = '--format text --format-template "{{.Access}}:{{.Secret}}"'
    terminal(f"OLD=$(hourmark role key new org.account.renewed {template})")
    terminal("JWT=$(hourmark login token --app-token $OLD)")
    terminal("hourmark verify $JWT")

    # Renewed: the access id stays, the old secret and its tokens are over.
    terminal(f"NEW=$(hourmark role key renew org.account.renewed ${{OLD%%:*}} {template})")
    assert terminal("[ ${OLD%%:*} = ${NEW%%:*} ] && [ $OLD != $NEW ] && echo renewed") == "renewed\n"
    assert terminal.run("hourmark whoami --app-token $OLD").code == 4
    assert "revoked" in terminal.run("hourmark verify $JWT").err
    assert "role:org.account.renewed" in terminal("hourmark whoami --app-token $NEW")

    # Deleted: no name comes back.
    terminal("hourmark role delete org.account.renewed")
    assert terminal.run("hourmark whoami --app-token $NEW").code == 4
    again = terminal.run("hourmark role new org.account.renewed")
    assert (again.code, "never used again" in again.err) == (1, True)
