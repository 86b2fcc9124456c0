"""An authorization request (RFC 6749 section 4.1.1, RFC 7636, OpenID Connect Core section 3.1.2.1).

It is read again, from its query, at every step: nothing of it is kept between two pages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from issuer import proof_of_possession, redirect_uris
from issuer.clients import Client
from issuer.on_behalf import opens_nothing
from issuer.registry.access import refuse_selectors
from issuer.settings import Settings
from verifier import InvalidPermission, Scope

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_MAX_TEXT = 512
_NOT_SUPPORTED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}


class UntrustedRequest(Exception):
    """Nobody knows whether it is the client who asks: it is told to the user, and never by a redirect."""


class RefusedRequest(Exception):
    """The client asks for what it cannot have; it is told so (RFC 6749 section 4.1.2.1)."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a request, by name; those without a value are as good as not sent."""

    parameters: Mapping[str, str]
    repeated: tuple[str, ...]
    """Names that are there more than once: which value counts, nobody can say."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who asks, and where the answer goes: known to be right before anything else is looked at."""

    client: Client
    redirect_uri: str
    state: str | None


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What is asked for, after its form was found good."""

    source: Source
    scope: Scope
    """Within what the client is registered for."""
    audience: str
    code_challenge: str
    nonce: str | None
    prompts: frozenset[str]
    max_age: int | None
    login_hint: str
    id_token_hint: str | None


def parse_query(query: str) -> Query:
    """Raises UntrustedRequest if it is no text."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError:
        raise UntrustedRequest("the request is no UTF-8 text, or has too many parameters") from None
    if any("\0" in text for pair in pairs for text in pair):
        raise UntrustedRequest("the request holds a NUL character")
    counted = Counter(name for name, _ in pairs)
    once = {name: value for name, value in pairs if value and counted[name] == 1}
    return Query(once, tuple(name for name, count in counted.items() if count > 1))


def read_source(query: Query, client: Client | None) -> Source:
    """Raises UntrustedRequest."""
    parameters = query.parameters
    if client is None:
        raise UntrustedRequest("the request names no client that is registered here")
    redirect_uri = parameters.get("redirect_uri", "")
    if not redirect_uris.is_registered(redirect_uri, client.redirect_uris):
        raise UntrustedRequest(
            f"the address to go back to is not one that {client.name} has registered: it is compared letter "
            "by letter"
        )
    return Source(client, redirect_uri, parameters.get("state"))


def read(query: Query, source: Source, settings: Settings) -> AuthorizationRequest:
    """Raises RefusedRequest. Parameters that nobody knows are left alone."""
    if query.repeated:
        raise RefusedRequest("invalid_request", "a parameter appears twice")
    parameters = query.parameters
    for name, code in _NOT_SUPPORTED.items():
        if name in parameters:
            raise RefusedRequest(code, f"{name} is not supported: send plain parameters")
    if proof_of_possession.is_asked_for(parameters):
        raise RefusedRequest("invalid_request", proof_of_possession.REFUSAL)
    kind = parameters.get("response_type")
    if kind is None:
        raise RefusedRequest("invalid_request", "response_type is missing: send code")
    if kind != "code":
        raise RefusedRequest("unsupported_response_type", "response_type is code here")
    if parameters.get("response_mode", "query") != "query":
        raise RefusedRequest("invalid_request", "response_mode is query here")
    return AuthorizationRequest(
        source=source,
        scope=scope_within(parameters, source.client),
        audience=known_audience(parameters, settings),
        code_challenge=_challenge(parameters),
        nonce=_short(parameters, "nonce"),
        prompts=_prompts(parameters),
        max_age=_max_age(parameters),
        login_hint=(_short(parameters, "login_hint") or ""),
        id_token_hint=parameters.get("id_token_hint"),
    )


def with_parameters(uri: str, parameters: Mapping[str, str | None]) -> str:
    """The redirect URI with the answer in its query; what it has there already stays."""
    added = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{uri}{'&' if urlsplit(uri).query else '?'}{added}"


def scope_within(parameters: Mapping[str, str], client: Client) -> Scope:
    """What is asked for of what the client may ask for; without `scope`, all its permissions.

    Raises RefusedRequest.
    """
    text = parameters.get("scope")
    try:
        granted = Scope(client.scope.permissions) if text is None else Scope.parse(text) & client.scope
        refuse_selectors(granted.permissions)
    except InvalidPermission as error:
        raise RefusedRequest("invalid_scope", str(error)) from error
    if opens_nothing(granted):
        raise RefusedRequest("invalid_scope", "the client is registered for nothing of this scope")
    return granted


def known_audience(parameters: Mapping[str, str], settings: Settings) -> str:
    """Raises RefusedRequest."""
    asked = parameters.get("resource") or parameters.get("audience") or settings.accepted_audiences[0]
    if asked not in settings.accepted_audiences:
        raise RefusedRequest("invalid_target", "resource names no service that is known here")
    return asked


def _challenge(parameters: Mapping[str, str]) -> str:
    challenge = parameters.get("code_challenge")
    if challenge is None:
        raise RefusedRequest("invalid_request", "code_challenge is missing: PKCE is needed (RFC 7636)")
    if parameters.get("code_challenge_method") != "S256":
        raise RefusedRequest("invalid_request", "code_challenge_method is S256 here")
    if _CHALLENGE.fullmatch(challenge) is None:
        raise RefusedRequest("invalid_request", "code_challenge is 43 characters of base64url")
    return challenge


def _prompts(parameters: Mapping[str, str]) -> frozenset[str]:
    prompts = frozenset(parameters.get("prompt", "").split())
    if not prompts <= _PROMPTS:
        raise RefusedRequest("invalid_request", f"prompt is one of: {', '.join(sorted(_PROMPTS))}")
    if "none" in prompts and len(prompts) > 1:
        raise RefusedRequest("invalid_request", "prompt=none stands alone")
    return prompts


def _max_age(parameters: Mapping[str, str]) -> int | None:
    text = parameters.get("max_age")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RefusedRequest("invalid_request", "max_age is a number of seconds")
    return int(text)


def _short(parameters: Mapping[str, str], name: str) -> str | None:
    text = parameters.get(name)
    if text is not None and len(text) > _MAX_TEXT:
        raise RefusedRequest("invalid_request", f"{name} has at most {_MAX_TEXT} characters")
    return text
