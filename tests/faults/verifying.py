"""A service under load, which verifies the same tokens again and again and counts the verdicts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

from tests.journeys.client import verdict
from verifier import Verifier


class Verifying:
    """A context manager that verifies `rate` times a second until its end."""

    def __init__(self, verifier: Verifier, token: str, *, rate: float) -> None:
        self.verdicts: Counter[str] = Counter()
        self.slowest = 0.0
        self._verifier = verifier
        self._token = token
        self._rate = rate
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._verify, name="verifying")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _verify(self) -> None:
        while not self._ended.wait(1 / self._rate):
            began = time.perf_counter()
            self.verdicts[verdict(self._verifier, self._token)] += 1
            self.slowest = max(self.slowest, time.perf_counter() - began)
