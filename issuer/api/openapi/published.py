"""What anybody may read: documents, style sheets and scripts, and whether the process is well."""

from __future__ import annotations

from issuer.api.openapi import answers
from issuer.api.openapi.endpoint import Endpoint

_ANY_ORIGIN = ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers")
_DOCUMENT = ("Cache-Control", *_ANY_ORIGIN)
_PREFLIGHT = (
    *_ANY_ORIGIN,
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Max-Age",
)
_PUBLIC = (
    "/status/{number}",
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
)

PUBLISHED = (
    Endpoint(
        path="/.well-known/openid-configuration",
        summary="Metadata (OpenID Connect Discovery)",
        answer=answers.Metadata,
        always=_DOCUMENT,
    ),
    Endpoint(
        path="/.well-known/oauth-authorization-server",
        summary="Metadata (RFC 8414)",
        answer=answers.Metadata,
        always=_DOCUMENT,
    ),
    Endpoint(
        path="/.well-known/jwks.json",
        summary="Public keys (RFC 7517)",
        answer=answers.Jwks,
        media_type="application/jwk-set+json",
        request_headers=("If-None-Match",),
        always=("ETag", *_DOCUMENT),
    ),
    Endpoint(
        path="/status/{number}",
        summary="Token Status List",
        answer=answers.StatusList,
        media_type="application/statuslist+jwt",
        request_headers=("If-None-Match", "Prefer"),
        always=("ETag", "Vary", *_DOCUMENT),
        sometimes=("Preference-Applied",),
        refusals=("not_found",),
    ),
    *(
        Endpoint(
            method="OPTIONS",
            path=path,
            summary="What a page of another origin may ask for (Fetch)",
            answer=None,
            status=204,
            always=_PREFLIGHT,
        )
        for path in _PUBLIC
    ),
    *(
        Endpoint(
            path=f"/static/{{version}}/{name}",
            summary="For the pages",
            answer=answer,
            media_type=media_type,
            always=("Cache-Control", "X-Content-Type-Options"),
        )
        for name, answer, media_type in (
            ("ground.css", answers.StyleSheet, "text/css"),
            ("frame.css", answers.StyleSheet, "text/css"),
            ("parts.css", answers.StyleSheet, "text/css"),
            ("lists.css", answers.StyleSheet, "text/css"),
            ("forms.css", answers.StyleSheet, "text/css"),
            ("copy.js", answers.Script, "text/javascript"),
            ("reach.js", answers.Script, "text/javascript"),
            ("passkey.js", answers.Script, "text/javascript"),
            ("icon.svg", answers.Mark, "image/svg+xml"),
        )
    ),
    Endpoint(path="/livez", summary="Whether the process runs", answer=answers.Alive),
    Endpoint(
        path="/readyz",
        summary="Whether it can issue tokens",
        answer=answers.Ready,
        unavailable=answers.Unready,
    ),
)
