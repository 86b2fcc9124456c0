"""A program that uses holder.auth, with every credential there is, at a real issuer."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from holder import revocations
from holder.auth import HttpxAuth, fresh_token
from holder.errors import SignInNeeded
from tests.clients import claims
from tests.issuer.http.world import World, made, open_world
from tests.journeys.terminal import Terminal

PROGRAM = """
import os, httpx, requests
from holder import revocations
from holder.auth import HttpxAuth, RequestsAuth, fresh_token

url = os.environ["HOURMARK_URL"]
token = fresh_token(resource=url)
with httpx.Client(base_url=url, auth=HttpxAuth(token)) as client:
    print(client.get("/v1/me").json()["principal"])
print(requests.get(f"{url}/v1/me", auth=RequestsAuth(token), timeout=20).json()["principal"])
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("issuer")) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["role key", "ticket", "endpoint", "file", "profile", "exec"])
def test_with_every_credential(world: World, tmp_path: Path, kind: str) -> None:
    role = world.role("data:get@*", "job:*@*")
    made(world.admin.post(f"/v1/roles/{role}/policies", json={"permission": f"role:assume@{role}"}))
    key = world.key(role).text
    ticket = made(world.admin.post("/v1/jobs", json={"role": role}))["ticket"]
    (tmp_path / "program").write_text(PROGRAM)
    (tmp_path / "key").write_text(key)
    run = f"{sys.executable} program"
    line = {
        "role key": f"HOURMARK_TOKEN={key} {run}",
        "ticket": f"HOURMARK_TOKEN={ticket} {run}",
        "endpoint": f"HOURMARK_TOKEN={key} hourmark job new --role {role} -- "
        f"env -u HOURMARK_TOKEN_FILE {run}",
        "file": f"HOURMARK_TOKEN_FILE=key {run}",
        "profile": f"hourmark login --token-file key && {run}",
        "exec": f"HOURMARK_TOKEN={key} hourmark exec --resource {world.url} -- {run}",
    }[kind]
    with Terminal(tmp_path, HOURMARK_URL=world.url, PYTHONPATH=str(Path.cwd())) as terminal:
        assert terminal(line).split() == [f"role:{role}"] * 2


@pytest.fixture
def job(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One that this process is in, by its ticket."""
    job: dict[str, str] = made(world.admin.post("/v1/jobs", json={"role": world.role("data:get@*")}))
    monkeypatch.setenv("HOURMARK_URL", world.url)
    monkeypatch.setenv("HOURMARK_TOKEN", job["ticket"])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return job


def test_other_labels_end_its_token_and_nobody_notices(
    world: World, job: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the list is not heard of in time, the service's refusal is what tells."""
    monkeypatch.setattr(revocations, "watch", lambda *_: bool)
    with httpx.Client(auth=HttpxAuth(fresh_token())) as client:
        assert client.get(f"{world.url}/v1/me").status_code == 200
        labels = {"labels": {"stage": "live"}}
        assert world.admin.put(f"/v1/jobs/{job['id']}/labels", json=labels).status_code == 200
        answer = client.get(f"{world.url}/v1/me")
    assert (answer.status_code, len(answer.history)) == (200, 1), "the second attempt"
    said = claims(answer.request.headers["Authorization"].removeprefix("Bearer "))
    assert said["labels"]["stage"] == "live"


def test_after_the_end_it_is_told_why(world: World, job: dict[str, str]) -> None:
    with httpx.Client(auth=HttpxAuth(fresh_token())) as client:
        assert client.get(f"{world.url}/v1/me").status_code == 200
        world.admin.delete(f"/v1/jobs/{job['id']}")
        with pytest.raises(SignInNeeded, match="job has ended"):
            client.get(f"{world.url}/v1/me")


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_is_wrong_does_not_matter(
    world: World, job: dict[str, str], monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    assert job
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + hours * 3600)
    token = fresh_token()
    with httpx.Client(auth=HttpxAuth(token)) as client:
        assert [client.get(f"{world.url}/v1/me").status_code for _ in range(2)] == [200] * 2
    assert 3500 < token.get().expires_in <= 3600
