"""Caddy, with its directive `forward_auth`: a snippet to import in front of whatever answers."""

from __future__ import annotations

from issuer.gateway.configurations.asked import AskedIssuer
from issuer.gateway.forward_auth import HANDED_ON
from issuer.gateway.proxy import SECRET_HEADER

_FILE = """\
# Import this file; then, for each protected app:
#
#     app.example {
#         route {
#             import hourmark
#             reverse_proxy 127.0.0.1:8080
#         }
#     }
#
# `route` keeps the order: without it Caddy sorts the directives. If the app's pages call the platform through
# the app's host, one more line leads there:
#
#             reverse_proxy /v1/* https://issuer.example {
#                 import hourmark-platform
#             }
(hourmark) {
	# Which headers end here is not the client's to say: it could name those that are set below.
	request_header Connection Upgrade
	# To a socket and to nothing else: what follows another upgrade would be asked about by nobody.
	@hourmark-no-socket not header_regexp Upgrade (?i)^websocket$
	@hourmark-socket header_regexp Upgrade (?i)^websocket$
	request_header @hourmark-no-socket -Upgrade
	request_header @hourmark-socket Upgrade websocket
	# Some backends take a header for the same when - is written _, or as another sign.
	request_header -Hourmark*
	# What the client shows is for the issuer alone. It is put aside: an empty answer leaves what is there.
	request_header Hourmark-Shown {header.Authorization}
	request_header Hourmark-Cookies {header.Cookie}
	request_header -Authorization
	request_header -Cookie
	forward_auth %(url)s {
		uri /v1/forward-auth?
		header_up Host %(authority)s
		%(proof)s
		header_up Authorization {header.Hourmark-Shown}
		header_up Cookie {header.Hourmark-Cookies}
		header_up -Hourmark-Shown
		header_up -Hourmark-Cookies
		header_up -X-Original-URL
		header_up -X-Original-Method
		copy_headers %(handed_on)s
		transport http {
			dial_timeout 2s
			response_header_timeout 5s
		}
	}
	request_header -Hourmark-Shown
	request_header -Hourmark-Cookies
}
(hourmark-platform) {
	# The request has the token with which the app acts for a user who has agreed: no browser gets it.
	header_up Host {upstream_hostport}
	header_up -Cookie
	# Whoever comes by here asks for nobody, even where this proxy is known by its address.
	header_up %(secret_header)s "none"
	# For a password no browser asks at the app's host.
	header_down WWW-Authenticate "(?i)^basic.*" ""
}
"""


def files(issuer: AskedIssuer) -> dict[str, str]:
    """By name."""
    known = {
        "url": issuer.url,
        "authority": issuer.authority,
        "secret_header": SECRET_HEADER,
        "proof": f'header_up {SECRET_HEADER} "{issuer.secret}"'
        if issuer.secret
        else f"header_up -{SECRET_HEADER}",
        "handed_on": " ".join(HANDED_ON),
    }
    return {"hourmark.caddyfile": _FILE % known}
