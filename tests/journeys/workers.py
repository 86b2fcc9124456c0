"""Each worker process of an issuer's hosts, told from its neighbours behind the same port."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx

from tests.journeys.client import Client
from tests.running_issuer import RunningIssuer

_PATIENCE = 60.0
_KEPT_OPEN = 3.0
"""Seconds for which an idle connection is surely kept open; the server closes it after five."""
_LOGGED = re.compile(r'"process":(\d+),"request_id":"([^"]+)"')


class Worker(Client):
    """A client over one connection, which leads to one process as long as it stays open.

    Whose answers they were stands in the log; `confirm` looks, so that no test can mistake one for another.
    """

    def __init__(self, issuer: RunningIssuer) -> None:
        super().__init__(issuer)
        self._asked: list[str] = []
        self._used_at = time.monotonic()
        self.process = self._who_is_there()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        if time.monotonic() - self._used_at > _KEPT_OPEN:
            self._come_back()
        answer = super().ask(method, path, **options)
        self._used_at = time.monotonic()
        self._asked.append(answer.headers["X-Request-Id"])
        return answer

    def confirm(self) -> None:
        """Every answer so far was this process's."""
        assert _who_answered(self.issuer, self._asked) <= {self.process}

    def _come_back(self) -> None:
        """The connection may have been closed as idle, and the next one may lead to a neighbour."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            self._http.close()
            self._http = self.issuer.http()
            if self._who_is_there() == self.process:
                return
            assert time.monotonic() < deadline, f"the process {self.process} is not found any more"

    def _who_is_there(self) -> int:
        answer = super().ask("GET", "/v1/me")
        self._used_at = time.monotonic()
        return _who_answered(self.issuer, [answer.headers["X-Request-Id"]]).pop()


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
        seen = {request: process for process, request in _LOGGED.findall(issuer.log.read_text())}
        if wanted <= seen.keys():
            return {int(seen[request]) for request in wanted}
        assert time.monotonic() < deadline, "requests are missing in the log"
        time.sleep(0.01)
