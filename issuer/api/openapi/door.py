"""What `/v1/forward-auth` answers: to a proxy, which hands on the headers and not always the body."""

from __future__ import annotations

from issuer.api.openapi.responses import done, headers, refused
from issuer.gateway.forward_auth import HANDED_ON, REFUSED_HEADER

_CODES = (
    *("invalid_request", "invalid_token", "insufficient_scope", "not_permitted", "slow_down"),
    *("temporarily_unavailable", "server_error"),
)
RESPONSES = {
    "200": done(None, always=("Cache-Control", *HANDED_ON)),
    "302": {
        "description": "a browser is led to the entrance, or back to the app",
        "headers": headers(("Location", "Cache-Control"), ("Set-Cookie",)),
    },
    **refused(_CODES),
}
for _status, _described in RESPONSES.items():
    if _status >= "400":
        _described["headers"] |= headers((REFUSED_HEADER,))
# nginx turns it into the redirect that it takes from nobody.
RESPONSES["401"]["headers"] |= headers((), ("Location", "Set-Cookie"))
RESPONSES["403"]["headers"] |= headers((), ("Retry-After",))
RESPONSES |= refused(("head_too_large", "misdirected_request"))
