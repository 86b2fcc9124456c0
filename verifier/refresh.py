"""The only network of the verifier: keeps `Trust` fresh from one background thread.

Two tasks run in the thread's event loop. One keeps the keys, by the JWKS' own age. One keeps the status list,
by long poll where the issuer offers it (RFC 7240 `wait`), else every `ttl` seconds. Each can be brought forward:
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
        self.session = Session(trust, self._cache_path)

    def start(self, wait: float) -> None:
        """Starts the thread; returns when the first keys and list are there, or after `wait` seconds."""
        _alive.add(self)
        self.session.thread.start()
        if self._closed:  # by another thread, which found no thread to end
            self.close()
        self.session.loaded.wait(wait)

    def start_in_child(self) -> None:
        """A forked child has the parent's memory but not its threads."""
        # Kept for ever: to finalize the old loop would change the selector that it shares with the parent's.
        _inherited.append(self.session)
        self.session = Session(self._trust, self._cache_path)
        self.start(wait=0)

    def request_keys(self) -> None:
        """Asks for fresh keys without waiting for them. Cheap: attackers call this with every token."""
        self.session.request_keys()

    def close(self) -> None:
        """Ends the thread; a request under way is dropped."""
        self._closed = True
        _alive.discard(self)
        self.session.stop()


class Session:
    """One thread in one process, and what runs in it. Nothing of it is of use after a fork."""

    def __init__(self, trust: Trust, cache_path: Path | None) -> None:
        self.thread = threading.Thread(target=self._main, name="hourmark-verifier", daemon=True)
        self.tried = threading.Event()
        self.loaded = threading.Event()
        self._trust = trust
        self._cache_path = cache_path
        self._list_uri = f"{trust.issuer}/status/1"
        self._etag = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()
        self._keys_requested = False
        self._keys_due = _Due("the JWKS", at_once=True)
        self._list_due = _Due("the status list", at_once=bool(trust.keys))  # no list is read without keys
        self._untried = {self._keys_due, self._list_due}

    def request_keys(self) -> None:
        if not self._keys_requested:
            self._keys_requested = True
            self._tell(lambda: self._keys_due.ask(COOLDOWN))

    def stop(self) -> None:
        """From any thread, at any time, any number of times."""
        self._tell(self._stopped.set)
        # The thread is not started yet, or it is this one, in which the garbage collector found a verifier.
        with suppress(RuntimeError):
            self.thread.join(DEADLINE)

    def _tell(self, callback: Callable[[], None]) -> None:
        ...
