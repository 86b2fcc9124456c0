"""The pages by which people sign in and let clients in: a row each."""

from __future__ import annotations

from issuer.api.openapi.page import Page

_AUTHORIZATION = (
    *("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge"),
    *("code_challenge_method", "nonce", "prompt", "max_age", "login_hint", "id_token_hint", "resource"),
    *("audience", "response_mode"),
)
_WAY = ("origin", "target", "browser", "at", "seal")
LOGOUT = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
PAGES = (
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
    Page(
        method="POST",
        path="/account/passkeys/remove",
        summary="Remove a passkey",
        is_shown=False,
        needs_session=True,
        form=("id",),
        refusals=("not_found", "invalid_token"),
    ),
    Page(path="/login", summary="Where people sign in", query=("next", "login_hint")),
    Page(path="/signed-in", summary="For who signed in beside a form that waits", needs_session=True),
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
        path="/enter",
        summary="In front of an app: with an API token, or as the user who is signed in",
        query=_WAY,
        refusals=("not_permitted", "not_found"),
    ),
    *(
        Page(
            method="POST",
            path=f"/enter/{path}",
            summary=summary,
            leads_on=True,
            form=(*_WAY, *form),
            refusals=("not_found", "slow_down", "invalid_token"),
        )
        for path, summary, form in (
            ("token", "Open an app with an API token", ("token",)),
            ("session", "Open an app as the user, who agrees to what it wants", ("scope", "decision")),
        )
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
