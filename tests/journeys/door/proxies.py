"""Real proxies with what `hourmarkd export` wrote for them, in front of real apps on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import pytest

from tests.certificates import self_signed
from tests.journeys.door.app import PLATFORM
from tests.running_issuer import BIN, RunningIssuer, clean_environment, free_port

DOMAIN = "apps.localhost"
"""Browsers find every name below it on this machine."""
_SECONDS = 20.0
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
    # Not as by default: what a client writes so must not get through either.
    underscores_in_headers on;
    include {exported}/hourmark-http.conf;
    server {{
        listen 127.0.0.1:{port} default_server;
        return 444;
    }}
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls_port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        server_name *.{domain};
        {bind}
        include {exported}/hourmark-server.conf;
        location / {{
            include {exported}/hourmark-location.conf;
            client_max_body_size 8m;
            proxy_pass http://127.0.0.1:{backend};
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
(apps) {{
    bind 127.0.0.1
    route {{
        import hourmark
        reverse_proxy /v1/* {platform} {{
            import hourmark-platform
        }}
        reverse_proxy 127.0.0.1:{backend}
    }}
}}
http://*.{domain}:{port}, http://*.*.{domain}:{port} {{
    import apps
}}
https://*.{domain}:{tls_port}, https://*.*.{domain}:{tls_port} {{
    tls {certificate} {certificate}
    import apps
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
    platform: {{priority: 2, rule: "PathPrefix(`/v1/`)", service: platform, middlewares: [hourmark-platform]}}
  services:
    app: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{backend}"}}]}}}}
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
    tls_port: int

    def host(self, name: str, *, is_secure: bool = False) -> str:
        return f"{name}.{DOMAIN}:{self.tls_port if is_secure else self.port}"

    def client(self, name: str, **headers: str) -> httpx.Client:
        """Of one app."""
        given = {"Host": self.host(name)} | headers
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=given, timeout=10)

    def raw(self, head: str) -> socket.socket:
        """A connection on which this head was sent, line by line."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(head.replace("\n", "\r\n").encode("latin-1"))
        return connection

    def exchange(self, head: str, body: bytes = b"") -> bytes:
        """All that is answered on such a connection, until it is closed."""
        with self.raw(head) as connection:
            connection.sendall(body)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@contextmanager
def serve_app(platform: str) -> Iterator[int]:
    """The app of app.py, in a process of its own; gives its port."""
    port = free_port()
    arguments = [sys.executable, "-m", "uvicorn", "tests.journeys.door.app:app", "--port", str(port)]
    environment = clean_environment(**{PLATFORM: platform})
    with _running([*arguments, "--log-level", "error", "--ws", "wsproto"], port, environment):
        yield port


@contextmanager
def serve_proxy(
    kind: str, issuer: RunningIssuer, folder: Path, backend: int, *, address: str = ""
) -> Iterator[Proxy]:
    """Skips where there is none. address: of nginx, by which it proves itself in place of a secret."""
    program = _TRAEFIK_PROGRAM if kind == "traefik" else _installed(kind)
    port, tls_port = free_port(), free_port()
    exported = folder / "exported"
    proved_by = ("HOURMARKD_FORWARD_AUTH_SECRET",) if address else ()
    settings = {name: value for name, value in issuer.settings.items() if name not in proved_by}
    done = subprocess.run(
        [BIN / "hourmarkd", "export", kind, "--output", exported, "--address", issuer.url],
        env=clean_environment(**settings),
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    known = {
        "folder": folder,
        "exported": exported,
        "user": "user root;" if os.geteuid() == 0 else "",
        "port": port,
        "tls_port": tls_port,
        "certificate": self_signed(folder, f"*.{DOMAIN}"),
        "bind": f"proxy_bind {address};" if address else "",
        "domain": DOMAIN,
        "dots": f".{DOMAIN}".replace(".", "[.]"),
        "backend": backend,
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
        yield Proxy(kind, port, tls_port)


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
