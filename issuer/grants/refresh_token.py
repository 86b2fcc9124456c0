"""refresh_token (RFC 6749 section 6): a sign-in goes on, with the rights that its user has now."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from issuer import sign_ins
from issuer.denials import Denial
from issuer.grants.audience import asked_audience
from issuer.service import Service
from issuer.sign_ins import Issued
from issuer.store.database import Transaction
from verifier import InvalidPermission, Scope

NAME = "refresh_token"


async def grant(service: Service, request: Request, form: Mapping[str, str]) -> Issued:
    client = await service.apps.app(request, form)
    if "refresh_token" not in form:
        raise Denial("invalid_request", "refresh_token is missing")

    def work(tx: Transaction) -> Issued | None:
        sign_in = sign_ins.go_on(tx, service, client, form["refresh_token"])
        if sign_in is None:
            return None
        # What raises from here on uses nothing up: a client that asks for too much keeps what it has.
        if "scope" in form:
            _refuse_wider(form["scope"], sign_in.consented)
        return sign_ins.issue(
            service,
            sign_in,
            audience=asked_audience(service.settings, form, sign_in.loaded.row.audience),
            requested=form.get("scope"),
            nonce=None,
            now=tx.now,
        )

    issued = await service.write(client.client_id, work)
    if issued is None:
        raise Denial(
            "invalid_grant",
            "the refresh token is not valid: it is unknown, was used, has expired, is another client's, or "
            "the sign-in has ended; sign in again",
        )
    return issued


def _refuse_wider(asked: str, granted: Scope) -> None:
    """Raises Denial."""
    try:
        missing = Scope.parse(asked).beyond(granted)
    except InvalidPermission as error:
        raise Denial("invalid_scope", str(error)) from error
    if missing:
        raise Denial("invalid_scope", f"the user did not agree to {missing}")
