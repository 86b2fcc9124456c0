"""An answer that is not the one asked for -> the error to raise: one table for the whole API.

OAuth endpoints refuse with `error` (RFC 6749 section 5.2), everything else with a problem (RFC 9457).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from urllib.parse import unquote

import httpx

from holder.credentials import Credential, Jwt, Ticket
from holder.errors import HolderError, NotPermitted, SignInNeeded, Throttled, Unreachable

_MAX_TEXT = 600
_SECONDS = re.compile(r"[0-9]{1,9}")
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
# Where the protocol's own phrase would say nothing to a user.
_WHAT = {400: "The request was refused", 409: "That cannot be", 422: "The request was refused"}
# Fields that the user gave under another name.
_OPTIONS = {
    "grace_seconds": "--grace in seconds",
    "expires_at": "--expires",
    "never_expires": "--expires never",
    "presets": "--role",
    "label_selectors": "--label-selector",
    "resources": "--resource",
    "job_roles": "--job-role",
    "audiences": "--audience",
    "sign_in": "--id",
    "time_limit_seconds": "--time-limit",
    "issuer_pattern": "--issuer-pattern",
    "subject_pattern": "--subject-pattern",
    "claim_patterns": "--claim-pattern",
}
_FIELD = re.compile(rf"\b({'|'.join(_OPTIONS)})(?=: )")
_NOUNS = {
    "roles": "role",
    "users": "user",
    "apps": "app",
    "consents": "consent",
    "tokens": "token",
    "jobs": "job",
}
_INNER_LISTS = {
    "keys": "key list",
    "policies": "policy list",
    "trust": "trust list",
    "roles": "role list",
    "sign-ins": "sign-ins",
}
_ABOUT = re.compile(rf"/v1/({'|'.join(_NOUNS)})(?:/([^/?]+)/({'|'.join(_INNER_LISTS)})(/?))?")
_CONSENTS_OF = re.compile(r"/v1/consents\?")
_TOKENS_OF = re.compile(r"/v1/tokens(?:\?|$)")


def refusal(answer: httpx.Response, issuer: str, credential: Credential | None) -> HolderError:
    """The error for `answer`, which is no success, to a request with `credential`."""
    body = _body(answer)
    if body is None and not answer.is_server_error:
        return not_an_issuer(issuer, f"it answered {answer.status_code} without saying why")
    body = body or {}
    code = _text(body, "code") or _text(body, "error") or f"http_{answer.status_code}"
    what = _WHAT.get(answer.status_code) or _text(body, "title") or code.replace("_", " ")
    why = _text(body, "detail") or _text(body, "error_description")
    request_id = _text(body, "request_id") or answer.headers.get("x-request-id")
    retry_after = _retry_after(answer)
    again = "" if retry_after is None else f"try again in {retry_after} seconds"
    if answer.status_code == 401:
        return SignInNeeded(
            f"The issuer refused the credential from {credential.source if credential else 'nowhere'}",
            why or "it is unknown, expired or revoked",
            _sign_in(credential, issuer),
            code=code,
            request_id=request_id,
        )
    if answer.status_code == 403:
        return NotPermitted(
            "Not permitted",
            why or "the credential does not hold the permission for it",
            "hourmark whoami shows what this credential may do",
            code=code,
            request_id=request_id,
        )
    if answer.is_server_error:
        return Unreachable(
            f"The issuer cannot serve at the moment ({answer.status_code})",
            why or issuer,
            again or "try again in a moment",
            code=code,
            request_id=request_id,
            retry_after=retry_after,
        )
    if answer.status_code == 429:
        return Throttled(
            what,
            why or "it was asked too often",
            again or "try again in a minute",
            code=code,
            request_id=request_id,
            retry_after=retry_after,
        )
    if answer.status_code == 422:
        why = _FIELD.sub(lambda field: _OPTIONS[field[1]], why)
    return HolderError(what, why, again or _hint(answer, code), code=code, request_id=request_id)


def no_answer(issuer: str, error: httpx.HTTPError | httpx.InvalidURL) -> Unreachable:
    """The request did not come through. The error's own text names addresses, never headers."""
    timeout = isinstance(error, httpx.TimeoutException)
    return Unreachable(
        f"The issuer {issuer} did not answer",
        "it took too long" if timeout else _ERRNO.sub("", str(error))[:_MAX_TEXT] or type(error).__name__,
        f"check --url and HOURMARK_URL, and that it runs: curl {issuer}/livez",
        code="timeout" if timeout else "unreachable",
    )


def not_an_issuer(issuer: str, why: str) -> Unreachable:
    """Something answered, but not as an issuer does."""
    return Unreachable(
        f"At {issuer} something else than an issuer answered",
        why,
        "check --url and HOURMARK_URL",
        code="not_an_issuer",
    )


def _sign_in(credential: Credential | None, issuer: str) -> str:
    if (
        credential is not None
        and isinstance(credential.secret, Jwt)
        and issuer not in credential.secret.audience
    ):
        return f"use a role key, or a token for the issuer itself: hourmark login token --resource {issuer}"
    if credential is not None and isinstance(credential.secret, Ticket):
        return "start another job: hourmark job new --role ROLE -- CMD"
    return "hourmark login, or set HOURMARK_TOKEN to a good one"


def _hint(answer: httpx.Response, code: str) -> str:
    if answer.status_code == 404:
        return f"check the name: {_listing(answer)}"
    if answer.status_code == 409:
        return f"look at what is there: {_listing(answer)}"
    if code == "invalid_scope":
        return "hourmark whoami shows what this credential may ask for"
    return ""


def _listing(answer: httpx.Response) -> str:
    """The command that lists what the request was about."""
    path = answer.request.url.raw_path.decode("ascii")
    about = _ABOUT.search(path)
    if about is None:
        return "hourmark role list"
    outer, name, inner, within = about.groups()
    if answer.status_code == 404 and (outer, inner) == ("users", "roles"):
        # A role that is not held is no error, so it is the user who is missing, or the role that is given.
        return "hourmark user list" + (", hourmark role list" if answer.request.method == "POST" else "")
    if _CONSENTS_OF.match(path):
        return "hourmark user list"
    if answer.status_code == 404 and _TOKENS_OF.match(path):
        return "hourmark user list, hourmark role list"
    if (answer.status_code, outer, name) == (404, "jobs", None) and answer.request.method == "POST":
        return "hourmark role list"
    # Where a list itself is not found, what it is of is missing.
    if inner is None or (answer.status_code == 404 and not within):
        return f"hourmark {_NOUNS[outer]} list"
    return f"hourmark {_NOUNS[outer]} {_INNER_LISTS[inner]} {shlex.quote(unquote(name))}"


def _retry_after(answer: httpx.Response) -> int | None:
    """Seconds (RFC 9110 section 10.2.3); no issuer of ours names a day."""
    text = answer.headers.get("retry-after", "")
    return int(text) if _SECONDS.fullmatch(text) else None


def _body(answer: httpx.Response) -> Mapping[str, object] | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, Mapping) else None


def _text(body: Mapping[str, object], member: str) -> str:
    value = body.get(member)
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
