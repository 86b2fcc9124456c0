"""Role keys to tokens, at the issuer's token endpoint: one request a key at a time, however many wait for it.

It is the second room of the verifier that uses the network. Requests are made in one background thread, so
that threads and event loops can wait for the same answer; each has a deadline, and so has its size. What is
wrong with a key is told from an issuer that cannot be asked, and neither ever carries the key or the token.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

import httpx

from keys import RoleKey
from verifier import background, strict_json
from verifier.background import Background
from verifier.errors import Code, InsufficientScope, TokenError, Unavailable
from verifier.refresh import check_issuer, client_of

DEADLINE = 5.0
"""Seconds for a whole exchange."""
MAX_UNDER_WAY = 64
"""Keys that are asked about at once: who sends many wrong ones is to fill neither memory nor the issuer."""
_CONNECTIONS = 8
_MAX_ANSWER = 65536

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The token that a role key got."""

    raw: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotExchanged:
    """Why there is none."""

    code: Code
    detail: str

    @property
    def is_final(self) -> bool:
        """Whether asking again would change nothing soon."""
        return self.code not in ("keys_unavailable", "revocation_stale")

    def error(self) -> TokenError:
        """A new one each time: what was raised keeps hold of all that was on the stack."""
        if self.code == "insufficient_scope":
            return InsufficientScope("")
        return (TokenError if self.is_final else Unavailable)(self.code, self.detail)


Outcome = Exchanged | NotExchanged
UNREACHABLE = NotExchanged("keys_unavailable", "the issuer could not be asked about the role key")
_INVALID = NotExchanged(
    "revoked", "the role key is not valid: it is unknown, or it has expired, was renewed or was deleted"
)
_REFUSED = {
    "invalid_client": _INVALID,
    "slow_down": _INVALID,  # said to one wrong key too many, and never to a right one
    "invalid_target": NotExchanged("wrong_audience", "the role key is for other services"),
    "invalid_scope": NotExchanged("insufficient_scope", "the role key allows nothing"),
}


class Exchange:
    """Asks for tokens of one service until it is closed, in this process and in every child of it."""

    background: Background

    def __init__(self, issuer: str, audience: str) -> None:
        """Raises ValueError unless the issuer is an https URL, or http on this host."""
        check_issuer(issuer)
        self._issuer = issuer
        self._audience = audience
        self._closed = False
        self._prepare()

    def start(self) -> None:
        background.alive.add(self)
        self.background.thread.start()

    def start_in_child(self) -> None:
        """Begins anew: nobody in a child waits for what its parent asked."""
        self._prepare()
        self.start()

    def ask(self, key: RoleKey) -> Future[Outcome]:
        """Never raises. There is an outcome after DEADLINE at the latest, while this is open."""
        mine: Future[Outcome] = Future()
        future = self._under_way.setdefault(key, mine)
        if future is mine:
            if self._closed or len(self._under_way) > MAX_UNDER_WAY:
                self._tell(key, mine, UNREACHABLE)
            else:
                self._asked.append((key, mine))
                self.background.tell(self._wake.set)
        return future

    def close(self) -> None:
        """Ends the thread; whoever waits is told that the issuer could not be asked."""
        self._closed = True
        self.background.stop()
        background.alive.discard(self)

    def _prepare(self) -> None:
        self.background = Background("hourmark-verifier-exchange", self._run)
        self._under_way: dict[RoleKey, Future[Outcome]] = {}
        self._asked: deque[tuple[RoleKey, Future[Outcome]]] = deque()
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(_CONNECTIONS)

    async def _run(self) -> None:
        try:
            async with client_of(self._issuer, DEADLINE) as client, asyncio.TaskGroup() as group:
                while True:
                    while self._asked:
                        group.create_task(self._exchange(client, *self._asked.popleft()))
                    self._wake.clear()
                    await self._wake.wait()
        finally:
            for key, future in list(self._under_way.items()):
                self._tell(key, future, UNREACHABLE)

    async def _exchange(self, client: httpx.AsyncClient, key: RoleKey, future: Future[Outcome]) -> None:
        outcome: Outcome = UNREACHABLE
        try:
            async with asyncio.timeout(DEADLINE), self._slots:
                outcome = await self._post(client, key)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an outcome
            # Its text could quote what was sent.
            logger.warning("a role key was not exchanged: %s", type(error).__name__)
        finally:
            self._tell(key, future, outcome)

    async def _post(self, client: httpx.AsyncClient, key: RoleKey) -> Outcome:
        form = {"grant_type": "client_credentials", "resource": self._audience}
        auth, body = httpx.BasicAuth(key.access, key.secret), bytearray()
        async with client.stream("POST", f"{self._issuer}/v1/token", data=form, auth=auth) as answer:
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > _MAX_ANSWER:
                    raise ValueError("longer than any answer")
        said = strict_json.parse_object(bytes(body))
        raw = said.get("access_token")
        if answer.status_code == httpx.codes.OK and isinstance(raw, str):
            return Exchanged(raw)
        refused = _REFUSED.get(str(said.get("error"))) if answer.is_client_error else None
        if refused is None:
            logger.warning("a role key was not exchanged: status %d", answer.status_code)
        return refused or UNREACHABLE

    def _tell(self, key: RoleKey, future: Future[Outcome], outcome: Outcome) -> None:
        if self._under_way.pop(key, None) is not None:
            future.set_result(outcome)
