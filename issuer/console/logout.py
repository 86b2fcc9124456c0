"""Signing out: by oneself, or because a client asks for it (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import Response

from issuer import clients
from issuer.body import read_form
from issuer.browser import Browser, browser_of, see_other, sender_of
from issuer.clients import Client
from issuer.console.pages import page, page_row
from issuer.denials import Denial
from issuer.id_token import TYP
from issuer.service import Service
from issuer.signing_in import sessions
from verifier import TokenError, jws

_MEMBERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


@dataclass(frozen=True, slots=True)
class _Request:
    """What a client asks for, after it was checked."""

    client: Client | None
    user: str | None
    """Who is to be signed out, as an ID token of the client says; it may have expired."""
    redirect_uri: str | None
    state: str | None

    @property
    def destination(self) -> str | None:
        """Where the browser goes when it is done."""
        if self.redirect_uri is None or self.state is None:
            return self.redirect_uri
        joint = "&" if urlsplit(self.redirect_uri).query else "?"
        return f"{self.redirect_uri}{joint}{urlencode({'state': self.state})}"


async def get_logout(service: Service, request: Request) -> Response:
    """Ends the session at once for a client that shows whose it is; else asks."""
    asked = await _read(service, request.query_params)
    browser = await browser_of(service, request)
    session = browser.session
    if session is not None and session.user != asked.user:
        return page(
            browser,
            "logout.html",
            form_targets=() if asked.redirect_uri is None else (asked.redirect_uri,),
            asked=asked,
        )
    return await _done(service, browser, asked)


async def post_logout(service: Service, request: Request) -> Response:
    """From our page; or from a client's, without cookies: that is asked again, with them."""
    form = await read_form(request)
    if "csrf" not in form:
        return see_other(f"/logout?{urlencode({name: form[name] for name in _MEMBERS if name in form})}")
    browser = await sender_of(service, request, form)
    return await _done(service, browser, await _read(service, form))


async def _done(service: Service, browser: Browser, asked: _Request) -> Response:
    answer = page(browser, "logged_out.html") if asked.destination is None else see_other(asked.destination)
    if browser.session is None:
        return answer
    client_id = None if asked.client is None else asked.client.client_id
    return await sessions.end(service, browser.session, answer, at_client=client_id)


async def _read(service: Service, given: Mapping[str, str]) -> _Request:
    """Raises Denial: whoever asks is no client of ours, or wants the browser somewhere else."""
    user, audience = _hint(service, given.get("id_token_hint"))
    client_id, redirect_uri = given.get("client_id") or audience, given.get("post_logout_redirect_uri")
    client = None
    if client_id and "\0" not in client_id:
        client = await service.read(lambda session: clients.find(session, client_id))
    if audience is not None and client_id != audience:
        raise Denial("invalid_request", "client_id is another one than that of id_token_hint")
    if redirect_uri and (client is None or redirect_uri not in client.post_logout_redirect_uris):
        raise Denial(
            "invalid_request",
            "post_logout_redirect_uri is none of those that the client registered",
        )
    return _Request(client, user, redirect_uri or None, given.get("state"))


def _hint(service: Service, id_token: str | None) -> tuple[str | None, str | None]:
    """`sub` and `aud` of an ID token that was issued here, however long ago; None for any other."""
    try:
        token = jws.parse(id_token or "")
        service.token_verifier.trust.signature_holds(token)
    except TokenError:
        return None, None
    claims = orjson.loads(token.payload)
    is_ours = token.header.typ == TYP.lower() and claims.get("iss") == service.settings.issuer_url
    return (claims["sub"], claims["aud"]) if is_ours else (None, None)


ROWS = (page_row("GET", "/logout", get_logout), page_row("POST", "/logout", post_logout))
