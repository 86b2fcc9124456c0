"""A management operation as data: the router and the OpenAPI document read the same row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from issuer.body import read_json
from issuer.callers import Caller
from issuer.denials import wrong_field
from issuer.service import Service
from issuer.store import principals
from issuer.store.database import Transaction

MAX_PAGE = 200
_DEFAULT_PAGE = 50

Item = TypeVar("Item")
Done = TypeVar("Done")


class Body(BaseModel):
    """What a client sends: an unknown field is an error, so that a typing error is not silently dropped."""

    model_config = ConfigDict(extra="forbid")


class NoBody(Body):
    """An operation without a body."""


class Page(BaseModel, Generic[Item]):
    """A part of a list; `next_cursor` continues behind it and is null at the end."""

    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Call:
    """One request for an operation, after caller and body were checked for their form."""

    service: Service
    caller: Caller
    request: Request
    body: Any
    """An instance of the operation's body model."""

    def path(self, name: str) -> str:
        """Raises Denial for what no stored name can be."""
        text = str(self.request.path_params[name])
        if name == "role":
            # Before the permission: for such a name there is none that a caller could be told to ask for.
            try:
                principals.check_role_name(text)
            except principals.InvalidName as error:
                raise wrong_field(name, str(error)) from error
        return _storable(name, text)

    async def change(self, work: Callable[[Transaction], Done]) -> Done:
        """Changes something on the caller's behalf, if its credential is still in force then."""
        return await self.service.change(self.caller.client_id, self.caller.status_index, work)

    def page(self) -> tuple[str, int]:
        """(cursor, limit) of the query. Raises Denial."""
        text = self.request.query_params.get("limit", str(_DEFAULT_PAGE))
        # Length first: Python refuses to read a number of thousands of digits.
        if len(text) > 3 or not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_PAGE:
            raise wrong_field("limit", f"is a number from 1 to {MAX_PAGE}")
        return _storable("cursor", self.request.query_params.get("cursor", "")), int(text)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    summary: str
    permission: str
    """`action@…` that the caller needs; the handler checks it for the resource at hand."""
    handler: Callable[[Call], Awaitable[BaseModel]]
    answer: type[BaseModel]
    body: type[Body] = NoBody
    status: int = 200
    is_list: bool = False

    async def respond(self, service: Service, request: Request) -> Response:
        # Before the body: nobody unknown is listened to.
        await service.callers.identify(request, service.api_verifier)
        body = NoBody() if self.body is NoBody else await read_json(request, self.body)

        async def attempt() -> BaseModel:
            caller = await service.callers.identify(request, service.api_verifier)
            return await self.handler(Call(service, caller, request, body))

        done = await service.once_more(attempt)
        headers = {"Cache-Control": "no-store"}
        return Response(done.model_dump_json(), self.status, headers, media_type="application/json")


def _storable(name: str, text: str) -> str:
    """PostgreSQL takes no NUL, not even to compare with it."""
    if "\0" in text:
        raise wrong_field(name, "holds a NUL character")
    return text


def page_of(items: list[Item], limit: int, cursor: Callable[[Item], str]) -> tuple[list[Item], str | None]:
    """The first `limit` of up to `limit` + 1 items, and the cursor behind them if there are more."""
    shown = items[:limit]
    return shown, cursor(shown[-1]) if len(items) > limit else None
