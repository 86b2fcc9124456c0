"""Each worker process of an issuer's hosts, told from its neighbours behind the same port."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx

from tests.journeys.client import Client
from tests.running_issuer import RunningIssuer

_PATIENCE = 20.0


class Worker(Client):
    """A client over one connection, which leads to one process as long as it stays open.

    Whose answers they were stands in the log; `confirm` looks, so that no test can mistake one for another.
    """

    def __init__(self, issuer: RunningIssuer) -> None:
        super().__init__(issuer)
        self._asked: list[str] = []
        self.process = _who_answered(issuer, [self._id(self.ask("GET", "/v1/me"))]).pop()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = super().ask(method, path, **options)
        self._asked.append(self._id(answer))
        return answer

    def confirm(self) -> None:
        """Every answer so far was this process's."""
        assert _who_answered(self.issuer, self._asked) == {self.process}

    def _id(self, answer: httpx.Response) -> str:
        return str(answer.headers["X-Request-Id"])


@contextmanager
def every_worker(*hosts: RunningIssuer) -> Iterator[list[Worker]]:
    """One connection to each process of the hosts, in the order of the hosts."""
    with ExitStack() as stack:
        found: list[Worker] = []
        for host in hosts:
            found += _workers(host, stack)
        yield found
        for worker in found:
            worker.confirm()


def _workers(host: RunningIssuer, stack: ExitStack) -> Iterable[Worker]:
    """Connects until every process has taken a connection: which one does is chance."""
    found: dict[int, Worker] = {}
    deadline = time.monotonic() + _PATIENCE
    while len(found) < host.workers:
        assert time.monotonic() < deadline, f"only {len(found)} workers answer at {host.url}"
        worker = stack.enter_context(Worker(host))
        found.setdefault(worker.process, worker)
    return found.values()


def _who_answered(issuer: RunningIssuer, requests: Iterable[str]) -> set[int]:
    """The processes that logged these requests; a line comes a moment after its answer."""
    wanted, deadline = set(requests), time.monotonic() + _PATIENCE
    while True:
        seen = {line["request_id"]: line["process"] for line in issuer.lines() if "process" in line}
        if wanted <= seen.keys():
            return {int(str(seen[request])) for request in wanted}
        assert time.monotonic() < deadline, "requests are missing in the log"
        time.sleep(0.01)
