"""The authorization endpoint (RFC 6749 section 3.1): a user comes from a client, goes back with a code."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer import clients
from issuer.authorization import consent, request
from issuer.authorization.consent import Said
from issuer.authorization.request import AuthorizationRequest, RefusedRequest, Source, UntrustedRequest
from issuer.body import read_form
from issuer.browser import Browser, BrowserSession, browser_of, read_page_form, see_other
from issuer.clients import Client
from issuer.console.pages import page_row, sign_in_first
from issuer.denials import Denial
from issuer.id_token import subject_of_hint
from issuer.on_behalf import opens_nothing
from issuer.service import Service
from issuer.signing_in import sessions
from issuer.store import consents, rights
from issuer.store.tables import Principal
from verifier import InvalidPermission, Scope

_MOMENT = "hourmark_moment"
"""A parameter of ours: since when the user has to have proved again who it is."""
_MOMENT_SECONDS = 3600
"""How long one proof serves the same request: a link that is kept does not answer `prompt=login` for ever."""


async def get_authorize(service: Service, http: Request) -> Response:
    browser = await browser_of(service, http)
    return await _answer(service, browser, http.scope["query_string"].decode("latin-1"))


async def post_authorize(service: Service, http: Request) -> Response:
    """The same by a form, from the client's page (OpenID Connect Core section 3.1.2.1)."""
    del service
    return see_other(f"/authorize?{urlencode(await read_form(http))}")


async def post_consent(service: Service, http: Request) -> Response:
    """What the user said. The request is looked at anew: meanwhile anything may have changed."""
    browser, form = await read_page_form(service, http)
    return await _answer(service, browser, form.get("request", ""), consent.read_said(form))


async def _answer(service: Service, browser: Browser, query: str, said: Said | None = None) -> Response:
    try:
        parsed = request.parse_query(query)
        parameters = parsed.parameters
        client_id = parameters.get("client_id", "")
        client = await service.read(lambda session: clients.find(session, client_id))
        source = request.read_source(parsed, client)
    except UntrustedRequest as error:
        raise Denial("invalid_request", str(error)) from error
    try:
        asked = request.read(parsed, source, service.settings)
        if not _is_proven(service, browser.session, parameters, asked):
            if "none" in asked.prompts:
                raise RefusedRequest("login_required", "nobody is signed in, or not recently enough")
            return sign_in_first(_again(service, parameters), login_hint=asked.login_hint)
        return await _decide(service, browser, asked, urlencode(parameters), said)
    except InvalidPermission as error:
        return _back(service, source, error="invalid_scope", error_description=str(error))
    except RefusedRequest as error:
        return _back(service, source, error=error.code, error_description=str(error))


async def _decide(
    service: Service,
    browser: Browser,
    asked: AuthorizationRequest,
    query: str,
    said: Said | None,
) -> Response:
    client, session = asked.source.client, browser.require_session()
    held, known = await service.read(lambda reading: _held_and_known(reading, session, client))
    if not client.is_ours and opens_nothing(consent.within(asked.scope, held)):
        raise RefusedRequest("invalid_scope", "the user may do nothing of what is asked for")
    if said is not None and not said.allows:
        raise RefusedRequest("access_denied", "the user does not agree")
    if not (said is not None and asked.scope <= said.scope) and consent.is_needed(asked, held, known):
        if "none" in asked.prompts:
            raise RefusedRequest("consent_required", "the user has not agreed to this yet")
        return consent.ask(browser, asked, service.settings, held=held, known=known, query=query)
    code = await consent.give_code(service, session, asked)
    return _back(service, asked.source, code=code)


def _held_and_known(reading: Session, session: BrowserSession, client: Client) -> tuple[Scope, Scope]:
    """What the user may do, and what the user agreed to before."""
    held = rights.held(reading, reading.get_one(Principal, session.user_id))
    return held, consents.scope_of(consents.find(reading, session.user_id, client.client_id))


def _is_proven(
    service: Service,
    session: BrowserSession | None,
    parameters: Mapping[str, str],
    asked: AuthorizationRequest,
) -> bool:
    """Whether somebody is signed in, and proved as lately as the client demands who it is.

    Raises RefusedRequest if, asked anew, it is another user than the client names.
    """
    if session is None:
        return False
    if asked.source.client.is_ours and not sessions.is_recent(session):
        # It becomes the user, with all that the pages ask a fresh proof for.
        return False
    moment = _moment(service, parameters)
    is_proven_since = moment is not None and session.authentication.at >= moment
    hint = None if asked.id_token_hint is None else subject_of_hint(service, asked.id_token_hint)
    if is_proven_since and hint not in (None, session.user):
        raise RefusedRequest("login_required", "somebody else is signed in than id_token_hint names")
    is_stale = (
        bool(asked.prompts & {"login", "select_account"})
        or (asked.max_age is not None and time.time() - session.authentication.at > asked.max_age)
        or (asked.id_token_hint is not None and hint != session.user)
    )
    return not is_stale or is_proven_since


def _again(service: Service, parameters: Mapping[str, str]) -> str:
    """Where to come back to once the user has proved who it is: it must happen from now on."""
    query = urlencode({name: value for name, value in parameters.items() if name != _MOMENT})
    now = int(time.time())
    return f"/authorize?{query}&{_MOMENT}={now}.{_seal(service, query, now)}"


def _moment(service: Service, parameters: Mapping[str, str]) -> int | None:
    text, _, seal = parameters.get(_MOMENT, "").partition(".")
    query = urlencode({name: value for name, value in parameters.items() if name != _MOMENT})
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        return None
    is_ours = hmac.compare_digest(seal.encode(), _seal(service, query, int(text)).encode())
    return int(text) if is_ours and time.time() - int(text) <= _MOMENT_SECONDS else None


def _seal(service: Service, query: str, moment: int) -> str:
    text = f"moment\0{moment}\0{query}"
    return hmac.digest(service.credentials.hash_key.key, text.encode(), "sha256").hex()


def _back(service: Service, source: Source, **answer: str) -> Response:
    """To the client, with `state` as it came, and who answers (RFC 9207)."""
    parameters = {**answer, "state": source.state, "iss": service.settings.issuer_url}
    headers = {
        "Location": request.with_parameters(source.redirect_uri, parameters),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return Response(status_code=302, headers=headers)


ROWS = (
    page_row("GET", "/authorize", get_authorize),
    page_row("POST", "/authorize", post_authorize),
    page_row("POST", "/consent", post_consent),
)
