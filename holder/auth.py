"""Clients that stay signed in: for httpx, for requests, and for whatever takes a token or a callable.

    token = fresh_token(resource="https://api.example")
    httpx.Client(auth=HttpxAuth(token))          # and AsyncClient
    session = requests.Session(); session.auth = RequestsAuth(token)
    sdk.Client(token=token)                      # a callable that gives the text
    sdk.Client(token=token())                    # the text, for what is over before it is old

Share one token among clients: whoever finds it old gets the next one for all of them. A service's 401 leads
to one more attempt with another token, if the body can be sent again. Another origin, as a redirect names
one, never sees the token.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from holder.fresh_token import FreshToken
from holder.holder import Holder

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

__all__ = ["FreshToken", "HttpxAuth", "RequestsAuth", "fresh_token"]
_DEFAULT_PORTS = {"http": 80, "https": 443}


def fresh_token(
    *,
    resource: str | None = None,
    scope: str | None = None,
    url: str | None = None,
    profile: str | None = None,
    credential: str | None = None,
) -> FreshToken:
    """A token of whatever credential counts: the one named here, else as for the command `hourmark`.

    resource: the service that it is for; scope: permissions, space between them. Nothing is asked yet: the
    first use raises HolderError if there is no good credential.
    """
    holder = Holder(url=url, profile=profile, app_token=credential)
    return holder.fresh_token(resource=resource, scope=scope)


class HttpxAuth(httpx.Auth):
    """For `httpx.Client(auth=…)` and `httpx.AsyncClient(auth=…)`. Requests may raise HolderError.

    httpx itself takes the header off where a redirect leads to another origin.
    """

    def __init__(self, token: FreshToken | None = None) -> None:
        self._token = fresh_token() if token is None else token

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        raw = self._token()
        response = yield _signed(request, raw)
        if _is_refused(request, response):
            another = self._token.get(refused=raw).access_token
            if another != raw:
                yield _signed(request, another)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        raw = await self._get(None)
        response = yield _signed(request, raw)
        if _is_refused(request, response):
            another = await self._get(raw)
            if another != raw:
                yield _signed(request, another)

    async def _get(self, refused: str | None) -> str:
        """In a thread, if the issuer must be asked: the loop goes on meanwhile."""
        from anyio import to_thread

        good = self._token.at_hand(refused)
        if good is None:
            good = await to_thread.run_sync(self._token.get, refused)
        return good.access_token


def _signed(request: httpx.Request, raw: str) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {raw}"
    return request


def _is_refused(request: httpx.Request, response: httpx.Response) -> bool:
    """Whether the service that the token is for refused it, and can be asked again."""
    return (
        response.status_code == httpx.codes.UNAUTHORIZED
        and isinstance(request.stream, httpx.ByteStream)
        and _origin(str(response.request.url)) == _origin(str(request.url))
    )


class RequestsAuth:
    """For `requests.Session().auth` and `requests.get(…, auth=…)`. Requests may raise HolderError.

    requests itself takes the header off where a redirect leads to another origin.
    """

    def __init__(self, token: FreshToken | None = None) -> None:
        self._token = fresh_token() if token is None else token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        raw, origin = self._token(), _origin(request.url or "")
        request.headers["Authorization"] = f"Bearer {raw}"

        def again(response: Response, **how: Any) -> Response:  # noqa: ANN401 - the library's own
            # The library hands this on to wherever a redirect leads.
            body: object = response.request.body
            if (
                response.status_code != httpx.codes.UNAUTHORIZED
                or not isinstance(body, bytes | str | None)
                or _origin(response.request.url or "") != origin
            ):
                return response
            another = self._token.get(refused=raw).access_token
            return response if another == raw else _sent_again(response, another, how)

        request.register_hook("response", again)  # type: ignore[no-untyped-call]  # the library's stubs
        return request


def _sent_again(refused: Response, raw: str, how: dict[str, Any]) -> Response:
    """As the library's own digest authentication does it."""
    _ = refused.content  # read, its connection is free for the next one
    refused.close()
    request = refused.request.copy()
    request.headers["Authorization"] = f"Bearer {raw}"
    response: Response = refused.connection.send(request, **how)
    response.history.append(refused)
    response.request = request
    return response


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
