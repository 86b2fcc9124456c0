"""The only network of the verifier: keeps `Trust` fresh from one background thread.

Two tasks run in the thread's event loop. One keeps the keys, by the JWKS' own age. One keeps the status list, by
long poll where the issuer offers it (RFC 7240 `wait`), else every `ttl` seconds. Either can be brought forward:
the keys by a token with an unknown `kid`, at most once per cooldown, and by a list that another key signed; the
list by changed keys. A failed or bad answer changes nothing; it is logged, and asked again later and later.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import math
import os
import random
import re
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
        """Raises ValueError unless the issuer is a plain https URL, or http on this host."""
        try:
            url = httpx.URL(trust.issuer)
        except httpx.InvalidURL as error:
            raise ValueError("the issuer is not a URL") from error
        if not url.host or not (url.scheme == "https" or (url.scheme == "http" and url.host in _LOOPBACK)):
            raise ValueError("the issuer must be an https URL (http only on loopback)")
        if url.userinfo or url.query or url.fragment:
            raise ValueError("the issuer's URL has no user, query or fragment")
        self._trust = trust
        # Absolute, because a service may change its working directory after it has started.
        self._cache_path = None if cache_path is None else Path(cache_path).absolute()
        if self._cache_path is not None:
            snapshot.load(self._cache_path, trust, now=time.time())
        self._closed = False
        self._session = _Session(trust, self._cache_path)

    def start(self, wait: float) -> None:
        """Starts the thread; returns when the first keys and list are there, or after `wait` seconds."""
        _alive.add(self)
        self._session.thread.start()
        if self._closed:  # by another thread, which found no thread to end
            self.close()
        self._session.loaded.wait(wait)

    def request_keys(self) -> None:
        """Asks for fresh keys without waiting for them. Cheap: attackers call this with every token."""
        self._session.request_keys()

    def close(self) -> None:
        """Ends the thread; a request under way is dropped."""
        self._closed = True
        _alive.discard(self)
        self._session.stop()

    def await_imports(self) -> None:
        """Before a fork: the first request imports, and nobody in the child would finish half a module."""
        self._session.tried.wait(_FORK_PATIENCE)

    def start_anew(self) -> None:
        """In a forked child, which has the parent's memory but not its threads."""
        # Kept for ever: to finalize the old loop here would change the selector that it shares with the parent's.
        _inherited.append(self._session)
        self._session = _Session(self._trust, self._cache_path)
        self.start(wait=0)


class _Session:
    """One thread of one process and what runs in it."""

    def __init__(self, trust: Trust, cache_path: Path | None) -> None:
        self.thread = threading.Thread(target=self._main, name="hourmark-verifier", daemon=True)
        self.tried = threading.Event()
        self.loaded = threading.Event()
        self._trust = trust
        self._cache_path = cache_path
        self._jwks_uri = f"{trust.issuer}/.well-known/jwks.json"
        self._list_uri = f"{trust.issuer}/status/1"
        self._etag = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False
        self._stop = asyncio.Event()
        self._keys_requested = False
        self._keys_due = _Due(at_once=True)
        self._list_due = _Due(at_once=bool(trust.keys))  # without keys no list could be read
        self._untried = {self._keys_due, self._list_due}

    def request_keys(self) -> None:
        if self._loop is not None and not self._keys_requested:
            self._keys_requested = True
            self._call(self._loop, lambda: self._keys_due.ask(COOLDOWN))

    def stop(self) -> None:
        """From any thread, at any time, any number of times."""
        self._stopped = True
        if self._loop is not None:
            self._call(self._loop, self._stop.set)
        # It is not started yet, or it is this very thread, in which the garbage collector found a verifier.
        with suppress(RuntimeError):
            self.thread.join(DEADLINE)

    @staticmethod
    def _call(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(callback)

    def _main(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_Loop) as runner:
                runner.run(self._run())
        finally:
            self.tried.set()
            self.loaded.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._stopped:
            return
        # Plain http stays on this host, past any proxy; no answer is compressed, or a small one could be huge.
        https, headers = self._jwks_uri.startswith("https"), {"Accept-Encoding": "identity"}
        async with httpx.AsyncClient(trust_env=https, headers=headers, timeout=None) as client:
            async with asyncio.TaskGroup() as group:
                keys = group.create_task(self._keep(self._keys_due, lambda: self._refresh_keys(client)))
                lists = group.create_task(self._keep(self._list_due, lambda: self._refresh_list(client)))
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
                # The texts of other errors could quote the answer.
                text = str(error) if isinstance(error, FetchError | DocumentError | httpx.ConnectError) else ""
                logger.warning("%s was not refreshed: %s %s", due.what, type(error).__name__, text)
            due.ask(pause)
            self._untried.discard(due)
            self.tried.set()
            if not self._untried and self._trust.keys and self._list_uri in self._trust.lists:
                self.loaded.set()

    async def _refresh_keys(self, client: httpx.AsyncClient) -> float:
        """Asks once; returns how many seconds after that to ask again."""
        self._keys_requested = False
        answer, document = await _get(client, self._jwks_uri, {}, DEADLINE)
        if answer.status_code != httpx.codes.OK:
            raise FetchError(f"status {answer.status_code}")
        before = self._trust.keys
        self._trust.update_keys(document, now=time.time())
        self._save()
        if self._trust.keys is not before:
            self._list_due.ask(0)
        max_age = re.search(r"max-age=(\d{1,9})", answer.headers.get("cache-control", ""))
        return _clamp(float(max_age[1]) if max_age else _DEFAULT_KEYS_AGE, _KEYS_AGE)

    async def _refresh_list(self, client: httpx.AsyncClient) -> float:
        """Asks once; returns how many seconds after that to ask again."""
        asked_at, held = time.monotonic(), self._trust.lists.get(self._list_uri)
        headers, deadline = {"Accept": "application/statuslist+jwt"}, DEADLINE
        conditional = held is not None and self._etag != ""
        if conditional:
            headers |= {"If-None-Match": self._etag, "Prefer": f"wait={_LONG_POLL}"}
            deadline += _LONG_POLL
        answer, document = await _get(client, self._list_uri, headers, deadline)
        if answer.status_code == httpx.codes.OK:
            self._accept_list(document)
            etag = answer.headers.get("etag", "")
            self._etag = etag if etag.isascii() else ""
        elif answer.status_code != httpx.codes.NOT_MODIFIED or self._list_uri not in self._trust.lists:
            raise FetchError(f"status {answer.status_code}")
        now_held = self._trust.lists[self._list_uri]
        waited = now_held is not held or time.monotonic() >= asked_at + _PAUSE
        if conditional and waited and "wait=" in answer.headers.get("preference-applied", ""):
            return _PAUSE
        # The first answer
        ...
