"""Running the issuer under uvicorn, in one process or several."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from types import FrameType

import anyio
from uvicorn import Config, Server
from uvicorn.supervisors import Multiprocess

from issuer.connection import BoundedConnection
from issuer.obstacle import Obstacle
from issuer.service import open_service
from issuer.settings import Settings
from issuer.setup import open_database, read_key_encryption_key

_GRACE = 5
"""Seconds for requests under way when the server is told to stop."""


class PortTaken(Obstacle):
    """The address cannot be listened on."""


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
            f"cannot listen on {host}:{port}: {error.strerror}", "choose another one with --port"
        ) from error
    return listener


def before_stop(release: Callable[[], None]) -> None:
    """Has `release` called when the process is told to stop, before requests under way are waited for."""
    loop = asyncio.get_running_loop()

    def handler_for(told: signal.Signals) -> None:
        earlier = signal.getsignal(told)

        def handle(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(release)
            if callable(earlier):
                earlier(number, frame)

        signal.signal(told, handle)

    handler_for(signal.SIGTERM)
    handler_for(signal.SIGINT)


def rehearse(settings: Settings) -> None:
    """Starts and closes a service, so that what stands in the way is said in one line, and once.

    Raises SetupError, StoreUnavailable, OtherIssuer, keys.SealBroken.
    """

    async def start() -> None:
        database = open_database(settings)
        try:
            service = await open_service(settings, database, read_key_encryption_key(settings))
            await service.close()
        finally:
            database.close()

    anyio.run(start)


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
        ws="none",
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
