"""Starlette: `TokenMiddleware` lets nobody in without a good token, `requires` asks what the token allows.

The token is `request.state.token`. A handler that knows more, such as the labels of what was asked for, says
`token.require(…)`: InsufficientScope becomes the answer 403, and InvalidLabel 400.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Collection
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from verifier.authentication import ANSWERED, Answered, Authentication, Requirement, refusal
from verifier.claims import Token
from verifier.role_keys import RoleKeys
from verifier.verify import Verifier


class TokenMiddleware:
    """Behind it every request has a token, but for those to `public` paths."""

    def __init__(
        self,
        app: ASGIApp,
        verifier: Verifier,
        *,
        role_keys: RoleKeys | None = None,
        public: Collection[str] = (),
    ) -> None:
        """role_keys: accepts role keys and API tokens too, as Bearer and as Basic.
        public: whole paths, such as "/livez". There a request may come without a token, and has none.
        """
        self._app = app
        self._authentication = Authentication(verifier, role_keys)
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            state = scope.setdefault("state", {})
            state["token"] = None if scope["path"] in self._public else await self._token(scope)
            await self._app(scope, receive, send_and_note)
        except ANSWERED as error:
            if has_begun:
                raise
            await answer(error)(scope, receive, send)

    async def _token(self, scope: Scope) -> Token:
        # Several say what one that holds them all would (RFC 9110 section 5.3), and that is no credential.
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        return await self._authentication.token_async(b", ".join(given).decode("latin-1"))


Handler = Callable[..., Any]


def requires(action: str, resource: str = "*") -> Callable[[Handler], Handler]:
    """For a handler (a function or a method) whose last argument is the request.

    action: "noun:verb", such as "data:get".
    resource: `{name}` in it is that parameter of the path; "*" is all resources together.

    Raises ValueError for what no token could allow.
    """
    requirement = Requirement(action, resource)

    def protect(handler: Handler) -> Handler:
        is_async = inspect.iscoroutinefunction(handler)
        run: Callable[..., Awaitable[Response]] = (
            handler if is_async else functools.partial(run_in_threadpool, handler)
        )

        @functools.wraps(handler)
        async def protected(*arguments: Request) -> Response:
            request = arguments[-1]
            try:
                requirement.check(token_of(request), request.path_params)
                return await run(*arguments)
            except ANSWERED as error:
                return answer(error)

        return protected

    return protect


def token_of(connection: HTTPConnection) -> Token | None:
    """None on a public path. Raises RuntimeError where no TokenMiddleware stands before the handler."""
    try:
        return cast("Token | None", connection.scope["state"]["token"])
    except KeyError:
        raise RuntimeError("no TokenMiddleware stands before this handler: add it to the app") from None


def answer(error: Answered) -> Response:
    """In place of what was asked for."""
    refused = refusal(error)
    body, headers = refused.problem()
    return Response(body, refused.status, headers)
