"""Every page of the console."""

from __future__ import annotations

from issuer.console import (
    account,
    apps,
    audit,
    authorised_apps,
    hygiene,
    jobs,
    keys,
    login,
    logout,
    new_token,
    roles,
    session,
    setup,
    shown_once,
    sign_in_methods,
    signing_keys,
    static_files,
    tokens,
    upstream_login,
    users,
)

ROWS = (
    *account.ROWS,
    *sign_in_methods.ROWS,
    *session.ROWS,
    *tokens.ROWS,
    *new_token.ROWS,
    *shown_once.ROWS,
    *authorised_apps.ROWS,
    *roles.ROWS,
    *keys.ROWS,
    *jobs.ROWS,
    *apps.ROWS,
    *users.ROWS,
    *hygiene.ROWS,
    *audit.ROWS,
    *signing_keys.ROWS,
    *login.ROWS,
    *upstream_login.ROWS,
    *logout.ROWS,
    *setup.ROWS,
    *static_files.ROWS,
)
