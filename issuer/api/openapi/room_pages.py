"""The rooms of the console: a row each. Whoever is not signed in is led to where people do."""

from __future__ import annotations

from issuer.api.openapi.page import Page

_REFUSALS = ("not_found", "conflict", "invalid_token", "invalid_field", "insufficient_scope")
_OF_A_VERSION = (*_REFUSALS, "precondition_failed")


def _look(path: str, summary: str, *query: str) -> Page:
    refusals = ("not_found", "invalid_request", "insufficient_scope")
    return Page(path=path, summary=summary, needs_session=True, query=query, refusals=refusals)


def _do(path: str, summary: str, *form: str, is_shown: bool = True, downloads: bool = False) -> Page:
    """`version` among its fields: of what it changes, as its page showed it."""
    return Page(
        method="POST",
        path=path,
        summary=summary,
        is_shown=is_shown,
        needs_session=True,
        form=form,
        refusals=_OF_A_VERSION if "version" in form else _REFUSALS,
        downloads=downloads,
    )


_TOKEN_FIELDS = (
    *("name", "description", "labels", "resources", "audiences", "job_roles", "expires", "until"),
)
_APP_FIELDS = (
    *("description", "redirect_uris", "post_logout_redirect_uris", "host", "labels", "scope"),
    *("token_endpoint_auth_method", "jwks", "id_token_signed_response_alg", "audience"),
)
_TRUST_FIELDS = (
    *("issuer", "issuer_is_pattern", "subject", "subject_is_pattern", "audience"),
    *("claims", "claim_patterns", "description", "lint"),
)
_PROFILE = ("display_name", "email", "was-display_name", "was-email")
PAGES = (
    _look("/", "Who is signed in, and how", "keys"),
    _look("/session", "Where the user is signed in"),
    _do("/session/token", "Get a token for an hour, and show it once", "resource"),
    _do("/session/sign-ins/{sign_in}/end", "Sign out in one place", is_shown=False),
    _do("/session/visits/{visit}/end", "End what a browser has open in an app", is_shown=False),
    _do("/session/sign-out-everywhere", "Sign out in all places", is_shown=False),
    _look("/authorised-apps", "What the user lets apps do"),
    _do("/authorised-apps/{consent}/withdraw", "Take back what an app may do", is_shown=False),
    _look("/tokens", "The user's API tokens", "text", "label", "state", "cursor"),
    _look(
        "/tokens/new",
        "Where a user makes an API token; `preset-NAME` chooses a preset, `app-NAME` an app",
        *_TOKEN_FIELDS,
    ),
    _do("/tokens/new", "Make an API token, and show it once", *_TOKEN_FIELDS, "broad"),
    _do("/tokens/new/reach", "Count what an API token would reach", *_TOKEN_FIELDS),
    _do("/tokens/new/link", "Link to the form of API tokens, as it is filled in", *_TOKEN_FIELDS),
    _do("/tokens/env", "An API token or role key as a file, for who has it", "secret", downloads=True),
    _look("/tokens/{id}", "An API token"),
    _do("/tokens/{id}/renew", "Give an API token a new secret, and show it once", "grace"),
    _do("/tokens/{id}/delete", "Delete an API token", "confirm"),
    _look("/roles", "Roles", "prefix", "cursor"),
    _look("/new-role", "Where somebody makes a role"),
    _do("/new-role", "Make a role", "name"),
    _look("/roles/{role}", "A role; `may` asks whether it may do something", "may", "keys", "members"),
    _do("/roles/{role}/policies", "Add a policy", "permission", "version"),
    _do("/roles/{role}/policies/{policy}/delete", "Delete a policy", "version"),
    _do("/roles/{role}/delete", "Delete a role", "confirm", "version"),
    _look("/roles/{role}/keys/new", "Where somebody makes a role key"),
    _do("/roles/{role}/keys/new", "Make a role key, and show it once", "name", "scope", "expires", "until"),
    _look("/roles/{role}/keys/{access}", "A role key"),
    _do("/roles/{role}/keys/{access}/renew", "Give a role key a new secret, and show it once", "grace"),
    _do("/roles/{role}/keys/{access}/delete", "Delete a role key", "confirm"),
    _look("/roles/{role}/trust/new", "Where somebody trusts an outside identity"),
    _do("/roles/{role}/trust/new", "Trust an outside identity; or look the clauses over", *_TRUST_FIELDS),
    _look("/roles/{role}/trust/test", "Where somebody tries a token of another issuer"),
    _do("/roles/{role}/trust/test", "What would become of an outside token, clause by clause", "token"),
    _do("/roles/{role}/trust/{trust}/delete", "Delete a trust policy", is_shown=False),
    _look("/jobs", "Jobs", "state", "cursor"),
    _look("/jobs/{job}", "A job"),
    _do("/jobs/{job}/labels", "Change the labels of a job", "labels", "was-labels", "version"),
    _do("/jobs/{job}/end", "End a job"),
    _look("/apps", "Apps", "cursor"),
    _look("/new-app", "Where somebody registers an app", "name", "owner", "role", *_APP_FIELDS),
    _do("/new-app", "Register an app, and show its secret once", "name", "owner", "role", *_APP_FIELDS),
    _look("/apps/{app}", "An app"),
    _do(
        "/apps/{app}",
        "Change what is registered of an app; `was-FIELD` is what its page showed",
        *(*_APP_FIELDS, *(f"was-{name}" for name in _APP_FIELDS), "version"),
    ),
    _do("/apps/{app}/secret", "Give an app a new secret, and show it once", "version"),
    _do("/apps/{app}/delete", "Delete an app", "confirm", "version"),
    _look("/users", "Users", "prefix", "state", "cursor"),
    _look("/new-user", "Where somebody makes a user"),
    _do("/new-user", "Make a user", "name", "display_name", "email"),
    _look("/users/{user}", "A user", "keys"),
    _do("/users/{user}", "Change name and e-mail of a user", *_PROFILE, "version"),
    _look("/users/{user}/keys/{access}", "A role key of a user that is no API token"),
    _do("/users/{user}/keys/{access}/delete", "Delete a role key of a user", "confirm"),
    _do("/users/{user}/roles", "Give a user a role", "role", "version"),
    _do("/users/{user}/roles/{role}/take", "Take a role from a user", "version"),
    _do("/users/{user}/invite", "Make a set-up link, and show it once"),
    _do("/users/{user}/sign-out", "Sign a user out everywhere"),
    _do("/users/{user}/disable", "Disable a user", "version"),
    _do("/users/{user}/enable", "Enable a user", "version"),
    _do("/users/{user}/delete", "Delete a user", "confirm", "version"),
    _look("/hygiene", "Keys that are worth a look", "finding", "cursor"),
    _look(
        "/audit",
        "Who changed what; `check=chain` looks whether the chain holds",
        *("actor", "client_id", "action", "target", "since", "until", "cursor", "check"),
    ),
    _look("/signing-keys", "The signing keys"),
    _do("/signing-keys/rotate", "Have the next signing key sign early", "ring"),
)
