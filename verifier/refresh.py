"""The only network of the verifier: keeps `Trust` fresh from one background thread.

Two tasks run in the thread's event loop. One keeps the keys: by the JWKS' own age, and when somebody asks
because of an unknown `kid`, but then at most once per cooldown. One keeps the status list: by long poll where
the issuer offers it (RFC 7240 `wait`), else every `ttl` seconds. A failed or bad answer changes nothing; it is
logged, and asked again later and later.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import threading
import time
import weakref
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from verifier import snapshot
from verifier.errors import DocumentError
from verifier.status_list import MAX_DOCUMENT_CHARACTERS
from verifier.trust import Trust

DEADLINE = 5.0
"""Seconds for a whole answer, whatever it is that is slow."""
COOLDOWN = 10.0
"""Seconds between two fetches of the keys that somebody else can cause."""
_LONG_POLL = 25
_KEYS_AGE = range(10, 3600)
_DEFAULT_KEYS_AGE = 300
_LIST_TTL = range(1, 300)
_MAX_BACKOFF = 30.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

logger = logging.getLogger(__name__)


class FetchError(Exception):
    """The issuer could not be reached, or answered something else than asked for."""


class Refresher:
    """Feeds a Trust until it is closed."""

    def __init__(self, trust: Trust, cache_path: Path | str | None = None) -> None:
        """Raises ValueError unless the issuer is an https URL, or http on this host."""
        url = urlsplit(trust.issuer)
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
            raise ValueError("the issuer must be an https URL (http only on loopback)")
        self.trust = trust
        self.list_uri = f"{trust.issuer}/status/1"
        self._jwks_uri = f"{trust.issuer}/.well-known/jwks.json"
        self._cache_path = None if cache_path is None else Path(cache_path)
        self._closed = False
        if self._cache_path is not None:
            snapshot.load(self._cache_path, trust, now=time.time())
        _alive.add(self)

    def start(self, wait: float) -> None:
        """Starts the thread; returns when the first keys and list are there, or after `wait` seconds."""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._keys_wanted = asyncio.Event()
        self._fetching_keys = asyncio.Lock()
        self._loaded = threading.Event()
        self._next_request = 0.0
        self._next_list_request = 0.0
        self._keys_age = _DEFAULT_KEYS_AGE
        self._etag: str | None = None
        self._thread = threading.Thread(target=self._main, name="hourmark-verifier", daemon=True)
        self._thread.start()
        self._loaded.wait(wait)

    def request_keys(self) -> None:
        """Asks for fresh keys without waiting for them. Cheap: attackers call this with every token."""
        if not self._closed and time.monotonic() >= self._next_request:
            self._next_request = float("inf")
            self._loop.call_soon_threadsafe(self._keys_wanted.set)

    def close(self) -> None:
        """Ends the thread; a request under way is dropped."""
        if not self._closed:
            self._closed = True
            _alive.discard(self)
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(DEADLINE)

    def _main(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        async with httpx.AsyncClient(follow_redirects=False, timeout=_LONG_POLL + DEADLINE) as client:
            tasks = [
                asyncio.create_task(self._keep_keys(client)),
                asyncio.create_task(self._keep_list(client)),
            ]
            await self._stop.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_keys(self, client: httpx.AsyncClient) -> None:
        failures = 0
        while True:
            self._keys_wanted.clear()
            failures = 0 if await self._refresh_keys(client) else failures + 1
            self._next_request = time.monotonic() + COOLDOWN
            self._announce()
            try:
                async with asyncio.timeout(_backoff(failures) if failures else self._keys_age):
                    await self._keys_wanted.wait()
            except TimeoutError:
                continue

    async def _keep_list(self, client: httpx.AsyncClient) -> None:
        failures = 0
        while True:
            try:
                delay = await self._refresh_list(client)
                failures = 0
            except (FetchError, DocumentError) as error:
                failures += 1
                delay = _backoff(failures)
                logger.warning("the status list was not refreshed: %s", error)
            self._announce()
            await asyncio.sleep(delay)

    async def _refresh_keys(self, client: httpx.AsyncClient) -> bool:
        async with self._fetching_keys:
            try:
                answer = await _get(client, self._jwks_uri, {}, DEADLINE)
                if answer.status_code != httpx.codes.OK:
                    raise FetchError(f"the JWKS answered {answer.status_code}")
                self.trust.update_keys(answer.content, now=time.time())
            except (FetchError, DocumentError) as error:
                logger.warning("the keys were not refreshed: %s", error)
                return False
            self._keys_age = _max_age(answer.headers.get("cache-control", ""))
            self._save()
            return True

    async def _refresh_list(self, client: httpx.AsyncClient) -> float:
        """Asks once; returns how many seconds to wait before the next time."""
        held = self.trust.lists.get(self.list_uri)
        headers = {"Accept": "application/statuslist+jwt"}
        if held is not None and self._etag is not None:
            headers |= {"If-None-Match": self._etag, "Prefer": f"wait={_LONG_POLL}"}
        answer = await _get(client, self.list_uri, headers, _LONG_POLL + DEADLINE if held else DEADLINE)
        long_poll = "wait=" in answer.headers.get("preference-applied", "")
        if answer.status_code == httpx.codes.OK:
            await self._accept_list(client, answer.content)
            self._etag = answer.headers.get("etag")
        elif answer.status_code != httpx.codes.NOT_MODIFIED:
            raise FetchError(f"the status list answered {answer.status_code}")
        now_held = self.trust.lists.get(self.list_uri)
        # An answer that brought nothing new although it was not asked to wait must not be asked for again at once.
        if now_held is not None and (now_held is not held or long_poll):
            return 0.0 if self._etag is not None else _clamp(now_held.content.ttl, _LIST_TTL)
        return _clamp(now_held.content.ttl if now_held else 0, _LIST_TTL)

    async def _accept_list(self, client: httpx.AsyncClient, document: bytes) -> None:
        """A list signed by another key than the last one may mean that keys were withdrawn: ask for them."""
        held = self.trust.lists.get(self.list_uri)
        try:
            self.trust.update_status_list(document, now=time.time(), uri=self.list_uri)
        except DocumentError as error:
            if error.code != "unknown_key" or not await self._refresh_keys_for_list(client):
                raise
            self.trust.update_status_list(document, now=time.time(), uri=self.list_uri)
        else:
            if held is not None and held.kid != self.trust.lists[self.list_uri].kid:
                await self._refresh_keys_for_list(client)
        self._save()

    async def _refresh_keys_for_list(self, client: httpx.AsyncClient) -> bool:
        """Outside the cooldown that unknown `kid`s of tokens share, within one of its own."""
        if time.monotonic() < self._next_list_request:
            return False
        self._next_list_request = time.monotonic() + COOLDOWN
        return await self._refresh_keys(client)

    def _announce(self) -> None:
        if self.trust.keys and self.list_uri in self.trust.lists:
            self._loaded.set()

    def _save(self) -> None:
        if self._cache_path is not None:
            snapshot.save(self._cache_path, self.trust)


async def _get(client: httpx.AsyncClient, url: str, headers: dict[str, str], deadline: float) -> httpx.Response:
    """A whole answer within `deadline` seconds and the size of the largest document. Raises FetchError."""
    try:
        async with asyncio.timeout(deadline), client.stream("GET", url, headers=headers) as answer:
            content = b""
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > MAX_DOCUMENT_CHARACTERS:
                    raise FetchError(f"{url} is longer than any document")
            return httpx.Response(
                answer.status_code,
                headers=[(k, v) for k, v in answer.headers.items() if k != "content-encoding"],
                content=content,
            )
    except (httpx.HTTPError, TimeoutError) as error:
        raise FetchError(f"{url}: {type(error).__name__}") from error


def _max_age(cache_control: str) -> int:
    match = re.search(r"max-age=(\d{1,9})", cache_control)
    return _clamp(int(match[1]) if match else _DEFAULT_KEYS_AGE, _KEYS_AGE)


def _clamp(seconds: int, bounds: range) -> int:
    return min(max(seconds, bounds.start), bounds.stop)


def _backoff(failures: int) -> float:
    """Longer with each failure, and spread so that verifiers do not come back all at once."""
    return min(2.0 ** (failures - 1), _MAX_BACKOFF) * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret


def _restart_in_child() -> None:
    """A forked child has the parent's memory but not its threads; the parent's sockets are left alone."""
    for refresher in list(_alive):
        refresher.start(wait=0)


_alive: weakref.WeakSet[Refresher] = weakref.WeakSet()
os.register_at_fork(after_in_child=_restart_in_child)
