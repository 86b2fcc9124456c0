"""The pages: a row each. Forms and refusals are answered with pages too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from issuer.api.openapi.responses import headers
from issuer.denials import STATUS

HTML = "text/html"
SESSION: dict[str, list[str]] = {"session": []}
PAGE_HEADERS = (
    "Content-Security-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "Cache-Control",
)
_COOKIE = ("Set-Cookie",)
_ALWAYS_REFUSED = ("server_error", "temporarily_unavailable")
_FORM_REFUSALS = (
    "invalid_request",
    "not_permitted",
    "request_timeout",
    "too_large",
    "unsupported_media_type",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One method of one page."""

    method: str = "GET"
    path: str
    summary: str
    is_shown: bool = True
    """Whether there is a page; a form that only leads to the next one has none."""
    leads_on: bool = False
    """Whether it may lead to another page, or to where a client waits."""
    goes_back: bool = False
    """Whether it may lead back to a client (RFC 6749 section 4.1.2)."""
    needs_session: bool = False
    query: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    """The fields beside `csrf`."""
    refusals: tuple[str, ...] = ()
    """Codes of denials that not every page has."""

    @property
    def security(self) -> list[dict[str, Any]]:
        return [SESSION] if self.needs_session else []

    def responses(self) -> dict[str, dict[str, Any]]:
        """By status."""
        codes = {*_ALWAYS_REFUSED, *self.refusals, *(_FORM_REFUSALS if self.method == "POST" else ())}
        by_status: dict[int, list[str]] = {}
        for code in sorted(codes):
            by_status.setdefault(STATUS[code].value, []).append(code)
        answers = {
            str(status): _html("refused: " + ", ".join(of_status), *_retry_after(of_status))
            for status, of_status in sorted(by_status.items())
        }
        if self.is_shown:
            answers["200"] = _html("the page")
        if self.goes_back:
            back = headers(("Location", "Cache-Control", "Referrer-Policy"), _COOKIE)
            answers["302"] = {"description": "back to the client", "headers": back}
        if self.leads_on or self.needs_session:
            answers["303"] = {
                "description": "elsewhere",
                "headers": headers(("Location", "Cache-Control"), _COOKIE),
            }
        return answers


def _html(description: str, *always: str) -> dict[str, Any]:
    return {
        "description": description,
        "headers": headers((*PAGE_HEADERS, *always), _COOKIE),
        "content": {HTML: {"schema": {"type": "string"}}},
    }


def _retry_after(codes: list[str]) -> tuple[str, ...]:
    return ("Retry-After",) if {"slow_down", "temporarily_unavailable"} & set(codes) else ()


_AUTHORIZATION = (
    *("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge"),
    *("code_challenge_method", "nonce", "prompt", "max_age", "login_hint", "id_token_hint", "resource"),
    *("audience", "response_mode"),
)
LOGOUT = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
PAGES = (
    Page(path="/", summary="Who is signed in, and how", needs_session=True),
    *(
        Page(
            method="POST",
            path=f"/account/{path}",
            summary=summary,
            is_shown=False,
            needs_session=True,
            form=form,
            refusals=("not_found", "invalid_token"),
        )
        for path, summary, form in (
            ("sign-ins/end", "Sign out in one place", ("id",)),
            ("sign-out-everywhere", "Sign out in all places", ()),
            ("apps/withdraw", "Take back what an app may do", ("client_id",)),
            ("passkeys/remove", "Remove a passkey", ("id",)),
        )
    ),
    Page(path="/tokens", summary="The user's API tokens", needs_session=True),
    Page(
        path="/tokens/new",
        summary="Where a user makes an API token; `preset-NAME` chooses a preset",
        needs_session=True,
        query=("name", "labels"),
    ),
    Page(
        method="POST",
        path="/tokens/new",
        summary="Make an API token, and show it once",
        needs_session=True,
        form=("name", "description", "labels", "resources", "expires"),
        refusals=("invalid_token",),
    ),
    Page(
        method="POST",
        path="/tokens/renew",
        summary="Give an API token a new secret, and show it once",
        needs_session=True,
        form=("id",),
        refusals=("not_found", "conflict", "invalid_token"),
    ),
    Page(
        method="POST",
        path="/tokens/delete",
        summary="Delete an API token",
        is_shown=False,
        needs_session=True,
        form=("id",),
        refusals=("not_found", "invalid_token"),
    ),
    Page(path="/account/password", summary="Where a user changes the password", needs_session=True),
    Page(
        method="POST",
        path="/account/password",
        summary="Set the password",
        is_shown=False,
        needs_session=True,
        form=("password", "again"),
        refusals=("invalid_token",),
    ),
    Page(
        path="/account/passkeys",
        summary="Where a user adds a passkey",
        needs_session=True,
        refusals=("not_found",),
    ),
    Page(
        method="POST",
        path="/account/passkeys",
        summary="Add a passkey",
        is_shown=False,
        needs_session=True,
        form=("name", "credential"),
        refusals=("conflict", "invalid_token", "not_found"),
    ),
    Page(path="/login", summary="Where people sign in", query=("next", "login_hint")),
    Page(
        method="POST",
        path="/login",
        summary="Sign in, with a password or a passkey",
        is_shown=False,
        leads_on=True,
        form=("user", "password", "credential", "next"),
        refusals=("slow_down",),
    ),
    Page(
        path="/logout",
        summary="Sign out (OpenID Connect RP-Initiated Logout)",
        leads_on=True,
        query=LOGOUT,
        refusals=("invalid_request",),
    ),
    Page(
        method="POST",
        path="/logout",
        summary="The same, or the answer",
        leads_on=True,
        form=LOGOUT,
    ),
    Page(
        path="/setup",
        summary="Where a user sets up how to sign in, by a link that is good once",
        query=("invitation",),
        refusals=("not_found",),
    ),
    Page(
        method="POST",
        path="/setup",
        summary="Set a password or a passkey, and sign in",
        is_shown=False,
        leads_on=True,
        form=("invitation", "password", "again", "credential"),
        refusals=("not_found", "conflict"),
    ),
    Page(
        path="/authorize",
        summary="A client asks for a user's consent (RFC 6749 section 4.1.1)",
        leads_on=True,
        goes_back=True,
        query=_AUTHORIZATION,
        refusals=("invalid_request", "invalid_token"),
    ),
    Page(
        method="POST",
        path="/authorize",
        summary="The same by a form (OpenID Connect Core section 3.1.2.1)",
        is_shown=False,
        leads_on=True,
        form=_AUTHORIZATION,
    ),
    Page(
        method="POST",
        path="/consent",
        summary="What the user says to a client's request; the page again if there is more to say",
        leads_on=True,
        goes_back=True,
        form=("request", "scope", "decision"),
        refusals=("invalid_token",),
    ),
    Page(
        method="POST",
        path="/account/identities/unlink",
        summary="An account elsewhere signs nobody in any more",
        is_shown=False,
        needs_session=True,
        form=("issuer", "subject"),
        refusals=("invalid_token",),
    ),
    Page(
        path="/login/{provider}",
        summary="To another provider, to sign in there",
        is_shown=False,
        leads_on=True,
        query=("next",),
        refusals=("not_found",),
    ),
    Page(
        method="POST",
        path="/login/{provider}",
        summary="To another provider, to link an account there",
        leads_on=True,
        refusals=("not_found",),
    ),
    Page(
        path="/login/{provider}/callback",
        summary="Back from another provider",
        is_shown=False,
        leads_on=True,
        query=("code", "state", "iss", "error", "error_description"),
        refusals=("not_found", "not_permitted", "conflict", "invalid_token"),
    ),
    Page(
        path="/device",
        summary="Where somebody types the code of a device (RFC 8628 section 3.3)",
        needs_session=True,
        query=("user_code",),
    ),
    *(
        Page(
            method="POST",
            path=path,
            summary=summary,
            leads_on=True,
            form=form,
            refusals=("slow_down", "invalid_token"),
        )
        for path, summary, form in (
            ("/device", "What waits under the code", ("user_code",)),
            ("/device/decision", "Approve or deny it", ("user_code", "decision")),
        )
    ),
)
