"""Keys of registries change, and registries are restarted only where they must be."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest
from sqlmodel import col, update

from issuer.registry import certificate_authority
from issuer.registry.signers import MODES
from issuer.rotation import policy_of
from issuer.signing import SigningKeys
from issuer.store.signing_keys import OF_REGISTRIES
from issuer.store.tables import SealedSigningKey
from keys import Phase, SigningKey
from tests.browsers import inside
from tests.clients import claims
from tests.issuer.http.world import REGISTRY, World, open_world, until
from tests.journeys.registry.conftest import BOTH_MODES
from tests.running_issuer import BIN, clean_environment
from tests.running_registry import RunningRegistry, export, start_registry

pytestmark = BOTH_MODES


@pytest.fixture
def world(trust: str, tmp_path: Path) -> Iterator[World]:
    """Of this story alone."""
    with open_world(tmp_path, HOURMARKD_REGISTRY_TRUST=trust) as opened:
        yield opened


@pytest.fixture
def registry(world: World, program: str, tmp_path: Path) -> Iterator[RunningRegistry]:
    with start_registry(tmp_path / "registry", world.issuer, REGISTRY, program) as running:
        yield running


def token(world: World) -> str:
    answer = world.nobody.get(
        "/v1/registry/token",
        params={"service": REGISTRY},
        auth=httpx.BasicAuth("console", world.issuer.admin_key),
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def phases(world: World, ring: str) -> dict[Phase, SigningKey]:
    """The keys of a ring, by their phase."""
    with inside(world.issuer) as there:
        signing = SigningKeys(there.database, there.kek, there.settings)
        signing.load(int(time.time()))
        return {each.phase: each.key for each in signing.standings(int(time.time())) if each.ring == ring}


def hourmarkd(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "hourmarkd", *arguments],
        env=clean_environment(**world.issuer.settings),
        capture_output=True,
        text=True,
        check=False,
    )


def let_be_a_day_old(world: World) -> None:
    """As if registries had had the time to be restarted with the keys that follow."""
    with inside(world.issuer) as there, there.write("tests") as tx:
        tx.session.execute(
            update(SealedSigningKey)
            .where(col(SealedSigningKey.ring).in_(OF_REGISTRIES))
            .values(published_at=SealedSigningKey.published_at - 86400)
        )


def looked_at(world: World, registry: RunningRegistry) -> list[tuple[str, str]]:
    """What the doctor says of the registry."""
    done = hourmarkd(world, "doctor", "--registry", registry.url, "-o", "json")
    about = f"registry {registry.url}"
    return [(each["level"], each["said"]) for each in json.loads(done.stdout) if each["check"] == about]


def test_the_next_key_signs_without_a_restart_and_the_old_one_is_dropped(
    world: World, registry: RunningRegistry, trust: str
) -> None:
    ring = MODES[trust].ring
    before = phases(world, ring)
    assert {level for level, _ in looked_at(world, registry)} == {"ok"}
    old = token(world)
    let_be_a_day_old(world)
    assert hourmarkd(world, "keys", "rotate", "--ring", ring).returncode == 0
    until(lambda: signed_by(token(world), before[Phase.NEXT], trust))
    new = token(world)
    assert (registry.accepts(old), registry.accepts(new)) == (True, True)
    levels = {level for level, _ in looked_at(world, registry)}
    assert levels == {"ok", "warning"}, "the key that follows now is not in its files yet"

    # Long afterwards the old key is in no file any more.
    with inside(world.issuer) as there, there.write("tests") as tx:
        earlier = policy_of(there.settings, ring).retire_for + 60
        tx.session.execute(
            update(SealedSigningKey)
            .where(col(SealedSigningKey.ring) == ring, col(SealedSigningKey.signs_from) <= tx.now)
            .values(signs_from=SealedSigningKey.signs_from - earlier)
        )
    export(registry.folder, world.issuer, REGISTRY)
    with registry.restart() as restarted:
        assert (restarted.accepts(old), restarted.accepts(new)) == (False, True)
        assert {level for level, _ in looked_at(world, restarted)} == {"ok"}


def signed_by(text: str, key: SigningKey, trust: str) -> bool:
    """Whether the token is signed by `key`, or by what it certified."""
    header = orjson.loads(_decoded(text.partition(".")[0]))
    if trust == "kid":
        return bool(header["kid"] == certificate_authority.key_id(key))
    return key.kid.encode() in _decoded(header["x5c"][0])


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))


def test_a_stolen_key_is_replaced_at_once(world: World, registry: RunningRegistry, trust: str) -> None:
    ring = MODES[trust].ring
    before = phases(world, ring)
    lists = world.nobody.get("/status/1").headers["etag"]
    done = hourmarkd(world, "keys", "revoke", "--yes", "--", before[Phase.CURRENT].kid)
    assert (done.returncode, "hourmarkd export registry" in done.stderr) == (0, True), done.stderr
    until(lambda: signed_by(token(world), before[Phase.NEXT], trust))
    assert registry.accepts(token(world)), "the next key was in its files"
    assert world.nobody.get("/status/1").headers["etag"] == lists, "verifiers have nothing to learn"
    stolen = (
        MODES[trust].signer(before[Phase.CURRENT], int(time.time())).sign(orjson.dumps(claims(token(world))))
    )
    assert registry.accepts(stolen)
    export(registry.folder, world.issuer, REGISTRY)
    with registry.restart() as restarted:
        assert not restarted.accepts(stolen)
        assert restarted.accepts(token(world))


def test_every_process_has_a_key_of_its_own(world: World, registry: RunningRegistry, trust: str) -> None:
    with world.issuer.another() as other, other.http("") as there:
        answer = there.get(
            "/v1/registry/token",
            params={"service": REGISTRY},
            auth=httpx.BasicAuth("console", world.issuer.admin_key),
        )
        elsewhere = str(answer.json()["token"])
    here = token(world)
    assert (here.partition(".")[0] == elsewhere.partition(".")[0]) is (trust == "kid")
    assert registry.accepts(here)
    assert registry.accepts(elsewhere)
