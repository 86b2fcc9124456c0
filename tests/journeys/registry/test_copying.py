"""Images that are pushed, pulled, mounted, deleted and listed by who may, and by nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests.issuer.http.world import REGISTRY, World
from tests.journeys.registry.clients import Done, Home, image, image_storage
from tests.journeys.registry.conftest import BOTH_MODES
from tests.running_registry import RunningRegistry

Ask = Callable[[World, str, list[str]], httpx.Response]


@pytest.fixture
def source(tmp_path: Path) -> str:
    return image(tmp_path / "image")


def push(home: Home, password: str, source: str, registry: RunningRegistry, repository: str) -> Done:
    return home.run(
        *("skopeo", "copy", "--dest-tls-verify=false", "--dest-creds", f"console:{password}"),
        *(source, f"docker://{registry.address}/{repository}:1"),
    )


def inspect(home: Home, password: str, registry: RunningRegistry, repository: str) -> Done:
    target = f"docker://{registry.address}/{repository}:1"
    return home.run("skopeo", "inspect", "--tls-verify=false", "--creds", f"console:{password}", target)


def token(world: World, password: str, *scopes: str) -> str:
    params = {"service": REGISTRY, "scope": list(scopes)}
    answer = world.nobody.get("/v1/registry/token", params=params, auth=httpx.BasicAuth("console", password))
    return str(answer.json()["token"])


def digest(registry: RunningRegistry, repository: str, bearer: str) -> str:
    headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/vnd.oci.image.manifest.v1+json"}
    answer = httpx.get(f"{registry.url}/v2/{repository}/manifests/1", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.headers["docker-content-digest"]


@BOTH_MODES
def test_what_is_pushed_is_what_is_pulled(
    world: World, registry: RunningRegistry, home: Home, repository: str, tmp_path: Path
) -> None:
    source = image(tmp_path / "image")
    key = world.holder(f"repository:pull@{repository}", f"repository:push@{repository}")
    done = push(home, key.text, source, registry, repository)
    assert done.code == 0, done.err
    pushed = json.loads(inspect(home, key.text, registry, repository).out)["Digest"]
    target = f"docker://{registry.address}/{repository}:1"
    back = tmp_path / "back"
    home(
        "skopeo",
        "copy",
        "--src-tls-verify=false",
        "--src-creds",
        f"console:{key.text}",
        target,
        f"oci:{back}:1",
    )
    (pulled,) = json.loads((back / "index.json").read_text())["manifests"]
    (made,) = json.loads((tmp_path / "image" / "index.json").read_text())["manifests"]
    assert pulled["digest"] == pushed == made["digest"]


@BOTH_MODES
def test_who_may_pull_alone_looks_and_does_not_push(
    world: World, registry: RunningRegistry, home: Home, source: str, repository: str
) -> None:
    writer = world.holder(f"repository:*@{repository}")
    assert push(home, writer.text, source, registry, repository).code == 0
    reader = world.holder(f"repository:pull@{repository}")
    assert inspect(home, reader.text, registry, repository).code == 0
    done = push(home, reader.text, source, registry, repository)
    assert (done.code, "denied" in done.err) == (1, True), done.err


def test_a_revoked_key_fails_at_the_next_request(
    world: World, registry: RunningRegistry, home: Home, source: str, repository: str
) -> None:
    key = world.holder(f"repository:*@{repository}")
    assert push(home, key.text, source, registry, repository).code == 0
    assert world.admin.delete(f"/v1/roles/{key.role}/keys/{key.access}").status_code == 200
    done = inspect(home, key.text, registry, repository)
    assert (done.code, "the role key is not valid" in done.err) == (1, True), done.err


def test_it_fails_at_every_process_the_moment_that_it_is_revoked(world: World) -> None:
    """Registries cannot be told, and would take what another process gave out for five minutes."""
    with world.issuer.another() as other, other.http() as there:
        for _ in range(20):
            key = world.holder("repository:pull@*")
            password = httpx.BasicAuth("console", key.text)

            def ask(password: httpx.BasicAuth = password) -> int:
                asked = {"service": REGISTRY, "scope": "repository:a/b:pull"}
                return there.get("/v1/registry/token", params=asked, auth=password).status_code

            assert ask() == 200
            world.admin.delete(f"/v1/roles/{key.role}/keys/{key.access}").raise_for_status()
            assert ask() == 401


def by_get(world: World, password: str, scopes: list[str]) -> httpx.Response:
    """As docker push asks: a parameter each."""
    params = {"service": REGISTRY, "scope": scopes}
    return world.nobody.get("/v1/registry/token", params=params, auth=httpx.BasicAuth("console", password))


def by_post(world: World, password: str, scopes: list[str]) -> httpx.Response:
    """As containerd asks: one parameter."""
    return world.nobody.post("/v1/registry/token", data=_form(password, scopes))


def by_post_in_chunks(world: World, password: str, scopes: list[str]) -> httpx.Response:
    body = urlencode(_form(password, scopes)).encode()
    pieces = (body[start : start + 50] for start in range(0, len(body), 50))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = world.nobody.post("/v1/registry/token", content=pieces, headers=headers)
    assert answer.request.headers["transfer-encoding"] == "chunked"
    return answer


def _form(password: str, scopes: list[str]) -> dict[str, str]:
    fields = {"grant_type": "password", "service": REGISTRY, "client_id": "containerd-client"}
    return fields | {"username": "console", "password": password, "scope": " ".join(scopes)}


@pytest.mark.parametrize("ask", [by_get, by_post, by_post_in_chunks])
def test_a_layer_is_mounted_from_another_repository(
    world: World, registry: RunningRegistry, home: Home, repository: str, ask: Ask
) -> None:
    """With a token for both, however both are asked for; and not with one for the other alone."""
    copy = f"{repository}-copy"
    key = world.holder(f"repository:pull@{repository}", f"repository:*@{copy}")
    writer = world.holder(f"repository:*@{repository}")
    source = image(home.folder / "image", content=repository)
    assert push(home, writer.text, source, registry, repository).code == 0
    (layer,) = json.loads(inspect(home, key.text, registry, repository).out)["Layers"]
    place = f"/v2/{copy}/blobs/uploads/?mount={layer}&from={repository}"

    answer = ask(world, key.text, [f"repository:{copy}:pull,push"])
    refused = registry.ask(place, answer.json()["access_token"], "POST")
    assert (refused.status_code, 'error="insufficient_scope"' in refused.headers["www-authenticate"]) == (
        401,
        True,
    )
    wide = [f"repository:{repository}:pull", f"repository:{copy}:pull", f"repository:{copy}:push,pull"]
    answer = ask(world, key.text, wide)
    assert answer.json().get("scope", "") in ("", f"repository:{repository}:pull repository:{copy}:pull,push")
    both = answer.json()["access_token"]
    assert registry.ask(place, both, "POST").status_code == 201
    assert registry.ask(f"/v2/{copy}/blobs/{layer}", both).status_code == 200


def test_who_may_delete_deletes(
    world: World, registry: RunningRegistry, home: Home, source: str, repository: str
) -> None:
    writer = world.holder(f"repository:pull@{repository}", f"repository:push@{repository}")
    assert push(home, writer.text, source, registry, repository).code == 0
    target = f"docker://{registry.address}/{repository}:1"
    delete = ("skopeo", "delete", "--tls-verify=false", "--creds")
    assert home.run(*delete, f"console:{writer.text}", target).code == 1
    assert inspect(home, writer.text, registry, repository).code == 0
    cleaner = world.holder(f"repository:*@{repository}")
    done = home.run(*delete, f"console:{cleaner.text}", target)
    assert done.code == 0, done.err
    assert inspect(home, writer.text, registry, repository).code == 1


def test_the_catalog_is_for_who_may_list_it(world: World, registry: RunningRegistry) -> None:
    librarian = token(world, world.holder("registry:catalog@*").text, "registry:catalog:*")
    assert registry.ask("/v2/_catalog", librarian).status_code == 200
    reader = token(world, world.holder("repository:*@*").text, "registry:catalog:*")
    assert registry.ask("/v2/_catalog", reader).status_code == 401


def test_buildah_builds_and_pushes(
    world: World, registry: RunningRegistry, home: Home, repository: str, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY content /content\n")
    (tmp_path / "content").write_text("hello")
    key = world.holder(f"repository:*@{repository}")
    home("buildah", "login", "--tls-verify=false", "-u", "console", "-p", key.text, registry.address)
    target = f"docker://{registry.address}/{repository}:1"
    with image_storage(tmp_path) as storage:
        buildah = ("buildah", "--root", str(storage), "--runroot", str(tmp_path / "run" / "storage"))
        home(*buildah, "bud", "-q", "-t", "built", str(tmp_path))
        home(*buildah, "push", "--tls-verify=false", "built", target)
    assert inspect(home, key.text, registry, repository).code == 0


def test_nobody_is_told_so_at_once(
    world: World, registry: RunningRegistry, home: Home, source: str, repository: str
) -> None:
    """And pulls nothing but what the settings name."""
    for name in (repository, f"public/{repository}"):
        assert push(home, world.issuer.admin_key, source, registry, name).code == 0
    look = ("skopeo", "inspect", "--tls-verify=false", "--no-creds")
    done = home.run(*look, f"docker://{registry.address}/{repository}:1")
    assert (done.code, "nobody is signed in" in done.err) == (1, True), done.err
    assert home.run(*look, f"docker://{registry.address}/public/{repository}:1").code == 0
    there = f"docker://{registry.address}/public/{repository}:2"
    assert home.run("skopeo", "copy", "--dest-tls-verify=false", "--dest-no-creds", source, there).code == 1
