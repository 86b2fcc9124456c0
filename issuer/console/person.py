"""A user who is signed in, in front of a page: what they see and do are the API's own operations.

A page asks nothing of the store by itself. It calls what the API calls, as the user, so that there is one
rule for both; what the user may not look at is not there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from pydantic import BaseModel
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer.api.operation import Body, Call, NoBody, Versioned
from issuer.api.preconditions import NONE, Preconditions, etag
from issuer.api.query import MAX_PAGE, Page, Query
from issuer.authentication.callers import Caller
from issuer.browser import Browser, BrowserSession, browser_of
from issuer.clients import CONSOLE_ID
from issuer.console import rooms, unsent
from issuer.console.pages import page, page_row, sign_in_first, target_of
from issuer.console.refusals import NOTHING, Wrong
from issuer.denials import BearerDenial
from issuer.resources import Row
from issuer.service import Service
from issuer.signing_in import sessions
from issuer.store import rights
from issuer.store.refusals import NotFound
from issuer.store.tables import Principal
from verifier import InsufficientScope

Done = TypeVar("Done", bound=BaseModel)
_NO_BODY, _NO_QUERY = NoBody(), Query()
_VERSION = "version"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, in front of a page that was asked for."""

    service: Service
    browser: Browser
    session: BrowserSession
    caller: Caller
    """The user, with all that the user may."""
    parameters: Mapping[str, str]
    """Of the path."""
    query: Mapping[str, str]
    form: Mapping[str, str] = field(repr=False)
    """Empty unless one was sent."""

    @overload
    async def do(
        self,
        operation: Callable[[Call], Awaitable[Versioned]],
        body: Body = ...,
        query: Query = ...,
        **parameters: str,
    ) -> Any: ...  # noqa: ANN401 - the answer that the operation's version is of

    @overload
    async def do(
        self,
        operation: Callable[[Call], Awaitable[Done]],
        body: Body = ...,
        query: Query = ...,
        **parameters: str,
    ) -> Done: ...

    async def do(
        self,
        operation: Callable[[Call], Awaitable[Any]],
        body: Body = _NO_BODY,
        query: Query = _NO_QUERY,
        **parameters: str,
    ) -> Any:
        """Runs an operation of the API as the user, with the path's parameters unless others are given.

        It changes what the form's page showed, and no other version of that. Raises whatever it raises.
        """
        return _answer(await self._call(operation, self._seen, query, body, parameters))

    @overload
    async def see(
        self, operation: Callable[[Call], Awaitable[Versioned]], query: Query = ..., **parameters: str
    ) -> Any: ...  # noqa: ANN401 - as above

    @overload
    async def see(
        self, operation: Callable[[Call], Awaitable[Done]], query: Query = ..., **parameters: str
    ) -> Done: ...

    async def see(
        self, operation: Callable[[Call], Awaitable[Any]], query: Query = _NO_QUERY, **parameters: str
    ) -> Any:
        """The same for what is only looked at: what the user may not look at is not there.

        Raises NotFound.
        """
        return _answer(await self._look(operation, query, parameters))

    async def see_version(self, operation: Callable[[Call], Awaitable[Versioned]]) -> tuple[Any, int | None]:
        """The same, with the version at which it is: forms that change it send that (`page`)."""
        seen: Versioned = await self._look(operation, _NO_QUERY, {})
        return seen.answer, seen.version

    async def see_all(
        self,
        operation: Callable[[Call], Awaitable[Any]],
        query: Query,
        *,
        most: int,
        **parameters: str,
    ) -> list[Any]:
        """The items of all pages of a list, up to `most`, for a query of a list. Raises NotFound."""
        found: list[Any] = []
        paging = {"limit": min(most, MAX_PAGE), "cursor": ""}
        while True:
            asked = type(query).model_validate({**query.model_dump(exclude_unset=True), **paging})
            shown: Page[Any] = await self.see(operation, asked, **parameters)
            found += shown.items
            if shown.next_cursor is None or len(found) >= most:
                return found[:most]
            paging["cursor"] = shown.next_cursor

    def may(self, action: str, resource: str | None = None) -> bool:
        """Whether a button for it makes sense, for this or for anything at all; the operation decides."""
        scope = self.caller.scope
        return rooms.reaches(scope, action) if resource is None else scope.covers(action, resource)

    def page(
        self,
        template: str,
        *,
        wrong: Wrong = NOTHING,
        version: int | None = None,
        **context: Any,  # noqa: ANN401 - for the template
    ) -> Response:
        """A room's page, with the way to the other rooms.

        version: of what its forms change. Who only made a mistake has not seen a newer one by that.
        """
        seen = self.form.get(_VERSION) if wrong and not wrong.is_stale else None
        return page(
            self.browser,
            template,
            status=wrong.status,
            rooms=rooms.of(self.caller.scope),
            may=self.may,
            wrong=wrong,
            version=seen or version,
            **context,
        )

    @property
    def _seen(self) -> Preconditions:
        version = self.form.get(_VERSION)
        return NONE if version is None else Preconditions(frozenset((etag(version),)), None)

    async def _look(
        self,
        operation: Callable[[Call], Awaitable[Any]],
        query: Query,
        parameters: Mapping[str, str],
    ) -> Any:  # noqa: ANN401 - as above
        try:
            return await self._call(operation, NONE, query, _NO_BODY, parameters)
        except BearerDenial as error:
            if isinstance(error.error, InsufficientScope):
                raise NotFound("there is nothing here that you may look at") from None
            raise

    async def _call(
        self,
        operation: Callable[[Call], Awaitable[Any]],
        preconditions: Preconditions,
        query: Query,
        body: Body,
        parameters: Mapping[str, str],
    ) -> Any:  # noqa: ANN401 - as above
        given = {**self.parameters, **parameters}
        return await operation(Call(self.service, self.caller, given, preconditions, query, body))


Handler = Callable[[Person], Awaitable[Response]]


def room_row(method: str, path: str, handler: Handler, *, is_proof_needed: bool = False) -> Row:
    """A row for who is signed in; everybody else is asked to sign in first, and comes back.

    is_proof_needed: only for who proved a moment ago who it is. Others prove it, and come back to what they
    asked for; a form is kept for them meanwhile.
    """

    async def respond(service: Service, request: Request) -> Response:
        form: dict[str, str] = {}
        if method == "POST":
            sent = await unsent.read(service, request)
            if isinstance(sent, Response):
                return sent
            browser, form = sent
            session = browser.require_session()
        else:
            browser = await browser_of(service, request)
            if browser.session is None:
                return sign_in_first(target_of(request))
            session = browser.session
        if is_proof_needed and not sessions.is_recent(session):
            if method == "POST":
                return unsent.keep(browser, request, form, is_proved=False)
            return sign_in_first(target_of(request))
        caller = await service.read(lambda reading: _caller(reading, session))
        person = Person(
            service, browser, session, caller, request.path_params, dict(request.query_params), form
        )
        return await handler(person)

    return page_row(method, path, respond)


def _answer(done: Any) -> Any:  # noqa: ANN401 - as above
    return done.answer if isinstance(done, Versioned) else done


def _caller(reading: Session, session: BrowserSession) -> Caller:
    return Caller(
        principal=session.user,
        client_id=CONSOLE_ID,
        status_index=session.status_index,
        roles=(),
        scope=rights.held(reading, reading.get_one(Principal, session.user_id)),
        audience=None,
        expires_at=None,
    )
