"""Requests to one issuer, and what becomes of their answers. Whatever is wrong is a HolderError."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import TypeVar
from urllib.parse import quote

import httpx

from holder import clock, reading, refusals
from holder.credentials import Credential
from holder.errors import SignInNeeded, UsageError

_TIMEOUT = httpx.Timeout(15, connect=5)
_PAGE = 100
A = TypeVar("A")


class Connection:
    """One issuer, spoken to with one credential (or none, for what is public)."""

    def __init__(self, url: str, credential: Credential | None = None) -> None:
        """url: as `issuer_url.parse` gives it."""
        self.url = url
        self.credential = credential
        self.renew: Callable[[], Credential] | None = None
        """Another credential for one that the issuer refuses, once: a token that was ended is no sign-out."""
        self.clock_ahead: float | None = None
        """Of the issuer's by how many seconds the clock here is, as its last answer shows; see `clock`."""
        self._http = httpx.Client(
            headers={"User-Agent": f"hourmark/{version('hourmark')}"},
            timeout=_TIMEOUT,
            trust_env=url.startswith("https"),  # plain http stays on this host, past any proxy
            follow_redirects=False,  # a redirect would carry the credential to another host
        )

    def close(self) -> None:
        """Ends its connections."""
        self._http.close()

    def _ask(
        self,
        kind: type[A],
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        **filters: str | None,
    ) -> A:
        answer = self._send_as_caller(method, path, json=body, params=_given(filters))
        return self._read(answer, lambda json: reading.read(kind, json))

    def _pages(self, kind: type[A], path: str, **filters: str | None) -> Iterator[A]:
        cursor = ""
        while True:
            params = {"limit": str(_PAGE)} | _given(filters) | ({"cursor": cursor} if cursor else {})
            answer = self._send_as_caller("GET", path, params=params)
            items, following = self._read(answer, lambda json: reading.read_page(kind, json))
            yield from items
            # A cursor that leads back to itself would be followed for ever.
            if following is None or following == cursor:
                return
            cursor = following

    def _send_as_caller(
        self, method: str, path: str, *, json: object = None, params: Mapping[str, str] | None = None
    ) -> httpx.Response:
        try:
            return self._send(method, path, authorization=self._bearer(), json=json, params=params)
        except SignInNeeded:
            if self.renew is None or self.credential is None:
                raise
            renew, self.renew = self.renew, None
            self.credential = renew()
            return self._send(method, path, authorization=self._bearer(), json=json, params=params)

    def _bearer(self) -> str:
        if self.credential is None:
            raise UsageError("No credential", "this request needs one", "hourmark login")
        return f"Bearer {self.credential.bearer}"

    def _send(
        self,
        method: str,
        path: str,
        *,
        authorization: str | None = None,
        accept: str = "application/json",
        json: object = None,
        data: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        headers = {"Accept": accept} | ({} if authorization is None else {"Authorization": authorization})
        try:
            answer = self._http.request(
                method, self.url + path, headers=headers, json=json, data=data, params=params
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise refusals.no_answer(self.url, error) from None
        self.clock_ahead = clock.ahead(answer)
        if answer.status_code not in (200, 201):
            raise refusals.refusal(answer, self.url, self.credential)
        return answer

    def _read(self, answer: httpx.Response, read: Callable[[object], A]) -> A:
        try:
            return read(answer.json())
        except ValueError as error:
            why = str(error) if isinstance(error, reading.MalformedAnswer) else "the answer is not JSON"
            raise refusals.not_an_issuer(self.url, why) from None


def path(*segments: str) -> str:
    """`/v1/…` with each segment quoted. Raises UsageError for one that a URL cannot hold as a segment."""
    for segment in segments:
        if not segment.strip("."):
            raise UsageError(f"{segment!r} is no name", "it has at least one letter or digit")
    return "/v1/" + "/".join(quote(segment, safe="") for segment in segments)


def _given(filters: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in filters.items() if value is not None}
