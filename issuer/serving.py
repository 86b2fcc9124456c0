"""Running the issuer under uvicorn, in one process or several."""

from __future__ import annotations

import socket

from uvicorn import Config, Server
from uvicorn.supervisors import Multiprocess

from issuer.connection import BoundedConnection
from issuer.settings import Settings

_GRACE = 5
"""Seconds for requests under way when the server is told to stop."""


class PortTaken(Exception):
    """The address cannot be listened on; the message says why."""


def listen(host: str, port: int) -> socket.socket:
    """Takes the port before anything is started, so that a taken one is said at once. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another one with --port"
        ) from error
    return listener


def run(settings: Settings, listener: socket.socket, *, workers: int) -> bool:
    """Serves until it is told to stop; says whether it could start."""
    config = Config(
        "issuer.app:from_environment",
        factory=True,
        workers=workers,
        # Our own line a request says more, and never a raw path.
        access_log=False,
        log_config=None,
        http=BoundedConnection,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=_GRACE,
    )
    if workers > 1:
        Multiprocess(config, sockets=[listener]).run()
        return True
    server = Server(config)
    server.run(sockets=[listener])
    return server.started
