"""Traefik, with its middleware `forwardAuth`: a file for its file provider, with one middleware to name."""

from __future__ import annotations

from issuer.gateway.configurations.asked import AskedIssuer
from issuer.gateway.forward_auth import HANDED_ON, IDENTITY_HEADERS
from issuer.gateway.proxy import SECRET_HEADER

_FILE = """\
# For Traefik's file provider; then each router of a protected app has the middleware hourmark@file. One that
# leads from an app's host to the platform has hourmark-platform@file: there the app's token is what counts.
http:
  middlewares:
    hourmark:
      chain:
        middlewares: [hourmark-proves-itself, hourmark-asks, hourmark-keeps-its-secret]
    hourmark-platform:
      chain:
        middlewares: [hourmark, hourmark-asks-for-nobody]
    hourmark-proves-itself:
      headers:
        customRequestHeaders:
          %(secret_header)s: "%(secret)s"
          X-Original-URL: ""
          X-Original-Method: ""
%(forged)s
    hourmark-asks:
      forwardAuth:
        address: %(url)s/v1/forward-auth
        trustForwardHeader: false
        authResponseHeaders:
%(handed_on)s
    hourmark-keeps-its-secret:
      headers:
        customRequestHeaders:
          %(secret_header)s: ""
    hourmark-asks-for-nobody:
      headers:
        customRequestHeaders:
          Cookie: ""
          %(secret_header)s: "none"
        customResponseHeaders:
          WWW-Authenticate: ""
"""


def files(issuer: AskedIssuer) -> dict[str, str]:
    """By name."""
    # Some backends take a header for the same when - is written as another sign.
    spellings = [header.replace("-", sign) for header in IDENTITY_HEADERS for sign in "-_."]
    known = {
        "url": issuer.url,
        "secret_header": SECRET_HEADER,
        "secret": issuer.secret,
        "forged": "\n".join(f'          {name}: ""' for name in spellings),
        "handed_on": "\n".join(f"          - {name}" for name in HANDED_ON),
    }
    return {"hourmark.yaml": _FILE % known}
