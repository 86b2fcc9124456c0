"""A management operation as data: the router and the OpenAPI document read the same row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from anyio import CapacityLimiter
from pydantic import BaseModel, ConfigDict
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer.api.preconditions import Preconditions, etag
from issuer.api.query import MAX_ID, Query, read_query
from issuer.authentication.callers import Caller
from issuer.body import read_json
from issuer.denials import wrong_field
from issuer.service import Service
from issuer.store import names, principals, rights
from issuer.store.database import Transaction

Done = TypeVar("Done")
_NAMES = {"role": names.check_role_name, "user": names.check_user_name, "app": names.check_app_name}
_MAX_DIGITS = len(str(MAX_ID))


class Body(BaseModel):
    """What a client sends: an unknown field is an error, so that a typing error is not silently dropped."""

    model_config = ConfigDict(defer_build=True, extra="forbid", use_attribute_docstrings=True)


class NoBody(Body):
    """An operation without a body."""


class Answer(BaseModel):
    """What it gets: the document says that there is nothing else in it."""

    model_config = ConfigDict(defer_build=True, extra="forbid", use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True)
class Versioned:
    """An answer, and the version of the role that it is about."""

    answer: BaseModel
    version: int | None
    """None if there is no such role."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation, by a request or from a page: caller, query and body have their form."""

    service: Service
    caller: Caller
    parameters: Mapping[str, str]
    """Of the path."""
    preconditions: Preconditions
    query: Any
    """An instance of the operation's query model."""
    body: Any
    """An instance of the operation's body model."""

    def path(self, name: str) -> str:
        """Raises Denial for what no stored name can be."""
        text = self.parameters[name]
        if name in _NAMES:
            # Before the permission: for such a name there is none that a caller could be told to ask for.
            try:
                _NAMES[name](text)
            except names.InvalidName as error:
                raise wrong_field(name, str(error)) from error
        if "\0" in text:
            raise wrong_field(name, "holds a NUL character")
        return text

    def number(self, name: str) -> int:
        """An id in the path that the issuer gave. Raises Denial for what none can be."""
        text = self.path(name)
        if len(text) > _MAX_DIGITS or not text.isascii() or not text.isdigit() or int(text) > MAX_ID:
            raise wrong_field(name, "is no id: they are numbers, as listed")
        return int(text)

    async def read(self, work: Callable[[Session], Done], *limiter: CapacityLimiter) -> Done:
        """Looks at one snapshot."""
        return await self.service.read(work, *limiter)

    async def change(self, work: Callable[[Transaction], Done]) -> Done:
        """Changes something on the caller's behalf, if its credential is still in force then."""
        caller = self.caller
        return await self.service.change(caller.logged_as, caller.status_index, work, client_id=caller.actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    summary: str
    permission: str
    """`action@…` that the caller needs; the handler checks it for the resource at hand."""
    handler: Callable[[Call], Awaitable[BaseModel | Versioned]]
    answer: type[BaseModel]
    query: type[Query] = Query
    body: type[Body] = NoBody
    status: int = 200
    location: str | None = None
    """Where what was made is found, with the answer's members to fill in."""
    has_etag: bool = False
    """Whether it answers the role's version; one that reads knows `If-None-Match` then."""
    is_conditional: bool = False
    """Whether it takes `If-Match` with the role's version."""
    refusals: tuple[str, ...] = ()
    """The codes of denials that not every operation has."""

    async def respond(self, service: Service, request: Request) -> Response:
        # Before all else: nobody unknown is listened to.
        await service.callers.identify(request, service.api_verifier)
        query = read_query(request, self.query)
        preconditions = Preconditions.of(request)
        if not self.is_conditional:
            preconditions.require_match(None)
        body = NoBody() if self.body is NoBody else await read_json(request, self.body)

        async def attempt() -> BaseModel | Versioned:
            caller = await _whole(service, await service.callers.identify(request, service.api_verifier))
            return await self.handler(Call(service, caller, request.path_params, preconditions, query, body))

        return self._response(await service.once_more(attempt), preconditions)

    def _response(self, done: BaseModel | Versioned, preconditions: Preconditions) -> Response:
        answer, version = (done.answer, done.version) if isinstance(done, Versioned) else (done, None)
        headers = {"Cache-Control": "no-store"}
        if self.location is not None:
            headers["Location"] = self.location.format(**answer.model_dump())
        if version is not None:
            headers["ETag"] = etag(version)
        if self.method == "GET":
            preconditions.require_match(version)
            if preconditions.knows(version):
                return Response(status_code=304, headers=headers)
        return Response(answer.model_dump_json(), self.status, headers, media_type="application/json")


async def _whole(service: Service, caller: Caller) -> Caller:
    """A token is held against what its principal has held since it was issued: less is narrowed."""
    if caller.issued_at is None or caller.is_narrowed:
        return caller

    def work(session: Session) -> bool:
        found = principals.find(session, caller.principal)
        return found is None or not rights.held(session, found, since=caller.issued_at) <= caller.scope

    return replace(caller, is_narrowed=await service.read(work))
