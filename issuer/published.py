"""The public documents: metadata, keys, status list. They are served while the database is gone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import get_args

import anyio
import orjson
from starlette.requests import Request
from starlette.responses import Response

from issuer.clients import PROTOCOL_WORDS
from issuer.denials import Denial
from issuer.grants.token import GRANTS
from issuer.resources import Handler, Row
from issuer.rotation import JWKS_MAX_AGE
from issuer.service import Service
from issuer.settings import Settings, SigningAlgorithm
from issuer.store.status_indices import LIST_ID
from verifier.status_list import TYP
from verifier.trust import ISSUED_ALGORITHMS

MAX_WAIT = 30
_METADATA_MAX_AGE = 300
_CLAIMS = (
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "amr", "nonce", "at_hash"),
    *("name", "preferred_username", "email", "email_verified"),
)
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])")
# Pages of any origin may verify tokens too. Nothing else here is for other origins.
_ANY_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Preference-Applied",
}
_PREFLIGHT = {
    **_ANY_ORIGIN,
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-None-Match, Prefer",
    "Access-Control-Max-Age": "86400",
}


def metadata(settings: Settings) -> dict[str, object]:
    """What is switched on, and nothing else (RFC 8414, OpenID Connect Discovery)."""
    issuer = settings.issuer_url
    authentication = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
    assertions = list(ISSUED_ALGORITHMS)
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "token_endpoint": f"{issuer}/v1/token",
        "token_endpoint_auth_methods_supported": authentication,
        "token_endpoint_auth_signing_alg_values_supported": assertions,
        "grant_types_supported": list(GRANTS),
        "authorization_endpoint": f"{issuer}/authorize",
        "device_authorization_endpoint": f"{issuer}/v1/device",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "scopes_supported": list(PROTOCOL_WORDS),
        "claims_supported": list(_CLAIMS),
        "userinfo_endpoint": f"{issuer}/v1/userinfo",
        "introspection_endpoint": f"{issuer}/v1/introspect",
        # RFC 8414 section 2: also how access tokens are shown there.
        "introspection_endpoint_auth_methods_supported": [*authentication, "Bearer"],
        "introspection_endpoint_auth_signing_alg_values_supported": assertions,
        "revocation_endpoint": f"{issuer}/v1/revoke",
        "revocation_endpoint_auth_methods_supported": authentication,
        "revocation_endpoint_auth_signing_alg_values_supported": assertions,
        "end_session_endpoint": f"{issuer}/logout",
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": _first(settings.algorithm, get_args(SigningAlgorithm)),
        "protected_resources": list(settings.accepted_audiences),
    }


def _first(default: str, offered: Iterable[str]) -> list[str]:
    return [default, *(other for other in offered if other != default)]


async def get_metadata(service: Service, request: Request) -> Response:
    del request
    headers = {"Cache-Control": f"public, max-age={_METADATA_MAX_AGE}", **_ANY_ORIGIN}
    return Response(orjson.dumps(metadata(service.settings)), headers=headers, media_type="application/json")


async def get_jwks(service: Service, request: Request) -> Response:
    published = service.signing.published
    headers = {"ETag": published.etag, "Cache-Control": f"public, max-age={JWKS_MAX_AGE}", **_ANY_ORIGIN}
    if _matches(request, published.etag):
        return Response(status_code=304, headers=headers)
    return Response(published.document, headers=headers, media_type="application/jwk-set+json")


async def get_status_list(service: Service, request: Request) -> Response:
    """The newest version; who has it and prefers to wait gets the next one when it exists (RFC 7240)."""
    if request.path_params["number"] != str(LIST_ID):
        raise Denial("not_found", "there is no such status list")
    headers = {
        "Vary": "Prefer",
        "Cache-Control": f"public, max-age={service.settings.status_ttl}",
        **_ANY_ORIGIN,
    }
    wait = _WAIT.search(request.headers.get("prefer", ""))
    if wait is not None and _matches(request, service.status.published.etag):
        seconds = min(int(wait[1]), MAX_WAIT)
        if await _wait(service, request, seconds):
            headers |= {"Preference-Applied": f"wait={seconds}", "Cache-Control": "no-store"}
    published = service.status.published
    headers["ETag"] = published.etag
    if _matches(request, published.etag):
        return Response(status_code=304, headers=headers)
    return Response(published.document, headers=headers, media_type=f"application/{TYP}")


async def _wait(service: Service, request: Request, seconds: float) -> bool:
    """Whether the next version was waited for. Who hangs up does not keep a place."""
    waited = False

    async def watch(scope: anyio.CancelScope) -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(watch, group.cancel_scope)
        waited = await service.status.wait_for_newer(service.status.published.version, seconds)
        group.cancel_scope.cancel()
    return waited


async def preflight(service: Service, request: Request) -> Response:
    """What a browser asks before a page may ask with `If-None-Match` or `Prefer` (Fetch, CORS protocol)."""
    del service, request
    return Response(status_code=204, headers=_PREFLIGHT)


def _matches(request: Request, etag: str) -> bool:
    """`If-None-Match` by weak comparison (RFC 9110 section 13.1.2)."""
    known = request.headers.get("if-none-match", "")
    return known == "*" or any(tag.strip().removeprefix("W/") == etag for tag in known.split(","))


_DOCUMENTS: tuple[tuple[str, Handler], ...] = (
    ("/status/{number}", get_status_list),
    ("/.well-known/jwks.json", get_jwks),
    ("/.well-known/openid-configuration", get_metadata),
    ("/.well-known/oauth-authorization-server", get_metadata),
)
ROWS = (
    *(Row("GET", path, handler) for path, handler in _DOCUMENTS),
    *(Row("OPTIONS", path, preflight) for path, _ in _DOCUMENTS),
)
