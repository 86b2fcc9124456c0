"""device_code (RFC 8628 section 3.4): a device asks until somebody has approved it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from issuer import sign_ins
from issuer.clients import Client
from issuer.denials import Denial
from issuer.grants.audience import asked_audience
from issuer.service import Service
from issuer.sign_ins import Approved, Issued
from issuer.store import device_codes
from issuer.store.database import Transaction
from issuer.store.tables import DeviceCode
from issuer.store.user_grants import Authentication, Place
from verifier import Scope

NAME = "urn:ietf:params:oauth:grant-type:device_code"
_SAID = {
    "authorization_pending": "nobody has approved it yet: ask again after the interval",
    "polls_too_often": "ask less often: the interval is 5 seconds longer from now on",
    "expired_token": "nobody approved it in time: begin again",
    "access_denied": "the user does not agree, or has ended since what was agreed to",
    "invalid_grant": "the device code is unknown, was used, or is another client's: begin again",
}


async def grant(service: Service, request: Request, form: Mapping[str, str]) -> Issued:
    client = await service.apps.app(request, form)
    if "device_code" not in form:
        raise Denial("invalid_request", "device_code is missing")

    def work(tx: Transaction) -> Issued | str:
        hash_key = service.credentials.hash_key.key
        code = device_codes.poll(tx, form["device_code"], client.client_id, hash_key)
        if isinstance(code, str):
            return code
        return _begin(tx, service, client, code, form) or "access_denied"

    issued = await service.write(client.client_id, work)
    if isinstance(issued, str):
        raise Denial(issued, _SAID[issued])
    return issued


def _begin(
    tx: Transaction, service: Service, client: Client, code: DeviceCode, form: Mapping[str, str]
) -> Issued | None:
    assert code.user_id is not None  # noqa: S101 - it is approved
    assert code.authenticated_at is not None  # noqa: S101 - so it is
    approved = Approved(
        user_id=code.user_id,
        scope=Scope.parse(code.scope),
        audience=code.audience,
        authentication=Authentication(code.authenticated_at, tuple(code.methods.split())),
        place=Place(code.address, code.user_agent),
    )
    sign_in = sign_ins.begin(tx, service, client, approved)
    if sign_in is None:
        return None
    device_codes.became(tx, code, sign_in.loaded.row)
    audience = asked_audience(service.settings, form, code.audience)
    return sign_ins.issue(service, sign_in, audience=audience, requested=None, nonce=None, now=tx.now)
