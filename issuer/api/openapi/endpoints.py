"""The paths that a specification defines, and not we: a row each."""

from __future__ import annotations

from typing import Any

from issuer.api.openapi import answers, door
from issuer.api.openapi.endpoint import Endpoint
from issuer.api.openapi.published import PUBLISHED

BEARER: dict[str, list[str]] = {"bearer": []}
ROLE_KEY: dict[str, list[str]] = {"roleKey": []}
# A client that sends its role key in the form does it without a header.
_CLIENT: tuple[dict[str, Any], ...] = (ROLE_KEY, {})
_AUTHENTICATION = ("client_id", "client_secret", "client_assertion_type", "client_assertion")
_TOKEN_FIELDS = ("token", "token_type_hint", *_AUTHENTICATION)
_FORM_REFUSALS = ("request_timeout", "too_large", "unsupported_media_type")
_CALLER_REFUSALS = ("invalid_request", "slow_down", "temporarily_unavailable")


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/token",
        summary="Exchange a role key for a token (RFC 6749)",
        answer=answers.Token,
        security=(*_CLIENT, BEARER),
        form=(
            *("grant_type", "scope", "resource", "audience"),
            *("code", "redirect_uri", "code_verifier", "refresh_token", "device_code"),
            *("subject_token", "subject_token_type", "actor_token", "actor_token_type"),
            *("requested_token_type", "assertion", "role"),
            *_AUTHENTICATION,
        ),
        required=("grant_type",),
        always=("Cache-Control",),
        refusals=(
            *_CALLER_REFUSALS,
            *_FORM_REFUSALS,
            "invalid_client",
            "unsupported_grant_type",
            "invalid_scope",
            "invalid_target",
            "invalid_grant",
            "unauthorized_client",
            "authorization_pending",
            "expired_token",
            "access_denied",
            "polls_too_often",
            "invalid_token",
        ),
    ),
    Endpoint(
        path="/v1/token",
        summary="A job's token, for its ticket",
        answer=answers.Token,
        security=(BEARER,),
        query=("scope", "resource", "audience"),
        always=("Cache-Control",),
        refusals=(
            "invalid_request",
            "invalid_scope",
            "invalid_target",
            "invalid_token",
            "slow_down",
            "temporarily_unavailable",
        ),
    ),
    Endpoint(
        path="/v1/registry/token",
        summary="A docker registry's token, for a role key or a token as password",
        answer=answers.RegistryToken,
        security=_CLIENT,
        query=("service", "scope", "account", "client_id", "offline_token"),
        always=("Cache-Control",),
        refusals=(*_CALLER_REFUSALS, "invalid_client", "invalid_scope", "invalid_target", "invalid_token"),
    ),
    Endpoint(
        method="POST",
        path="/v1/registry/token",
        summary="A docker registry's token, asked for with all in a form",
        answer=answers.GrantedRegistryToken,
        form=(*("grant_type", "service", "scope", "client_id", "access_type"), "username", "password"),
        required=("grant_type", "password"),
        always=("Cache-Control",),
        refusals=(
            *_CALLER_REFUSALS,
            *_FORM_REFUSALS,
            "invalid_client",
            "invalid_scope",
            "invalid_target",
            "invalid_token",
            "unsupported_grant_type",
        ),
    ),
    Endpoint(
        method="POST",
        path="/v1/device",
        summary="A device begins to sign a user in (RFC 8628)",
        answer=answers.Device,
        security=_CLIENT,
        form=("scope", "resource", *_AUTHENTICATION),
        always=("Cache-Control",),
        refusals=(
            *_CALLER_REFUSALS,
            *_FORM_REFUSALS,
            "invalid_client",
            "invalid_scope",
            "invalid_target",
        ),
    ),
    *(
        Endpoint(
            method=method,
            path="/v1/userinfo",
            summary="What is known of the user (OpenID Connect Core section 5.3)",
            answer=answers.UserInfo,
            security=(BEARER,),
            always=("Cache-Control",),
            refusals=(*_CALLER_REFUSALS, "invalid_token", "insufficient_scope"),
        )
        for method in ("GET", "POST")
    ),
    Endpoint(
        method="POST",
        path="/v1/introspect",
        summary="What a token says (RFC 7662)",
        answer=answers.Introspection,
        security=(*_CLIENT, BEARER),
        permission="token:introspect@AUDIENCE",
        form=_TOKEN_FIELDS,
        required=("token",),
        always=("Cache-Control",),
        refusals=(
            *_CALLER_REFUSALS,
            *_FORM_REFUSALS,
            "invalid_client",
            "invalid_token",
            "insufficient_scope",
        ),
    ),
    Endpoint(
        method="POST",
        path="/v1/revoke",
        summary="End the tokens of a secret (RFC 7009)",
        answer=None,
        security=(*_CLIENT, BEARER),
        form=_TOKEN_FIELDS,
        required=("token",),
        always=("Cache-Control",),
        refusals=(*_CALLER_REFUSALS, *_FORM_REFUSALS, "invalid_client", "invalid_token"),
    ),
    Endpoint(
        path="/v1/forward-auth",
        summary="Whether a request may pass a proxy, and as whom",
        answer=None,
        security=(BEARER, ROLE_KEY),
        permission="app:query@APP",
        request_headers=(
            *("Hourmark-Proxy-Secret", "X-Original-URL", "X-Original-Method"),
            *("X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Method"),
        ),
        responses=door.RESPONSES,
    ),
    Endpoint(
        path="/v1/me",
        summary="Any live credential about itself",
        answer=answers.Me,
        security=(BEARER, ROLE_KEY),
        always=("Cache-Control",),
        refusals=(*_CALLER_REFUSALS, "invalid_token"),
    ),
    Endpoint(
        path="/v1/presets",
        summary="What API tokens can be made for, and what that means",
        answer=answers.Presets,
    ),
    *PUBLISHED,
    Endpoint(path="/v1/openapi.json", summary="This document", answer=answers.Document),
)
