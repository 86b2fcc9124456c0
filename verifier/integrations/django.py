"""Django: `TokenMiddleware` lets nobody in without a good token, `requires` asks what the token allows.

The token is `request.token`. A view that knows more, such as the labels of what was asked for, says
`request.token.require(…)`: InsufficientScope becomes the answer 403, and InvalidLabel 400. The settings say
what it needs:

    MIDDLEWARE = ["verifier.integrations.django.TokenMiddleware", …]
    HOURMARK = {
        "verifier": "service.tokens.verifier",    # where a Verifier is
        "role_keys": "service.tokens.role_keys",  # and RoleKeys, to accept role keys and API tokens too
        "public": ["/livez"],                     # whole paths; there a request may come without a token
    }
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from verifier.authentication import ANSWERED, Answered, Authentication, Refused, Requirement, refusal

View = Callable[..., Any]


class TokenMiddleware:
    """Behind it every request has a token, but for those to public paths. With sync and async views."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._authentication = authentication()
        self._public = frozenset(settings.HOURMARK.get("public", ()))
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if self._is_async:
            return self._answer_async(request)
        try:
            request.token = None if self._is_public(request) else self._authentication.token(_header(request))
        except Refused as error:
            return answer(error)
        response: HttpResponse = self._get_response(request)
        return response

    async def _answer_async(self, request: HttpRequest) -> HttpResponse:
        try:
            request.token = (
                None if self._is_public(request) else await self._authentication.token_async(_header(request))
            )
        except Refused as error:
            return answer(error)
        response: HttpResponse = await self._get_response(request)
        return response

    def process_exception(self, _: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django calls it with what a view raises."""
        return answer(error) if isinstance(error, ANSWERED) else None

    def _is_public(self, request: HttpRequest) -> bool:
        return request.path in self._public


def requires(action: str, resource: str = "*") -> Callable[[View], View]:
    """For a view; for a class of views by Django's `method_decorator(…, name="dispatch")`.

    action: "noun:verb", such as "data:get".
    resource: `{name}` in it is that parameter of the path; "*" is all resources together.

    Raises ValueError for what no token could allow.
    """
    requirement = Requirement(action, resource)

    def protect(view: View) -> View:
        @functools.wraps(view)
        def protected(request: HttpRequest, *arguments: object, **parameters: object) -> Any:  # noqa: ANN401 - as the view
            if not hasattr(request, "token"):
                raise RuntimeError("no TokenMiddleware stands before this view: add it to MIDDLEWARE")
            requirement.check(request.token, parameters)
            return view(request, *arguments, **parameters)

        return markcoroutinefunction(protected) if iscoroutinefunction(view) else protected

    return protect


def authentication() -> Authentication:
    """As the settings say."""
    given = settings.HOURMARK
    role_keys = import_string(given["role_keys"]) if "role_keys" in given else None
    return Authentication(import_string(given["verifier"]), role_keys)


def answer(error: Answered) -> HttpResponse:
    """In place of what was asked for."""
    refused = refusal(error)
    body, headers = refused.problem()
    return HttpResponse(body, status=refused.status, headers=headers)


def _header(request: HttpRequest) -> str | None:
    header: str | None = request.headers.get("Authorization")
    return header
