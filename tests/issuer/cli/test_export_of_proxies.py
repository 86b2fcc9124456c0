"""`hourmarkd export nginx|caddy|traefik`: what is written, for whom, and what has to come first."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import yaml

from issuer.gateway.forward_auth import HANDED_ON, IDENTITY_HEADERS
from tests.doors import PREVIOUS_SECRET, SECRET, SETTINGS
from tests.issuer.cli.command import hourmarkd

FILES = {
    "nginx": {f"hourmark-{place}.conf" for place in ("http", "server", "location", "platform")},
    "caddy": {"hourmark.caddyfile"},
    "traefik": {"hourmark.yaml"},
}
OTHER = (65534, 65534)
"""A user and a group."""
IS_ROOT = os.geteuid() == 0
"""Nobody else gives files away."""
every_kind = pytest.mark.parametrize("kind", FILES)


@every_kind
def test_files_that_their_owner_alone_can_read(tmp_path: Path, kind: str) -> None:
    for _ in range(2):  # again it replaces them
        done = hourmarkd(f"export {kind} --output {tmp_path / 'to'}", tmp_path, **SETTINGS)
        assert (done.code, done.out, SECRET in done.err) == (0, "", False)
    written = {path.name: path for path in (tmp_path / "to").iterdir()}
    assert written.keys() == FILES[kind]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written.values()} == {0o600}
    text = "".join(path.read_text() for path in written.values())
    assert SECRET in text
    assert PREVIOUS_SECRET not in text
    assert all(name in text for name in HANDED_ON)


def test_whoever_was_given_a_file_can_read_the_next_one_too(tmp_path: Path) -> None:
    """As a proxy that runs as a user of its own, before the secret is changed."""
    path = tmp_path / "hourmark.caddyfile"
    for mode in (0o600, 0o640):
        assert hourmarkd(f"export caddy --output {tmp_path}", tmp_path, **SETTINGS).code == 0
        assert stat.S_IMODE(path.stat().st_mode) == mode
        owner = (path.stat().st_uid, path.stat().st_gid)
        assert owner == (OTHER if mode == 0o640 and IS_ROOT else (os.geteuid(), os.getegid()))
        path.chmod(0o640)
        if IS_ROOT:
            os.chown(path, *OTHER)


@every_kind
def test_or_on_stdout(tmp_path: Path, kind: str) -> None:
    done = hourmarkd(f"export {kind} --address https://inside.example", tmp_path, **SETTINGS)
    assert (done.code, done.err) == (0, "")
    assert "inside.example:443" in done.out
    assert all(f"# {name}" in done.out for name in FILES[kind])


@every_kind
def test_without_a_secret_for_proxies_that_are_known_by_their_address(tmp_path: Path, kind: str) -> None:
    done = hourmarkd(f"export {kind}", tmp_path, HOURMARKD_FORWARD_AUTH_PROXIES="192.0.2.1")
    assert (done.code, done.err) == (0, "")
    # What a client sends in its place goes no further.
    assert "Hourmark-Proxy-Secret" in done.out
    assert SECRET not in done.out


@every_kind
def test_without_a_secret_there_is_nothing_to_write(tmp_path: Path, kind: str) -> None:
    done = hourmarkd(f"export {kind} --output {tmp_path / 'to'}", tmp_path)
    assert (done.code, done.out) == (1, "")
    assert "HOURMARKD_FORWARD_AUTH_SECRET" in done.err
    assert "HOURMARKD_FORWARD_AUTH_PROXIES" in done.err
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("secret", ["short", f'{SECRET}"', f"{SECRET} x", f"{SECRET}$x"])
def test_a_secret_that_proxies_could_not_write_down(tmp_path: Path, secret: str, name: str) -> None:
    done = hourmarkd("export caddy", tmp_path, **SETTINGS | {name: secret})
    assert (done.code == 0, secret in done.err) == (False, False)


def test_tls_is_verified(tmp_path: Path) -> None:
    done = hourmarkd("export nginx --address https://issuer.example", tmp_path, **SETTINGS)
    for line in ("proxy_ssl_verify on;", "proxy_ssl_name issuer.example;", "proxy_ssl_server_name on;"):
        assert line in done.out


def test_what_traefik_reads(tmp_path: Path) -> None:
    done = hourmarkd(f"export traefik --output {tmp_path}", tmp_path, **SETTINGS)
    assert done.code == 0
    middlewares = yaml.safe_load((tmp_path / "hourmark.yaml").read_text())["http"]["middlewares"]
    proves, asks, keeps = middlewares["hourmark"]["chain"]["middlewares"]
    asked = middlewares[asks]["forwardAuth"]
    assert asked["address"] == "http://127.0.0.1:8700/v1/forward-auth"
    assert asked["trustForwardHeader"] is False
    assert asked["authResponseHeaders"] == list(HANDED_ON)
    set_before = middlewares[proves]["headers"]["customRequestHeaders"]
    assert set_before.pop("Hourmark-Proxy-Secret") == SECRET
    assert set(set_before.values()) == {""}
    assert set(IDENTITY_HEADERS) < set_before.keys()
    assert middlewares[keeps]["headers"]["customRequestHeaders"] == {"Hourmark-Proxy-Secret": ""}
