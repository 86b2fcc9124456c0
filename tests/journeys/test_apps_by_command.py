"""Whoever builds an app registers it by the command line, changes it, gives it a new secret, and ends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from keys.signing_key import SigningKey
from tests.journeys.conftest import NewDatabase
from tests.journeys.terminal import Terminal
from tests.running_issuer import RunningIssuer


@pytest.fixture(scope="module")
def new_database() -> NewDatabase:
    """One kind is enough: the command line knows nothing of databases."""
    return dict


@pytest.fixture
def terminal(issuer: RunningIssuer, tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(tmp_path, HOURMARK_URL=issuer.url, HOURMARK_TOKEN=issuer.admin_key) as opened:
        yield opened


def test_the_life_of_an_app(terminal: Terminal) -> None:
    made = terminal.json(
        "hourmark app register my-app --confidential --redirect-uri https://app.example/cb "
        '--scope "data:get@*" --description "For tests" -o json'
    )
    assert made["client_id"].startswith("hma_")
    assert made["client_secret"].startswith("hmx_")
    assert (made["owner"], made["scope"]) == ("user:admin", "data:get@*")
    shown = terminal.json("hourmark app get my-app -o json")
    assert ("client_secret" in shown, shown["redirect_uris"]) == (False, ["https://app.example/cb"])
    assert "my-app" in terminal("hourmark app list --field name").split()
    changed = terminal.json('hourmark app update my-app --scope "data:get@x" -o json')
    assert (changed["scope"], changed["description"]) == ("data:get@x", "For tests")
    assert terminal("hourmark app secret my-app --field client_secret").strip() != made["client_secret"]
    assert terminal.json("hourmark app delete my-app -o json") == {"deleted": "my-app"}
    gone = terminal.run("hourmark app get my-app")
    assert (gone.code, "hourmark app list" in gone.err) == (1, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--redirect-uri http://app.example/cb", "use https"),
        ("--redirect-uri 'https://app.example/*'", "no wildcards"),
        ("--redirect-uri javascript:alert", "reversed domain name"),
        ("--scope 'data:get'", "is no permission"),
        ("--confidential --jwks keys.json", "exclude one another"),
        ("--jwks nowhere.json", "cannot be read"),
    ],
)
def test_what_cannot_be_registered(terminal: Terminal, options: str, said: str) -> None:
    done = terminal.run(f"hourmark app register wrong {options}")
    assert (done.code != 0, said in done.err) == (True, True), done.err


def test_an_app_with_keys(terminal: Terminal, tmp_path: Path) -> None:
    private = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA", "kid": "1"}
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [private]}))
    done = terminal.run("hourmark app register keyed-wrong --jwks keys.json")
    assert (done.code, "private members" in done.err, '"d"' in done.err) == (1, True, False)
    first, second = (SigningKey.generate("ES256").public_jwk for _ in range(2))
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [first]}))
    terminal.json("hourmark app register keyed --jwks keys.json -o json")
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [second]}))
    changed = terminal.run("hourmark app update keyed --jwks keys.json")
    assert changed.code == 0, changed.err


def test_where_users_come_back_to_and_how_id_tokens_are_signed(terminal: Terminal) -> None:
    out, away = "https://app.example/out", "https://app.example/away"
    registered = terminal.run(
        f"hourmark app register signs --post-logout-redirect-uri {out} --post-logout-redirect-uri {away} "
        "--id-token-alg RS256 -o json"
    )
    assert registered.code == 0, registered.err
    made = json.loads(registered.out)
    assert made["post_logout_redirect_uris"] == [out, away]
    assert made["id_token_signed_response_alg"] == "RS256"
    changed = terminal.json(
        f"hourmark app update signs --post-logout-redirect-uri {away} --id-token-alg EdDSA -o json"
    )
    assert (changed["post_logout_redirect_uris"], changed["id_token_signed_response_alg"]) == (
        [away],
        "EdDSA",
    )
