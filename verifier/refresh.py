"""The only network of the verifier: keeps `Trust` fresh from one background thread.

Two tasks run in the thread's event loop. One keeps the keys, by the JWKS' own age. One keeps the status list,
every `ttl` seconds, and by long poll where the issuer offers it (RFC 7240 `wait`). Tokens with an unknown
`kid` bring the keys forward, at most once per cooldown; so does a list that another key signed; changed keys
bring the list forward. A failed or bad answer changes nothing; it is logged, and asked again later and later.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import re
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from verifier import background, snapshot
from verifier.background import Background
from verifier.errors import DocumentError
from verifier.status_list import MAX_DOCUMENT_CHARACTERS
from verifier.trust import Trust

DEADLINE = 5.0
"""Seconds for a whole answer, whatever it is that is slow."""
COOLDOWN = 10.0
"""Seconds between two fetches of the keys that tokens can cause."""
_PAUSE = 0.5
"""Seconds between two requests for one document that the issuer's answers can cause."""
_SETTLING = 2.0
"""Seconds within which every process of the issuer has heard of a change."""
_LONG_POLL = 25
_KEYS_AGE = (10.0, 3600.0)
_DEFAULT_KEYS_AGE = 300.0
_LIST_TTL = (1.0, 300.0)
_BACKOFF = (0.5, 30.0)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

logger = logging.getLogger(__name__)


class FetchError(Exception):
    """The issuer answered something else than a document."""


def check_issuer(issuer: str) -> None:
    """Raises ValueError unless it is an https URL, or http on this host."""
    try:
        url = httpx.URL(issuer)
    except httpx.InvalidURL as error:
        raise ValueError("the issuer is not a URL") from error
    if not url.host or not (url.scheme == "https" or (url.scheme == "http" and url.host in _LOOPBACK)):
        raise ValueError("the issuer must be an https URL (http only on loopback)")


def client_of(issuer: str, timeout: float) -> httpx.AsyncClient:
    """Plain http stays on this host, past any proxy. Nothing is compressed: little could become a lot."""
    headers = {"Accept-Encoding": "identity"}
    return httpx.AsyncClient(trust_env=issuer.startswith("https"), headers=headers, timeout=timeout)


class Refresher:
    """Feeds a Trust until it is closed, in this process and in every child forked from it."""

    background: Background
    _keys_requested: bool
    _keys_due: _Due

    def __init__(self, trust: Trust, cache_path: Path | str | None = None) -> None:
        """Raises ValueError unless the issuer is an https URL, or http on this host."""
        check_issuer(trust.issuer)
        self._trust = trust
        self._list_uri = f"{trust.issuer}/status/1"
        # Absolute, because a service may change its working directory after it has started.
        self._cache_path = None if cache_path is None else Path(cache_path).absolute()
        if self._cache_path is not None:
            snapshot.load(self._cache_path, trust, now=time.time())
        self._closed = False
        self._prepare()

    def start(self, wait: float) -> None:
        """Starts the thread; returns when the first keys and list are there, or after `wait` seconds."""
        background.alive.add(self)
        self.background.thread.start()
        if self._closed:  # by another thread, which found no thread to end
            self.close()
        self._loaded.wait(wait)

    def start_in_child(self) -> None:
        """Begins anew: only what trust holds is of use in a forked child."""
        self._prepare()
        self.start(wait=0)

    def request_keys(self) -> None:
        """Asks for fresh keys without waiting for them. Cheap: attackers call this with every token."""
        if not self._keys_requested:
            self._keys_requested = True
            self.background.tell(lambda: self._keys_due.ask(COOLDOWN))

    def close(self) -> None:
        """Ends the thread; a request under way is dropped."""
        self._closed = True
        self.background.stop()
        background.alive.discard(self)

    def _prepare(self) -> None:
        self.background = Background("hourmark-verifier", self._run)
        self._loaded = threading.Event()
        self._etag = ""
        self._signer_changed_at = -math.inf
        self._keys_requested = False
        self._keys_due = _Due("the JWKS", at_once=True)
        # No list is read without keys.
        self._list_due = _Due("the status list", at_once=bool(self._trust.keys))

    async def _run(self) -> None:
        self._client = client_of(self._trust.issuer, DEADLINE + _LONG_POLL)
        try:
            async with self._client, asyncio.TaskGroup() as group:
                group.create_task(self._keep(self._keys_due, self._refresh_keys))
                group.create_task(self._keep(self._list_due, self._refresh_list))
        finally:
            self._loaded.set()

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
                self._loaded.set()

    async def _refresh_keys(self) -> float:
        """Asks once; returns how many seconds after that to ask again."""
        self._keys_requested, asked_at = False, time.monotonic()
        uri = f"{self._trust.issuer}/.well-known/jwks.json"
        answer, document = await fetch(self._client, uri, {}, DEADLINE)
        before = self._trust.keys
        self._trust.update_keys(document, now=time.time())
        self._save()
        if self._trust.keys is not before:
            self._list_due.ask(0)
        if asked_at < self._signer_changed_at + _SETTLING:
            return _SETTLING  # a process may have answered that knows less than the one that sent the list
        return keys_age(answer)

    async def _refresh_list(self) -> float:
        """Asks once; returns how many seconds after that to ask again."""
        asked_at, held = time.monotonic(), self._trust.lists.get(self._list_uri)
        headers, deadline = {"Accept": "application/statuslist+jwt"}, DEADLINE
        conditional = held is not None and self._etag != ""
        if held is not None and conditional:
            # Of several hosts one may be cut off: who waits there must hear of news within the `ttl` too.
            wait = int(min(_LONG_POLL, _clamp(held.content.ttl, _LIST_TTL)))
            headers |= {"If-None-Match": self._etag, "Prefer": f"wait={wait}"}
            deadline += wait
        answer, document = await fetch(self._client, self._list_uri, headers, deadline)
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
            self._signer_changed_at = time.monotonic()
            self._keys_due.ask(_PAUSE)
        if signed is not held:
            self._save()

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


async def fetch(
    client: httpx.AsyncClient, uri: str, headers: Mapping[str, str], deadline: float
) -> tuple[httpx.Response, bytes]:
    """A document or "not modified", within `deadline` seconds and the size of the largest document.

    The client follows no redirects. Raises FetchError, TimeoutError, httpx.HTTPError.
    """
    document = bytearray()
    async with asyncio.timeout(deadline), client.stream("GET", uri, headers=headers) as answer:
        if answer.status_code not in (httpx.codes.OK, httpx.codes.NOT_MODIFIED):
            raise FetchError(f"status {answer.status_code}")
        async for chunk in answer.aiter_raw():
            document += chunk
            if len(document) > MAX_DOCUMENT_CHARACTERS:
                raise FetchError("longer than any document")
    return answer, bytes(document)


def keys_age(answer: httpx.Response) -> float:
    """How many seconds after this JWKS to ask for the next, by its `Cache-Control`, within bounds."""
    max_age = re.search(r"max-age=(\d{1,9})", answer.headers.get("cache-control", ""))
    return _clamp(float(max_age[1]) if max_age else _DEFAULT_KEYS_AGE, _KEYS_AGE)


def _clamp(seconds: float, bounds: tuple[float, float]) -> float:
    return min(max(seconds, bounds[0]), bounds[1])


def _backoff(failures: int) -> float:
    """Longer with each failure, and spread so that verifiers do not come back all at once."""
    first, last = _BACKOFF
    return min(first * 2.0 ** min(failures - 1, 10), last) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
