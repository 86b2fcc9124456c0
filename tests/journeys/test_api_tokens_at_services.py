"""An API token, as it is printed, wherever a credential goes; and one that is for one cluster of two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.issuer.http.world import OTHER, SERVICES, World, open_world
from tests.journeys.terminal import Terminal
from tests.verifier.integrations import flask_service
from verifier import Verifier
from verifier.role_keys import RoleKeys

Query = Callable[[str], httpx.Response]
"""Of an app with the label group=A at a service, with this as Bearer."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("issuer")) as opened:
        yield opened


@pytest.fixture
def terminal(world: World, tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(tmp_path, HOURMARK_URL=world.url, ADMIN=world.issuer.admin_key) as opened:
        yield opened


def service(world: World, audience: str) -> Iterator[Query]:
    with Verifier(world.url, audience) as verifier, RoleKeys(verifier) as role_keys:
        app = flask_service.service(verifier, role_keys)
        with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://service.test") as http:
            yield lambda credential: http.get("/apps/a", headers={"Authorization": f"Bearer {credential}"})


@pytest.fixture(scope="module")
def query(world: World) -> Iterator[Query]:
    yield from service(world, SERVICES)


@pytest.fixture(scope="module")
def query_elsewhere(world: World) -> Iterator[Query]:
    yield from service(world, OTHER)


CREATE = "hourmark token create --app-token $ADMIN --role read -l group=A --field token"
EXCHANGE = "curl -s -d grant_type=client_credentials $HOURMARK_URL/v1/token"


def test_the_same_string_is_good_in_four_places(terminal: Terminal, query: Query) -> None:
    token = terminal(f"{CREATE} four-places").strip()
    terminal(f"export T={token}")
    assert query(token).json() == {"subject": "user:admin"}
    for line in ("hourmark whoami --app-token $T", "HOURMARK_TOKEN=$T hourmark whoami"):
        assert terminal(f"{line} --field client_id").strip() == token.partition(":")[0]
    issued = terminal.json(f"{EXCHANGE} -u $T")["access_token"]
    assert query(issued).json() == {"subject": "user:admin"}


def test_made_for_one_cluster_it_is_refused_at_another(
    terminal: Terminal, query: Query, query_elsewhere: Query
) -> None:
    token = terminal(f"{CREATE} one-cluster --audience {OTHER}").strip()
    terminal(f"export T={token}")
    issued = terminal("hourmark login token --app-token $T").strip()
    for credential in (token, issued):
        assert query_elsewhere(credential).status_code == 200
        refused = query(credential)
        assert (refused.status_code, refused.json()["reason"]) == (401, "wrong_audience")
    asked = terminal.json(f"{EXCHANGE} -u $T -d resource={SERVICES}")
    assert (asked["error"], OTHER in asked["error_description"]) == ("invalid_target", True)
    done = terminal.run(f"hourmark verify {issued} --audience {SERVICES}")
    assert (done.code, OTHER in done.err) == (1, True)
