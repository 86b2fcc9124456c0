"""From an exception to an HTTP answer: the one table. Only this module knows status codes.

Three dialects: OAuth endpoints speak RFC 6749 section 5.2, the one that docker clients ask speaks as
registries do, everything else RFC 9457. A refused bearer token is challenged as RFC 6750 says.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

import orjson
from pydantic import ValidationError
from starlette.responses import Response

from issuer.credentials import InvalidCredential
from issuer.mint import ScopeRefused
from issuer.signing import NoSigningKey
from issuer.store.database import StoreUnavailable
from issuer.store.names import InvalidName
from issuer.store.refusals import Conflict, NotFound
from issuer.store.role_keys import NoSuchKey
from issuer.store.status_indices import Ended, StatusListFull
from verifier import InvalidPermission, TokenError, bearer
from verifier.bearer import RETRY_SECONDS

OAUTH_PATHS = frozenset({"/v1/token", "/v1/revoke", "/v1/introspect", "/v1/device"})
REGISTRY_PATHS = "/v1/registry/"
"""How they begin. Docker clients ask for what is not there, too, if a registry's `realm` is mistyped."""
Dialect = Literal["oauth", "registry", "problem"]

STATUS = {
    "invalid_request": HTTPStatus.BAD_REQUEST,
    "invalid_client": HTTPStatus.UNAUTHORIZED,
    "unsupported_grant_type": HTTPStatus.BAD_REQUEST,
    "invalid_scope": HTTPStatus.BAD_REQUEST,
    "invalid_target": HTTPStatus.BAD_REQUEST,
    "invalid_grant": HTTPStatus.BAD_REQUEST,
    "unauthorized_client": HTTPStatus.BAD_REQUEST,
    "authorization_pending": HTTPStatus.BAD_REQUEST,
    "expired_token": HTTPStatus.BAD_REQUEST,
    "access_denied": HTTPStatus.BAD_REQUEST,
    "polls_too_often": HTTPStatus.BAD_REQUEST,
    "invalid_token": HTTPStatus.UNAUTHORIZED,
    "insufficient_scope": HTTPStatus.FORBIDDEN,
    "not_permitted": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "request_timeout": HTTPStatus.REQUEST_TIMEOUT,
    "conflict": HTTPStatus.CONFLICT,
    "misdirected_request": HTTPStatus.MISDIRECTED_REQUEST,
    "precondition_failed": HTTPStatus.PRECONDITION_FAILED,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "head_too_large": HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "invalid_field": HTTPStatus.UNPROCESSABLE_ENTITY,
    "slow_down": HTTPStatus.TOO_MANY_REQUESTS,
    "server_error": HTTPStatus.INTERNAL_SERVER_ERROR,
    "temporarily_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
# What the rooms below raise, and what it is called outside.
_CODES: dict[type[Exception], str] = {
    InvalidCredential: "invalid_client",
    ScopeRefused: "invalid_scope",
    InvalidPermission: "invalid_field",
    InvalidName: "invalid_field",
    Conflict: "conflict",
    NotFound: "not_found",
    NoSuchKey: "not_found",
    Ended: "invalid_token",
    StatusListFull: "temporarily_unavailable",
    StoreUnavailable: "temporarily_unavailable",
    NoSigningKey: "temporarily_unavailable",
}
# RFC 6749 section 5.2 has no names of its own for these.
OAUTH_NAMES = {"too_large": "invalid_request", "unsupported_media_type": "invalid_request"}
OAUTH_NAMES |= {"request_timeout": "invalid_request", "method_not_allowed": "invalid_request"}
OAUTH_NAMES |= {"misdirected_request": "invalid_request", "head_too_large": "invalid_request"}
# RFC 8628 section 3.5 has the same name with another status.
OAUTH_NAMES |= {"polls_too_often": "slow_down"}


_REGISTRY_NAMES = {
    HTTPStatus.UNAUTHORIZED: "UNAUTHORIZED",
    HTTPStatus.TOO_MANY_REQUESTS: "TOOMANYREQUESTS",
    HTTPStatus.SERVICE_UNAVAILABLE: "UNAVAILABLE",
    HTTPStatus.INTERNAL_SERVER_ERROR: "UNKNOWN",
}


class Denial(Exception):
    """A refusal that is found at the door, by its code."""

    def __init__(
        self, code: str, detail: str, *, headers: dict[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.members = members


def wrong_field(field: str, message: str) -> Denial:
    """A field, or a parameter of the URL, that cannot be as it is."""
    return Denial("invalid_field", f"{field}: {message}", errors=[{"field": field, "message": message}])


_SAID = {
    "string_type": "must be a text",
    "list_type": 'must be a list, such as ["…"]',
    "dict_type": 'must be names with values, such as {"name": "value"}',
    "missing": "is missing",
    "extra_forbidden": "is not known here",
}
"""By pydantic's types of errors: what to write, where its own words are about its types."""


def wrong_fields(error: ValidationError) -> Denial:
    """Every field, or parameter of the URL, that the model does not take; none named is all of the body."""
    fields = [
        {
            "field": ".".join(map(str, wrong["loc"])) or "body",
            "message": _SAID.get(wrong["type"], wrong["msg"].removeprefix("Value error, ")),
        }
        for wrong in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    summary = "; ".join(f"{wrong['field']}: {wrong['message']}" for wrong in fields)
    return Denial("invalid_field", summary, errors=fields)


class BearerDenial(Exception):
    """A bearer token that was refused, or that is missing (`error` None)."""

    def __init__(self, error: TokenError | None) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Refusal:
    """What every dialect is rendered from."""

    status: int
    code: str
    detail: str
    headers: dict[str, str]
    members: dict[str, object]


def refusal(error: Exception) -> Refusal:
    """Everything that is not known here is a server_error, without a word of what it was."""
    if isinstance(error, BearerDenial):
        return _bearer_refusal(error.error)
    if isinstance(error, Denial):
        code, detail, headers, members = error.code, error.detail, error.headers, error.members
    else:
        code = _CODES.get(type(error), "server_error")
        detail = "something went wrong here" if code == "server_error" else str(error)
        headers, members = {}, {}
    if code == "invalid_client":
        headers = {"WWW-Authenticate": 'Basic realm="hourmark", charset="UTF-8"'} | headers
    if code == "invalid_token":
        headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'} | headers
    if code in ("temporarily_unavailable", "slow_down"):
        headers = {"Retry-After": str(RETRY_SECONDS)} | headers
    return Refusal(STATUS[code], code, detail, headers, members)


def dialect(path: str) -> Dialect:
    """In which refusals are rendered for whoever asked for `path`."""
    return "oauth" if path in OAUTH_PATHS else "registry" if path.startswith(REGISTRY_PATHS) else "problem"


def registry_name(code: str) -> str:
    """What registries call a refusal (the distribution specification's error codes)."""
    return _REGISTRY_NAMES.get(STATUS[code], "UNSUPPORTED")


def answer(error: Exception, *, path: str, request_id: str) -> Response:
    """The HTTP answer to whoever asked for `path`."""
    refused = refusal(error)
    headers = {"Cache-Control": "no-store", **refused.headers}
    spoken = dialect(path)
    if spoken == "oauth":
        name = OAUTH_NAMES.get(refused.code, refused.code)
        body: dict[str, object] = {"error": name, "error_description": _printable(refused.detail)}
        media_type = "application/json;charset=UTF-8"
        headers["Pragma"] = "no-cache"
    elif spoken == "registry":
        said = {"code": registry_name(refused.code), "message": refused.detail, "detail": None}
        body = {"errors": [said]}
        media_type = "application/json;charset=UTF-8"
    else:
        media_type = "application/problem+json"
        body = {
            "type": f"urn:hourmark:error:{refused.code}",
            "title": HTTPStatus(refused.status).phrase,
            "status": refused.status,
            "detail": refused.detail,
            "code": refused.code,
            "request_id": request_id,
            **refused.members,
        }
    return Response(orjson.dumps(body), refused.status, headers | {"Content-Type": media_type})


def _bearer_refusal(error: TokenError | None) -> Refusal:
    refused = bearer.Refusal.of(error)
    if error is None:
        detail = "send a token or a role key as Authorization: Bearer"
        return Refusal(refused.status, refused.code, detail, refused.headers, {})
    return Refusal(refused.status, refused.code, refused.detail, refused.headers, {"reason": refused.reason})


def _printable(text: str) -> str:
    """What `error_description` may hold (RFC 6749 section 5.2)."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "'" for c in text)
