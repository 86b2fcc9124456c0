"""The endpoint that docker clients ask for a registry's token, in both of the ways in which they ask.

`GET` has its parameters in the query and the password in a header, `POST` has all in a form. Fewer rights
than were asked for, or none, are no error: the registry says what is missing. There is never a refresh token,
which docker would keep in the password's place.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from starlette.requests import Request
from starlette.responses import Response

from issuer import rfc3339
from issuer.authentication.client import authorization, user_and_password
from issuer.body import read_pairs, single
from issuer.denials import Denial
from issuer.mint import Minted, mint_for_registry
from issuer.registry import password, scopes
from issuer.registry.access import granted
from issuer.registry.scopes import Asked
from issuer.service import Service
from issuer.telemetry import note
from verifier import Scope

NOBODY = ""
"""The `sub` of who proves nothing."""
_SIGN_IN = (
    "nobody is signed in, and not everybody may pull this: `docker login -u console REGISTRY`, with a role "
    "key or a token as password"
)
_HEADERS = {"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks for, whichever way it asks."""

    service: str | None
    """The registry, as it calls itself; the only one need not be named."""
    asked: Asked
    proof: tuple[str, str] | None = field(repr=False)
    """User and password; None if the client proves nothing."""


async def get_registry_token(service: Service, request: Request) -> Response:
    """The distribution specification's token authentication."""
    fields, asked = _read(request.query_params.multi_items())
    header = authorization(request)
    proof = None if header is None else _user_and_password(header)
    minted = await _issue(service, request, Wish(fields.get("service"), asked, proof))
    return _answer(request, minted)


async def post_registry_token(service: Service, request: Request) -> Response:
    """The distribution specification's token authentication by OAuth2."""
    if request.scope["query_string"]:
        raise Denial("invalid_request", "parameters belong in the body: a URL is kept in logs")
    fields, asked = _read(await read_pairs(request))
    if fields.get("grant_type") != "password":
        raise Denial("unsupported_grant_type", "grant_type is password here")
    if "password" not in fields:
        raise Denial("invalid_client", "the password is missing: it is a role key or a token")
    proof = fields.get("username", ""), fields["password"]
    minted = await _issue(service, request, Wish(fields.get("service"), asked, proof))
    return _answer(request, minted, scope=minted.scope, token_type="Bearer")  # noqa: S106 - RFC 6750's name


def _read(pairs: list[tuple[str, str]]) -> tuple[Mapping[str, str], Asked]:
    """The parameters, and all that the scopes ask for, of which there may be several. Raises Denial."""
    fields = single([pair for pair in pairs if pair[0] != "scope"])
    try:
        return fields, scopes.parse(value for name, value in pairs if name == "scope")
    except scopes.TooManyResources as error:
        raise Denial("invalid_scope", str(error)) from None


def _user_and_password(header: str) -> tuple[str, str]:
    """Whatever is wrong with the header is answered as a wrong password is: clients show nothing else."""
    try:
        return user_and_password(header)
    except Denial as error:
        raise Denial("invalid_client", error.detail) from None


async def _issue(service: Service, request: Request, wish: Wish) -> Minted:
    """Who asks is proven before anything is said of registries. Raises Denial, InvalidCredential."""
    service.coherence.check()
    settings, now = service.settings, int(time.time())
    grant = None
    if wish.proof is not None:
        # Nothing reaches a registry to end what it was given: the last change counts, wherever it was made.
        await service.coherence.catch_up()
        grant = await password.prove(service, request, *wish.proof)
    registry = _registry(settings.registry_services, wish.service)
    everybodys = settings.anonymous_rights[registry]
    if grant is None:
        access = granted(wish.asked, everybodys)
        if not access:
            raise Denial("invalid_client", _SIGN_IN)
    elif grant.audiences and registry not in grant.audiences:
        raise Denial(
            "invalid_client",
            f"the API token is for {', '.join(grant.audiences)} alone, and not for {registry}",
        )
    else:
        access = granted(wish.asked, Scope((*grant.rights.permissions, *everybodys.permissions)))
    return mint_for_registry(
        service.registry_signers.present(now),
        issuer=settings.issuer_url,
        service=registry,
        subject=NOBODY if grant is None else grant.subject,
        access=access,
        ends_at=None if grant is None else grant.ends_at,
        now=now,
    )


def _registry(known: tuple[str, ...], named: str | None) -> str:
    """Raises Denial."""
    registry = known[0] if named is None and len(known) == 1 else named
    if registry not in known:
        raise Denial(
            "invalid_target",
            f"the registry service {(registry or '')[:100]!r} is not known here: HOURMARKD_REGISTRY_SERVICES "
            "names those that are",
        )
    return registry


def _answer(request: Request, minted: Minted, **members: str) -> Response:
    note(request.scope, jti=minted.token_id, scope=minted.scope)
    body = {
        "token": minted.raw,
        "access_token": minted.raw,
        "expires_in": minted.expires_in,
        "issued_at": rfc3339.write(time.time()),
        **members,
    }
    return Response(orjson.dumps(body), headers=_HEADERS)
