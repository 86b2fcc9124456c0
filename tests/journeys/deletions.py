"""Deleted role keys, and every process asked until it refuses them."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import cycle

import httpx

from keys import RoleKey
from tests.journeys.workers import Worker

TIMES = 20
REFUSED = httpx.codes.UNAUTHORIZED
NOT_KNOWN = httpx.codes.SERVICE_UNAVAILABLE
_PATIENCE = 30.0


def refuses(worker: Worker, key: RoleKey) -> bool:
    return worker.refuses(key)


def issues_nothing(worker: Worker, key: RoleKey) -> bool:
    """Refused, or "I do not know, ask later": only a token would be wrong."""
    status = worker.exchange(key).status_code
    assert status in (httpx.codes.OK, REFUSED, NOT_KNOWN)
    return status != httpx.codes.OK


def seconds_until_all(
    workers: list[Worker], refuse: Callable[[Worker, RoleKey], bool], key: RoleKey
) -> float:
    """When the last of them was asked what it refused: how long its answer took is another matter."""
    began, last, asked = time.monotonic(), 0.0, list(workers)
    while asked:
        for worker in list(asked):
            at = time.monotonic() - began
            assert at < _PATIENCE
            if refuse(worker, key):
                asked.remove(worker)
                last = at
        time.sleep(0.002)
    return last


def slowest_of_twenty(
    workers: list[Worker], delete: Callable[[Worker, str, RoleKey], None] = Worker.delete_key
) -> float:
    """The longest time from an acknowledged deletion to the refusal by the last process."""
    role = workers[0].new_role()
    slowest = 0.0
    for worker, _ in zip(cycle(workers), range(TIMES), strict=False):
        key = worker.new_key(role)
        assert not any(each.refuses(key) for each in workers)
        delete(worker, role, key)
        slowest = max(slowest, seconds_until_all(workers, refuses, key))
    return slowest
