"""Requests without a pause from several sides, each answer kept with the moment when it was asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

_END_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """One answer, without its text: those hold tokens."""

    what: str
    asked_at: float
    """time.monotonic(), like all moments here."""
    answered_at: float
    status: int
    retry_after: str | None


class Load:
    """A context manager that asks until its end. A broken connection instead of an answer is its error."""

    def __init__(self, asks: dict[str, list[Callable[[], httpx.Response]]], *, rate: float = 100.0) -> None:
        """asks: by name what is asked again and again, each by a side of its own.

        rate: how often a second by each name, at most: what is tested is the issuer, not its speed.
        """
        self.answers: list[Answer] = []
        self._failures: list[Exception] = []
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(what, ask, len(sides) / rate), name=f"load: {what}")
            for what, sides in asks.items()
            for ask in sides
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(_END_SECONDS)
        if error is None and self._failures:
            raise self._failures[0]

    def between(self, begin: float, end: float) -> list[Answer]:
        """What was asked and answered within these moments."""
        return [each for each in self.answers if begin <= each.asked_at and each.answered_at < end]

    def _ask(self, what: str, ask: Callable[[], httpx.Response], pause: float) -> None:
        while not self._ended.is_set():
            asked_at = time.monotonic()
            try:
                answer = ask()
            except Exception as error:  # noqa: BLE001 - raised again where the load ends
                self._failures.append(error)
                return
            retry_after = answer.headers.get("Retry-After")
            self.answers.append(Answer(what, asked_at, time.monotonic(), answer.status_code, retry_after))
            self._ended.wait(pause)


def statuses(answers: list[Answer]) -> dict[str, set[int]]:
    """What each question was answered with."""
    seen: dict[str, set[int]] = {}
    for answer in answers:
        seen.setdefault(answer.what, set()).add(answer.status)
    return seen
