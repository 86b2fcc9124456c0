"""Real proxies with what `hourmarkd export` wrote for them, in front of real apps on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import pytest

from tests.journeys.door.app import PLATFORM
from tests.running_issuer import BIN, RunningIssuer, clean_environment, free_port

DOMAIN = "apps.localhost"
"""Browsers find every name below it on this machine."""
_SECONDS = 20.0
_SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
_NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {exported}/hourmark-http.conf;
    server {{
        listen 127.0.0.1:{port} default_server;
        return 444;
    }}
    server {{
        listen 127.0.0.1:{port};
        server_name *.{domain};
        include {exported}/hourmark-server.conf;
        location / {{
            include {exported}/hourmark-location.conf;
            proxy_pass http://127.0.0.1:{backend};
        }}
        location /upgrade {{
            include {exported}/hourmark-location.conf;
            proxy_pass http://127.0.0.1:{upgrade};
        }}
        location /v1/ {{
            include {exported}/hourmark-platform.conf;
            proxy_pass {platform};
        }}
    }}
}}
"""
_CADDY = """
{{
    admin off
    auto_https off
}}
import {exported}/hourmark.caddyfile
http://*.{domain}:{port} {{
    bind 127.0.0.1
    route {{
        import hourmark
        reverse_proxy /v1/* {platform} {{
            import hourmark-platform
        }}
        reverse_proxy /upgrade* 127.0.0.1:{upgrade}
        reverse_proxy 127.0.0.1:{backend}
    }}
}}
"""
_TRAEFIK = """
global: {{checkNewVersion: false, sendAnonymousUsage: false}}
log: {{level: ERROR}}
entryPoints: {{web: {{address: "127.0.0.1:{port}"}}}}
providers: {{file: {{directory: {exported}, watch: false}}}}
"""
_ROUTES = """
http:
  routers:
    app: {{priority: 1, rule: "HostRegexp(`^.+{dots}$`)", service: app, middlewares: [hourmark]}}
    upgrade: {{priority: 2, rule: "PathPrefix(`/upgrade`)", service: upgrade, middlewares: [hourmark]}}
    platform: {{priority: 2, rule: "PathPrefix(`/v1/`)", service: platform, middlewares: [hourmark-platform]}}
  services:
    app: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{backend}"}}]}}}}
    upgrade: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{upgrade}"}}]}}}}
    platform: {{loadBalancer: {{passHostHeader: false, servers: [{{url: "{platform}"}}]}}}}
"""
_TRAEFIK_PROGRAM = os.environ.get("HOURMARK_TEST_TRAEFIK")
"""Debian has none: where one is, if it is to be tried."""
KINDS = ("nginx", "caddy", *(["traefik"] if _TRAEFIK_PROGRAM else []))


@dataclass(frozen=True)
class Proxy:
    """One that runs, in front of every host below the domain."""

    kind: str
    port: int

    def host(self, name: str) -> str:
        return f"{name}.{DOMAIN}:{self.port}"

    def client(self, name: str, **headers: str) -> httpx.Client:
        """Of one app."""
        given = {"Host": self.host(name)} | headers
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=given, timeout=10)

    def raw(self, head: str) -> socket.socket:
        """A connection on which this head was sent, line by line."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(head.replace("\n", "\r\n").encode())
        return connection


@contextmanager
def serve_app(platform: str) -> Iterator[int]:
    """The app of app.py, in a process of its own; gives its port."""
    port = free_port()
    arguments = [sys.executable, "-m", "uvicorn", "tests.journeys.door.app:app", "--port", str(port)]
    environment = clean_environment(**{PLATFORM: platform})
    with _running([*arguments, "--log-level", "error", "--ws", "none"], port, environment):
        yield port


@contextmanager
def serve_upgrades() -> Iterator[int]:
    """A server that leaves HTTP where it is asked to, and says again what it is told; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer_upgrades, args=(listener,), daemon=True).start()
        yield int(listener.getsockname()[1])
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def serve_proxy(
    kind: str, issuer: RunningIssuer, folder: Path, backend: int, upgrade: int
) -> Iterator[Proxy]:
    """Skips where there is none."""
    program = _TRAEFIK_PROGRAM if kind == "traefik" else _installed(kind)
    port = free_port()
    exported = folder / "exported"
    done = subprocess.run(
        [BIN / "hourmarkd", "export", kind, "--output", exported, "--address", issuer.url],
        env=clean_environment(**issuer.settings),
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    known = {
        "folder": folder,
        "exported": exported,
        "user": "user root;" if os.geteuid() == 0 else "",
        "port": port,
        "domain": DOMAIN,
        "dots": f".{DOMAIN}".replace(".", "[.]"),
        "backend": backend,
        "upgrade": upgrade,
        "platform": issuer.settings["HOURMARKD_ISSUER"],
    }
    template = {"nginx": _NGINX, "caddy": _CADDY, "traefik": _TRAEFIK}[kind]
    configuration = folder / f"{kind}.yaml"  # Traefik goes by the ending, the others by what is in it.
    configuration.write_text(template.format(**known))
    if kind == "traefik":
        (exported / "routes.yaml").write_text(_ROUTES.format(**known))
    commands: dict[str, list[object]] = {
        "nginx": [program, "-c", configuration, "-e", folder / "error.log", "-p", folder],
        "caddy": [program, "run", "--adapter", "caddyfile", "--config", configuration],
        "traefik": [program, f"--configFile={configuration}"],
    }
    homes = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with _running(commands[kind], port, clean_environment(**homes)):
        yield Proxy(kind, port)


def _installed(kind: str) -> str:
    program = shutil.which(kind, path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip(f"no {kind}: install Debian's package {kind}")
    return program


@contextmanager
def _running(arguments: list[object], port: int, environment: dict[str, str]) -> Iterator[None]:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            list(map(str, arguments)), env=environment, stdout=subprocess.DEVNULL, stderr=said
        )
        try:
            _wait_until_it_listens(process, port, said)
            yield
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, said: IO[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            said.seek(0)
            raise RuntimeError(f"nothing listens: {said.read().decode()}")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _answer_upgrades(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                head = b""
                while b"\r\n\r\n" not in head and (read := connection.recv(4096)):
                    head += read
                lines = head.decode("latin-1").lower().split("\r\n")
                if "upgrade: websocket" not in lines:
                    connection.sendall(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n")
                    continue
                subject = next((line for line in lines if line.startswith("hourmark-subject: ")), "nobody")
                answer = (
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
                )
                connection.sendall(answer.encode())
                while read := connection.recv(4096):
                    connection.sendall(subject.encode() + b" says " + read)
