"""authorization_code (RFC 6749 section 4.1.3): what a browser brought becomes a sign-in at a client."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

from starlette.requests import Request

from issuer import sign_ins
from issuer.clients import Client
from issuer.denials import Denial
from issuer.grants.audience import asked_audience
from issuer.service import Service
from issuer.sign_ins import Approved, Issued
from issuer.store import authorization_codes
from issuer.store.database import Transaction
from issuer.store.tables import AuthorizationCode, UserGrant
from issuer.store.user_grants import Authentication, Place
from keys import base64url
from verifier import Scope

NAME = "authorization_code"
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)


async def grant(service: Service, request: Request, form: Mapping[str, str]) -> Issued:
    client = await service.apps.app(request, form)
    if "code" not in form:
        raise Denial("invalid_request", "code is missing")

    def work(tx: Transaction) -> Issued | None:
        hash_key = service.credentials.hash_key.key
        code = authorization_codes.redeem(tx, form["code"], client.client_id, hash_key)
        if code is None or not _is_whole(code, form):
            return None
        return _begin(tx, service, client, code, form)

    issued = await service.write(client.client_id, work)
    if issued is None:
        # One text for every reason; what was presented is used up.
        raise Denial(
            "invalid_grant",
            "the code is not valid: it is unknown, was used, is older than a minute, is another client's, or "
            "does not go with this redirect_uri and code_verifier; begin again",
        )
    return issued


def _begin(
    tx: Transaction, service: Service, client: Client, code: AuthorizationCode, form: Mapping[str, str]
) -> Issued | None:
    session = tx.session.get_one(UserGrant, code.session_id)
    approved = Approved(
        user_id=code.user_id,
        scope=Scope.parse(code.scope),
        audience=code.audience,
        authentication=Authentication(code.authenticated_at, tuple(code.methods.split())),
        place=Place(session.address, session.user_agent),
        session_id=session.id,
    )
    sign_in = sign_ins.begin(tx, service, client, approved)
    if sign_in is None:
        return None
    authorization_codes.became(tx, code, sign_in.loaded.row)
    return sign_ins.issue(
        service,
        sign_in,
        audience=asked_audience(service.settings, form, code.audience),
        requested=None,
        nonce=code.nonce,
        now=tx.now,
    )


def _is_whole(code: AuthorizationCode, form: Mapping[str, str]) -> bool:
    """Whether the client that has the code is the one that began: RFC 6749 section 4.1.3, RFC 7636."""
    verifier = form.get("code_verifier", "")
    challenge = base64url.encode(hashlib.sha256(verifier.encode()).digest())
    is_same = hmac.compare_digest(challenge, code.code_challenge.encode())
    is_back_where_it_was = form.get("redirect_uri") == code.redirect_uri
    return is_same and _VERIFIER.fullmatch(verifier) is not None and is_back_where_it_was
