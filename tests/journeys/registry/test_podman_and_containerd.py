"""Those of docker's relatives that keep images: they push, pull, and are told when they may not."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.issuer.http.world import World, until
from tests.journeys.registry.clients import Done, Home, image, image_storage, require
from tests.journeys.registry.conftest import BOTH_MODES
from tests.running_registry import RunningRegistry

Command = Callable[..., Done]
_CONFIG = """
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = [{disabled}]
[grpc]
address = "{folder}/c.sock"
[ttrpc]
address = "{folder}/t.sock"
"""
_DISABLED = (
    # What it needs to run containers, or to find devices.
    *("io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.monitor.v1.cgroups"),
    *(f"io.containerd.snapshotter.v1.{name}" for name in ("aufs", "btrfs", "devmapper", "overlayfs", "zfs")),
)


@pytest.fixture(scope="session")
def containerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a daemon whose images nobody else sees."""
    require("containerd")
    folder = tmp_path_factory.mktemp("c")
    config, socket = folder / "config.toml", folder / "c.sock"
    disabled = ", ".join(f'"{name}"' for name in _DISABLED)
    config.write_text(_CONFIG.format(folder=folder, disabled=disabled))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["containerd", "--config", config], stdout=log, stderr=log)
    try:
        until(lambda: socket.exists() or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield socket
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def ctr(containerd: Path, home: Home) -> Command:
    return partial(home.run, "ctr", "--address", str(containerd), "--namespace", home.folder.name)


def pushed(home: Home, password: str, registry: RunningRegistry, repository: str) -> str:
    """Where an image is now."""
    target = f"{registry.address}/{repository}:1"
    source = image(home.folder / "image")
    home(
        *("skopeo", "copy", "--dest-tls-verify=false", "--dest-creds", f"console:{password}"),
        *(source, f"docker://{target}"),
    )
    return target


@pytest.fixture
def podman(home: Home) -> Iterator[Command]:
    # It refuses a folder of more than 50 characters.
    with TemporaryDirectory() as short, image_storage(home.folder) as storage:
        yield partial(home.run, "podman", "--root", str(storage), "--runroot", short)


@BOTH_MODES
def test_podman_signs_in_pushes_and_pulls(
    world: World, registry: RunningRegistry, home: Home, podman: Command, repository: str
) -> None:
    key = world.holder(f"repository:pull@{repository}", f"repository:push@{repository}")
    done = podman("login", "--tls-verify=false", "-u", "console", "-p", key.text, registry.address)
    assert "Login Succeeded" in done.out, done.err
    target = f"{registry.address}/{repository}"
    built = podman("pull", "-q", image(home.folder / "image")).out.strip()
    done = podman("push", "-q", "--tls-verify=false", built, f"{target}:1")
    assert done.code == 0, done.err
    assert podman("rmi", "--force", built).code == 0
    assert podman("pull", "-q", "--tls-verify=false", f"{target}:1").out.strip() == built
    done = podman("push", "-q", "--tls-verify=false", built, f"{target}-other:1")
    assert (done.code != 0, "denied" in done.err) == (True, True), done.err


@BOTH_MODES
def test_containerd_pulls_and_pushes(
    world: World, registry: RunningRegistry, home: Home, ctr: Command, repository: str
) -> None:
    """It asks with POST, and does without GET."""
    key = world.holder(f"repository:*@{repository}", f"repository:*@{repository}-copy")
    target = pushed(home, key.text, registry, repository)
    before = len(world.issuer.lines())
    user = ("--plain-http", "--user", f"console:{key.text}")
    done = ctr("images", "pull", "--snapshotter", "native", *user, target)
    assert done.code == 0, done.err
    done = ctr("images", "push", *user, f"{registry.address}/{repository}-copy:1", target)
    assert done.code == 0, done.err
    until(lambda: len(asked(world, before)) >= 2)
    assert set(asked(world, before)) == {("POST", 200)}
    home("skopeo", "inspect", "--tls-verify=false", "--creds", user[-1], f"docker://{target[:-2]}-copy:1")


def test_containerd_is_told_when_it_may_not(
    world: World, registry: RunningRegistry, home: Home, ctr: Command, repository: str
) -> None:
    target = pushed(home, world.issuer.admin_key, registry, repository)
    stranger = world.holder("repository:*@another/*")
    for password, words in (
        (stranger.text, "insufficient_scope"),
        (f"{stranger.access}:{stranger.secret[:-1]}x", "401"),
    ):
        done = ctr("content", "fetch", "--plain-http", "--user", f"console:{password}", target)
        assert (done.code, words in done.err) == (1, True), done.err


def asked(world: World, before: int) -> list[tuple[str, int]]:
    """How registries' tokens were asked for since there were so many lines in the log."""
    return [
        (str(line["method"]), int(str(line["status"])))
        for line in world.issuer.lines()[before:]
        if line.get("route") == "/v1/registry/token"
    ]
