"""A thread with an event loop, which ends when it is told to and begins anew in a forked process.

A forked child has the parent's memory but not its threads. What a thread had locked or half imported would
for ever be so in the child, so a fork waits until ours wait themselves; the child starts threads of its own.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import selectors
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Protocol, TypeVar

_JOIN_SECONDS = 5.0
_FORK_PATIENCE = 1.0

T = TypeVar("T")


class Background:
    """One thread in one process. Nothing of it is of use after a fork."""

    def __init__(self, name: str, run: Callable[[], Coroutine[None, None, None]]) -> None:
        """run: what the thread does until it is stopped; it is cancelled then."""
        self.thread = threading.Thread(target=self._main, name=name, daemon=True)
        self.awake = threading.Lock()
        """Held by the thread except while it waits for the network or for a moment."""
        self._run = run
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False
        self._stop = asyncio.Event()

    def tell(self, callback: Callable[[], None]) -> None:
        """Has the thread call it; does nothing before the thread runs or after its end."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it is closed
                self._loop.call_soon_threadsafe(callback)

    def stop(self) -> None:
        """From any thread, at any time, any number of times."""
        self._stopped = True
        self.tell(self._stop.set)
        # The thread may not be started yet, or be this one, in which the garbage collector found its owner.
        with suppress(RuntimeError):
            self.thread.join(_JOIN_SECONDS)

    def _main(self) -> None:
        with self.awake, asyncio.Runner(loop_factory=lambda: _Loop(_Selector(self.awake))) as runner:
            runner.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._stopped:
            return
        running = asyncio.create_task(self._run())
        await self._stop.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class Owner(Protocol):
    """Who has a background thread, and wants one in a child too."""

    background: Background

    def start_in_child(self) -> None:
        """Replaces `background` by one that runs. The old one must be kept: see `inherited`."""


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


def _before_fork() -> None:
    backgrounds = [owner.background for owner in list(alive)]
    _fork.halted = [each for each in backgrounds if each.awake.acquire(timeout=_FORK_PATIENCE)]


def _after_fork_in_parent() -> None:
    for background in _fork.halted:
        background.awake.release()


def _after_fork_in_child() -> None:
    for owner in list(alive):
        inherited.append(owner.background)
        owner.start_in_child()


_fork = threading.local()
alive: set[Owner] = set()
"""Whose threads run."""
inherited: list[Background] = []
"""The parents', kept for ever: to finalize their loops would change selectors that are theirs too."""
if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows cannot fork
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )
