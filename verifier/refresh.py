"""The only network of the verifier: keeps `Trust` fresh from one background thread.

Two tasks run in the thread's event loop. One keeps the keys, by the JWKS' own age. One keeps the status list,
by long poll where the issuer offers it (RFC 7240 `wait`), else every `ttl` seconds. Tokens with an unknown
`kid` bring the keys forward, at most once per cooldown; so does a list that another key signed; changed keys
bring the list forward. A failed or bad answer changes nothing; it is logged, and asked again later and later.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import math
import os
import random
import re
import selectors
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import httpx

from verifier import snapshot
from verifier.errors import DocumentError
from verifier.status_list import MAX_DOCUMENT_CHARACTERS
from verifier.trust import Trust

DEADLINE = 5.0
"""Seconds for a whole answer, whatever it is that is slow."""
COOLDOWN = 10.0
"""Seconds between two fetches of the keys that tokens can cause."""
_PAUSE = 0.5
"""Seconds between two requests for one document that the issuer's answers can cause."""
_LONG_POLL = 25
_KEYS_AGE = (10.0, 3600.0)
_DEFAULT_KEYS_AGE = 300.0
_LIST_TTL = (1.0, 300.0)
_BACKOFF = (0.5, 30.0)
_FORK_PATIENCE = 1.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

T = TypeVar("T")
logger = logging.getLogger(__name__)


class FetchError(Exception):
    """The issuer answered something else than a document."""


class Refresher:
    """Feeds a Trust until it is closed, in this process and in every child forked from it."""

    def __init__(self, trust: Trust, cache_path: Path | str | None = None) -> None:
        """Raises ValueError unless the issuer is an https URL, or http on this host."""
        try:
            url = httpx.URL(trust.issuer)
        except httpx.InvalidURL as error:
            raise ValueError("the issuer is not a URL") from error
        if not url.host or not (url.scheme == "https" or (url.scheme == "http" and url.host in _LOOPBACK)):
            raise ValueError("the issuer must be an https URL (http only on loopback)")
        self._trust = trust
        # Absolute, because a service may change its working directory after it has started.
        self._cache_path = None if cache_path is None else Path(cache_path).absolute()
        if self._cache_path is not None:
            snapshot.load(self._cache_path, trust, now=time.time())
        self._closed = False
        self.worker = Worker(trust, self._cache_path)

    def start(self, wait: float) -> None:
        """Starts the thread; returns when the first keys and list are there, or after `wait` seconds."""
        _alive.add(self)
        self.worker.thread.start()
        if self._closed:  # by another thread, which found no thread to end
            self.close()
        self.worker.loaded.wait(wait)

    def start_in_child(self) -> None:
        """A forked child has the parent's memory but not its threads."""
        # Kept for ever: to finalize the old loop would change the selector that it shares with the parent's.
        _inherited.append(self.worker)
        self.worker = Worker(self._trust, self._cache_path)
        self.start(wait=0)

    def request_keys(self) -> None:
        """Asks for fresh keys without waiting for them. Cheap: attackers call this with every token."""
        self.worker.request_keys()

    def close(self) -> None:
        """Ends the thread; a request under way is dropped."""
        self._closed = True
        self.worker.stop()
        _alive.discard(self)


class Worker:
    """One thread in one process, and what runs in it. Nothing of it is of use after a fork."""

    def __init__(self, trust: Trust, cache_path: Path | None) -> None:
        self.thread = threading.Thread(target=self._main, name="hourmark-verifier", daemon=True)
        self.awake = threading.Lock()
        """Held by the thread except while it waits for the network."""
        self.loaded = threading.Event()
        self._trust = trust
        self._cache_path = cache_path
        self._list_uri = f"{trust.issuer}/status/1"
        self._etag = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False
        self._stop = asyncio.Event()
        self._keys_requested = False
        self._keys_due = _Due("the JWKS", at_once=True)
        self._list_due = _Due("the status list", at_once=bool(trust.keys))  # no list is read without keys

    def request_keys(self) -> None:
        if not self._keys_requested:
            self._keys_requested = True
            self._tell(lambda: self._keys_due.ask(COOLDOWN))

    def stop(self) -> None:
        """From any thread, at any time, any number of times."""
        self._stopped = True
        self._tell(self._stop.set)
        # The thread may not be started yet, or be this one, in which the garbage collector found a verifier.
        with suppress(RuntimeError):
            self.thread.join(DEADLINE)

    def _tell(self, callback: Callable[[], None]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # it is closed
                self._loop.call_soon_threadsafe(callback)

    def _main(self) -> None:
        try:
            with self.awake, asyncio.Runner(loop_factory=lambda: _Loop(_Selector(self.awake))) as runner:
                runner.run(self._run())
        finally:
            self.loaded.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._stopped:
            return
        # Plain http stays on this host, past any proxy. Nothing is compressed: little could become a lot.
        https, headers = self._list_uri.startswith("https"), {"Accept-Encoding": "identity"}
        self._client = httpx.AsyncClient(trust_env=https, headers=headers, timeout=DEADLINE + _LONG_POLL)
        async with self._client, asyncio.TaskGroup() as group:
            keys = group.create_task(self._keep(self._keys_due, self._refresh_keys))
            lists = group.create_task(self._keep(self._list_due, self._refresh_list))
            await self._stop.wait()
            keys.cancel()
            lists.cancel()

    async def _keep(self, due: _Due, refresh: Callable[[], Awaitable[float]]) -> None:
        failures = 0
        while True:
            await due.wait()
            try:
                pause = await refresh()
                failures = 0
            except Exception as error:  # noqa: BLE001 - whatever it is, never to refresh again would be worse
                failures += 1
                pause = _backoff(failures)
                # The text of any other error could quote the answer.
                told = isinstance(error, FetchError | DocumentError | httpx.ConnectError)
                reason = repr(error) if told else type(error).__name__
                logger.warning("%s was not refreshed: %s", due.what, reason)
            due.ask(pause)
            if due is self._list_due and self._list_uri in self._trust.lists:
                self.loaded.set()

    async def _refresh_keys(self) -> float:
        """Asks once; returns how many seconds after that to ask again."""
        self._keys_requested = False
        answer, document = await self._get(f"{self._trust.issuer}/.well-known/jwks.json", {}, DEADLINE)
        before = self._trust.keys
        self._trust.update_keys(document, now=time.time())
        self._save()
        if self._trust.keys is not before:
            self._list_due.ask(0)
        max_age = re.search(r"max-age=(\d{1,9})", answer.headers.get("cache-control", ""))
        return _clamp(float(max_age[1]) if max_age else _DEFAULT_KEYS_AGE, _KEYS_AGE)

    async def _refresh_list(self) -> float:
        """Asks once; returns how many seconds after that to ask again."""
        asked_at, held = time.monotonic(), self._trust.lists.get(self._list_uri)
        headers, deadline = {"Accept": "application/statuslist+jwt"}, DEADLINE
        conditional = held is not None and self._etag != ""
        if conditional:
            headers |= {"If-None-Match": self._etag, "Prefer": f"wait={_LONG_POLL}"}
            deadline += _LONG_POLL
        answer, document = await self._get(self._list_uri, headers, deadline)
        if answer.status_code == httpx.codes.OK:
            self._accept_list(document)
            etag = answer.headers.get("etag", "")
            self._etag = etag if etag.isascii() else ""
        signed = self._trust.lists.get(self._list_uri)
        if signed is None:
            raise FetchError("not modified, but there is no list any more")
        if conditional and signed is held:
            # No news is asked for again soon only where it was waited for.
            waits = "wait=" in answer.headers.get("preference-applied", "")
            soon = waits and time.monotonic() >= asked_at + _PAUSE
        else:
            soon = self._etag != ""  # news may be followed by more, which the issuer may let us wait for
        return _PAUSE if soon else _clamp(signed.content.ttl, _LIST_TTL)

    def _accept_list(self, document: bytes) -> None:
        """A list signed by another key than the last may mean that keys were withdrawn: asks for them too."""
        held = self._trust.lists.get(self._list_uri)
        try:
            self._trust.update_status_list(document, now=time.time(), uri=self._list_uri)
        except DocumentError as error:
            if error.code == "unknown_key":
                self._keys_due.ask(_PAUSE)
            raise
        signed = self._trust.lists[self._list_uri]
        if held is not None and signed.kid != held.kid:
            self._keys_due.ask(_PAUSE)
        if signed is not held:
            self._save()

    async def _get(self, uri: str, headers: dict[str, str], deadline: float) -> tuple[httpx.Response, bytes]:
        """A document or "not modified", within `deadline` seconds and the size of the largest document."""
        document = bytearray()
        async with asyncio.timeout(deadline), self._client.stream("GET", uri, headers=headers) as answer:
            if answer.status_code not in (httpx.codes.OK, httpx.codes.NOT_MODIFIED):
                raise FetchError(f"status {answer.status_code}")
            async for chunk in answer.aiter_raw():
                document += chunk
                if len(document) > MAX_DOCUMENT_CHARACTERS:
                    raise FetchError("longer than any document")
        return answer, bytes(document)

    def _save(self) -> None:
        if self._cache_path is not None:
            snapshot.save(self._cache_path, self._trust)


class _Due:
    """When a document is asked for next."""

    def __init__(self, what: str, *, at_once: bool) -> None:
        self.what = what
        self._last = -math.inf
        self._next = 0.0 if at_once else math.inf
        self._changed = asyncio.Event()

    def ask(self, pause: float) -> None:
        """Not later than `pause` seconds after the last time."""
        self._next = min(self._next, self._last + pause)
        self._changed.set()

    async def wait(self) -> None:
        """Until then; what is asked for from now on is the time after."""
        while (rest := self._next - time.monotonic()) > 0:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._changed.wait()
        self._last, self._next = time.monotonic(), math.inf


class _Selector(selectors.DefaultSelector):
    """Gives a lock away while it waits."""

    def __init__(self, lock: threading.Lock) -> None:
        super().__init__()
        self._lock = lock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._lock.release()
        try:
            return super().select(timeout)
        finally:
            self._lock.acquire()


class _Loop(asyncio.SelectorEventLoop):
    """Looks names up in daemon threads: an executor would make the end of the process wait for the DNS."""

    def run_in_executor(self, _: object, func: Callable[..., T], *args: object) -> asyncio.Future[T]:
        answer: concurrent.futures.Future[T] = concurrent.futures.Future()
        answer.set_running_or_notify_cancel()  # who gives up leaves it behind

        def look_up() -> None:
            try:
                answer.set_result(func(*args))
            except OSError as error:
                answer.set_exception(error)

        threading.Thread(target=look_up, name="hourmark-verifier-dns", daemon=True).start()
        return asyncio.wrap_future(answer, loop=self)


def _clamp(seconds: float, bounds: tuple[float, float]) -> float:
    return min(max(seconds, bounds[0]), bounds[1])


def _backoff(failures: int) -> float:
    """Longer with each failure, and spread so that verifiers do not come back all at once."""
    first, last = _BACKOFF
    return min(first * 2.0 ** min(failures - 1, 10), last) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _before_fork() -> None:
    """Halts our threads: what is locked or half imported now would for ever be so in the child."""
    workers = [refresher.worker for refresher in list(_alive)]
    _fork.halted = [worker for worker in workers if worker.awake.acquire(timeout=_FORK_PATIENCE)]


def _after_fork_in_parent() -> None:
    for worker in _fork.halted:
        worker.awake.release()


def _after_fork_in_child() -> None:
    for refresher in list(_alive):
        refresher.start_in_child()


_fork = threading.local()
_alive: set[Refresher] = set()
_inherited: list[Worker] = []
if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows cannot fork
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )
