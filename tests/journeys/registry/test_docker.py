"""Docker's own client, without a daemon: it signs in, and what it is told when it may not."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import orjson

from issuer.store import signing_keys
from tests.browsers import inside
from tests.clients import claims
from tests.issuer.http.world import REGISTRY, World, made
from tests.journeys.registry.clients import Home, image
from tests.journeys.registry.conftest import BOTH_MODES
from tests.running_registry import RunningRegistry
from verifier import jws
from verifier.claims import TYP

COPY = ("skopeo", "copy", "--dest-tls-verify=false", "--format", "v2s2")
"""In docker's own format: its client of Debian knows no other."""


def login(home: Home, registry: RunningRegistry, password: str) -> tuple[int, str]:
    """With the password on stdin; exit code and all that is said."""
    done = home.run("docker", "login", "-u", "console", "--password-stdin", registry.address, stdin=password)
    return done.code, done.out + done.err


@BOTH_MODES
def test_a_key_and_a_token_sign_in(world: World, registry: RunningRegistry, home: Home) -> None:
    key = world.holder("repository:pull@samples/*")
    done = home.run("docker", "login", "-u", "console", "-p", key.text, registry.url)
    assert (done.code, "Login Succeeded" in done.out) == (0, True), done.err
    code, said = login(home, registry, world.token(key))
    assert (code, "Login Succeeded" in said) == (0, True), said
    assert "identitytoken" not in home.config.read_text(), "it would be kept in the password's place"


def test_what_is_no_password_is_refused_in_our_words_and_changes_nothing(
    world: World, registry: RunningRegistry, home: Home
) -> None:
    key = world.holder("repository:pull@samples/*")
    login(home, registry, key.text)
    before = home.config.read_text()
    for password, words in (
        (f"{key.access}:{key.secret[:-1]}x", "the role key is not valid"),
        (
            expired(world, world.token(key)),
            "the token that was sent as password is refused: the token has expired",
        ),
        (registry_token(world, key.text), "the token that was sent as password is refused"),
    ):
        code, said = login(home, registry, password)
        assert (code, words in said) == (1, True), said
        assert home.config.read_text() == before


def test_a_manifest_is_looked_at_by_who_may_pull(
    world: World, registry: RunningRegistry, home: Home, repository: str, tmp_path: Path
) -> None:
    target = f"{registry.address}/{repository}:1"
    writer = world.holder(f"repository:*@{repository}")
    push = (*COPY, "--dest-creds", f"console:{writer.text}")
    home(*push, image(tmp_path / "image"), f"docker://{target}")
    inspect = ("docker", "manifest", "inspect", "--insecure", target)
    login(home, registry, world.holder(f"repository:pull@{repository}").text)
    assert json.loads(home(*inspect))["schemaVersion"] == 2
    login(home, registry, world.holder("repository:pull@another/*").text)
    assert home.run(*inspect).code == 1


def test_with_the_helper_no_secret_is_kept(
    world: World, registry: RunningRegistry, home: Home, repository: str, tmp_path: Path
) -> None:
    target = f"{registry.address}/{repository}:1"
    key = world.holder(f"repository:*@{repository}", "data:get@*")
    home("hourmark", "login", "--url", world.url, "--token-file", "-", stdin=key.text)
    home("hourmark", "credential", "docker", "install", registry.address)
    home(*COPY, image(tmp_path / "image"), f"docker://{target}")
    assert json.loads(home("docker", "manifest", "inspect", "--insecure", target))["schemaVersion"] == 2
    token = world.token(key)
    code, said = login(home, registry, token)
    assert (code, "Login Succeeded" in said) == (0, True), said
    kept = home.config.read_text()
    assert not any(secret in kept for secret in (key.secret, token, '"auth"', "identitytoken")), kept
    code, said = login(home, registry, key.text)
    assert (code, "Nothing is kept for docker" in said) == (1, True), said
    home("hourmark", "logout")
    done = home.run("docker", "manifest", "inspect", "--insecure", target)
    assert (done.code, "nobody is signed in" in done.err) == (1, True), done.err
    assert "You are not signed in" in done.err, "the helper's words, too"


def test_with_the_helper_an_api_token_for_one_registry_is_good_there(
    world: World, registry: RunningRegistry, other_registry: RunningRegistry, tmp_path: Path, repository: str
) -> None:
    """As a CI job has it; `hourmark login` takes none that is not for the issuer, too."""
    asked = {"name": repository, "presets": ["developer-operations"], "audiences": [REGISTRY]}
    token = made(world.admin.post("/v1/tokens", json=asked))["token"]
    home = Home(tmp_path, HOURMARK_URL=world.url, HOURMARK_TOKEN=token)
    for each in (registry, other_registry):
        home("hourmark", "credential", "docker", "install", each.address)
    source = image(home.folder / "image")
    home(*COPY, source, f"docker://{registry.address}/{repository}:1")
    done = home.run(*COPY, source, f"docker://{other_registry.address}/{repository}:1")
    assert (done.code, "the API token is for " in done.err) == (1, True), done.err
    assert token.partition(":")[2] not in home.config.read_text()


def test_with_the_helper_who_may_do_nothing_is_told_so(
    world: World, registry: RunningRegistry, home: Home, repository: str
) -> None:
    key = world.holder("data:get@*")
    home("hourmark", "login", "--url", world.url, "--token-file", "-", stdin=key.text)
    home("hourmark", "credential", "docker", "install", registry.address)
    target = f"{registry.address}/{repository}:1"
    done = home.run("docker", "manifest", "inspect", "--insecure", target)
    assert (done.code, f"role:{key.role} holds no permission on repositories" in done.err) == (1, True), (
        done.err
    )


def registry_token(world: World, password: str) -> str:
    answer = world.nobody.get(
        "/v1/registry/token", params={"service": REGISTRY}, auth=httpx.BasicAuth("console", password)
    )
    return str(answer.json()["token"])


def expired(world: World, token: str) -> str:
    """The same token, as it was an hour ago."""
    with inside(world.issuer) as there, there.database.read() as reading:
        keys = signing_keys.open_keys(reading, there.kek)
    said, now = claims(token), int(time.time())
    signer = keys[jws.parse(token).header.kid or ""]
    return signer.sign(orjson.dumps(said | {"iat": now - 3700, "exp": now - 100}), TYP)
