"""The device grant's two sides: where a device begins, and where somebody approves it (RFC 8628)."""

from __future__ import annotations

import time
from collections.abc import Mapping

import orjson
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from issuer import clients, proof_of_possession
from issuer.authorization import consent, request
from issuer.authorization.request import RefusedRequest
from issuer.body import read_form
from issuer.browser import Browser, BrowserSession, browser_of, place, read_page_form
from issuer.clients import Client
from issuer.console.pages import page, page_row, sign_in_first, target_of
from issuer.denials import Denial
from issuer.resources import Row
from issuer.service import Service
from issuer.signing_in import sessions
from issuer.store import device_codes, rights
from issuer.store.database import Transaction
from issuer.store.tables import DeviceCode, Principal, UserGrant
from issuer.telemetry import source
from verifier import Scope

_HEADERS = {"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store"}
_MAX_TYPED = 20
_MAX_WAITING = 50
"""Devices that may wait at once from one address."""


async def post_device(service: Service, http: Request) -> Response:
    """RFC 8628 section 3.1."""
    form = await read_form(http)
    if proof_of_possession.is_asked_for(form, http.scope["headers"]):
        raise Denial("invalid_request", proof_of_possession.REFUSAL)
    service.coherence.check()
    client = await service.apps.app(http, form)
    code, address = _asked(service, client, form, http), source(http.scope)

    def work(tx: Transaction) -> tuple[str, str]:
        if device_codes.count_waiting(tx.session, address, tx.now) >= _MAX_WAITING:
            raise Denial("slow_down", "too many devices wait at this address already")
        text = device_codes.add(tx, code, service.credentials.hash_key.key)
        return text, device_codes.shown(code.user_code)

    text, shown = await service.write(client.client_id, work)
    uri = f"{service.settings.issuer_url}/device"
    body = {
        "device_code": text,
        "user_code": shown,
        "verification_uri": uri,
        "verification_uri_complete": f"{uri}?user_code={shown}",
        "expires_in": device_codes.LIFETIME,
        "interval": device_codes.INTERVAL,
    }
    return Response(orjson.dumps(body), headers=_HEADERS)


async def get_device(service: Service, http: Request) -> Response:
    """Asks for the code, even if the link has it: nothing is approved without a look at it."""
    browser = await browser_of(service, http)
    if browser.session is None:
        return sign_in_first(target_of(http))
    return page(
        browser, "device_code.html", user_code=http.query_params.get("user_code", "")[:20], wrong=None
    )


async def post_device_code(service: Service, http: Request) -> Response:
    """Shows what waits under a code."""
    browser, form = await read_page_form(service, http)
    session = browser.require_session()
    code = await _waiting(service, http, session, form)
    if code is None:
        return _wrong(browser, form)
    client, held = await service.read(lambda reading: _look(reading, code, session))
    if client is None:
        return _wrong(browser, form)
    if client.is_ours and not sessions.is_recent(session):
        # It becomes the user, with all that the pages ask a fresh proof for.
        return sign_in_first(f"/device?user_code={device_codes.shown(code.user_code)}")
    return page(
        browser,
        "device.html",
        client=client,
        code=code,
        user_code=device_codes.shown(code.user_code),
        wishes=consent.wishes(Scope.parse(code.scope), held, service.settings),
    )


async def post_decision(service: Service, http: Request) -> Response:
    browser, form = await read_page_form(service, http)
    session = browser.require_session()
    decision = {"allow": device_codes.APPROVED, "deny": device_codes.DENIED}.get(form.get("decision", ""))
    if decision is None:
        raise Denial("invalid_request", "the form says neither allow nor deny")
    code = await _waiting(service, http, session, form)
    if code is None:
        return _wrong(browser, form)

    def work(tx: Transaction) -> bool:
        client = clients.find(tx.session, code.client_id)
        if client is None or (client.is_ours and not sessions.is_recent(session)):
            return False
        row = tx.session.get_one(UserGrant, session.grant_id)
        if decision == device_codes.APPROVED:
            user = tx.session.get_one(Principal, session.user_id)
            consent.remember(tx, user, client, Scope.parse(code.scope), row)
        return device_codes.decide(tx, code, decision, row)

    if not await service.change(session.user, session.status_index, work):
        return _wrong(browser, form)
    return page(browser, "device_done.html", is_approved=decision == device_codes.APPROVED)


def _asked(service: Service, client: Client, form: Mapping[str, str], http: Request) -> DeviceCode:
    """Raises Denial."""
    try:
        scope = request.scope_within(form, client)
        audience = request.known_audience(form, service.settings)
    except RefusedRequest as error:
        raise Denial(error.code, str(error)) from error
    where = place(http)
    return DeviceCode(
        hash=b"",
        user_code="",
        client_id=client.client_id,
        scope=str(scope),
        audience=audience,
        address=where.address,
        user_agent=where.user_agent[:200],
        created_at=0,
        expires_at=0,
        interval=0,
    )


async def _waiting(
    service: Service, http: Request, session: BrowserSession, form: Mapping[str, str]
) -> DeviceCode | None:
    """The code that was typed, if one waits under it. Raises Denial after too many wrong ones."""
    tried = (f"address:{source(http.scope)}", f"user:{session.user}")
    typed, now = device_codes.typed(form.get("user_code", "")), int(time.time())

    def work(tx: Transaction) -> DeviceCode | int | None:
        """In one transaction: of many tries at once each counts before the next one is looked at."""
        locked_until = device_codes.locked_until(tx.session, tried, tx.now)
        if locked_until is not None:
            return locked_until
        code = device_codes.waiting(tx.session, typed, tx.now)
        if code is None:
            device_codes.note_wrong(tx, tried)
        else:
            tx.session.expunge(code)
        return code

    found = await service.write(session.user, work)
    if isinstance(found, int):
        raise Denial(
            "slow_down",
            f"too many wrong codes from here: try again in {found - now} s",
            headers={"Retry-After": str(found - now)},
        )
    return found


def _look(reading: Session, code: DeviceCode, session: BrowserSession) -> tuple[Client | None, Scope]:
    held = rights.held(reading, reading.get_one(Principal, session.user_id))
    return clients.find(reading, code.client_id), held


def _wrong(browser: Browser, form: Mapping[str, str]) -> Response:
    said = "Nothing waits under this code. It is good for ten minutes: look at the device again."
    return page(
        browser, "device_code.html", status=400, user_code=form.get("user_code", "")[:_MAX_TYPED], wrong=said
    )


ROWS = (
    Row("POST", "/v1/device", post_device),
    page_row("GET", "/device", get_device),
    page_row("POST", "/device", post_device_code),
    page_row("POST", "/device/decision", post_decision),
)
