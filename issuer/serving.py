"""Running the issuer under uvicorn, in one process or several."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import anyio
import structlog
from sqlalchemy.exc import SQLAlchemyError
from uvicorn import Config, Server
from uvicorn.supervisors import Multiprocess

from issuer.connection import BoundedConnection
from issuer.obstacle import Obstacle
from issuer.service import Service, open_service
from issuer.settings import Settings
from issuer.setup import open_database, read_key_encryption_key
from issuer.store.database import StoreUnavailable

_GRACE = 5
"""Seconds for requests under way when the server is told to stop."""
_RETRY_SECONDS = 0.5

logger = structlog.get_logger()


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


def stop_with_supervisor() -> None:
    """Has this process told to stop when the one that watches over it is gone: it would keep the port."""
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        return
    loop, gone = asyncio.get_running_loop(), supervisor.sentinel

    def stop() -> None:
        loop.remove_reader(gone)
        signal.raise_signal(signal.SIGTERM)

    loop.add_reader(gone, stop)


def rehearse(settings: Settings) -> None:
    """Starts and closes a service, so that what stands in the way is said in one line, and once.

    Raises SetupError, StoreUnavailable, OtherIssuer, keys.SealBroken.
    """

    async def start() -> None:
        service = await _open(settings)
        await service.close()

    anyio.run(start)


async def open_patiently(settings: Settings) -> Service:
    """A service that could be rehearsed; waits for a database that has gone since, until it is told to stop.

    A worker that takes a dead one's place must not fail: uvicorn would end its neighbours too, and they serve
    keys and list meanwhile.
    """
    told_to_stop = asyncio.Event()
    before_stop(told_to_stop.set)
    while True:
        try:
            return await _open(settings)
        except (StoreUnavailable, SQLAlchemyError) as error:
            # The driver's text may hold the database's password.
            logger.warning("start_postponed", reason=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_SECONDS):
                    await told_to_stop.wait()
                    raise


async def _open(settings: Settings) -> Service:
    database = open_database(settings)
    try:
        return await open_service(settings, database, read_key_encryption_key(settings))
    except BaseException:
        database.close()
        raise


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
