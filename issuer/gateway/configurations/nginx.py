"""nginx, with its module `auth_request`: files to include in `http`, `server` and `location`.

One `server` an app is enough: nginx asks by a location that no client reaches.
"""

from __future__ import annotations

from issuer.gateway.configurations.asked import AskedIssuer
from issuer.gateway.forward_auth import HANDED_ON, IDENTITY_HEADERS, REFUSED_HEADER
from issuer.gateway.proxy import SECRET_HEADER

_HTTP = """\
# In http { }: once.
upstream hourmark {
    server %(authority)s;
    keepalive 16;
}
# To a socket and to nothing else: what follows another upgrade would be asked about by nobody.
map $http_upgrade $hourmark_upgrade {
    default "";
    ~*^websocket$ websocket;
}
map $hourmark_upgrade $hourmark_connection {
    default upgrade;
    "" "";
}
# A page of the app is told what is missing; for a password no browser asks at the app's host.
map $upstream_http_www_authenticate $hourmark_platform_challenge {
    default "";
    ~*^bearer $upstream_http_www_authenticate;
}
map $server_port $hourmark_port {
    default ":$server_port";
    80 "";
    443 "";
}
"""
_SERVER = """\
# In each server { } of a protected app.
location = /_hourmark/ask {
    internal;
    auth_request off;
    proxy_pass %(scheme)s://hourmark/v1/forward-auth;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_pass_request_body off;
    # Whatever the app's location lets through: nginx looks at the length of what is asked about here too.
    client_max_body_size 0;
    proxy_set_header Content-Length "";
    proxy_set_header Host %(authority)s;
    proxy_set_header %(secret_header)s "%(secret)s";
    # $host and not $http_host: a request line may name another host than the header, and nginx goes by it.
    proxy_set_header X-Original-URL $scheme://$host$hourmark_port$request_uri;
    proxy_set_header X-Original-Method $request_method;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto "";
    proxy_set_header X-Forwarded-Host "";
    proxy_set_header X-Forwarded-Uri "";
    proxy_set_header X-Forwarded-Method "";
    # The answer holds the cookies for the app and a token: more than nginx takes by default.
    proxy_buffer_size 32k;
    proxy_buffers 4 32k;
    proxy_busy_buffers_size 64k;
    proxy_connect_timeout 2s;
    proxy_read_timeout 5s;
    proxy_cache off;
%(tls)s}
location @hourmark_401 {
    auth_request off;
    default_type text/plain;
    add_header Cache-Control no-store always;
    add_header Set-Cookie $hourmark_set_cookie always;
    add_header %(refused_header)s $hourmark_refused always;
    # A browser without a credential is led to where it shows one.
    if ($hourmark_location) {
        return 302 $hourmark_location;
    }
    return 401 "Not let in: $hourmark_refused\\n";
}
location @hourmark_403 {
    auth_request off;
    default_type text/plain;
    add_header Cache-Control no-store always;
    add_header %(refused_header)s $hourmark_refused always;
    add_header WWW-Authenticate $hourmark_challenge always;
    add_header Retry-After $hourmark_retry_after always;
    return 403 "Not let in: $hourmark_refused\\n";
}
location @hourmark_503 {
    auth_request off;
    default_type text/plain;
    add_header Cache-Control no-store always;
    add_header Retry-After 1 always;
    return 503 "Nobody can be let in right now.\\n";
}
"""
_TLS = """\
    proxy_ssl_server_name on;
    proxy_ssl_name %(host)s;
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 3;
    proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
"""
_ASKED = """\
auth_request /_hourmark/ask;
%(taken)s
error_page 401 = @hourmark_401;
error_page 403 = @hourmark_403;
error_page 500 = @hourmark_503;
proxy_http_version 1.1;
"""
_LOCATION = """\
# In each location { } with a proxy_pass to the app. Further headers are set there too, not further out:
# nginx takes them all from one place.
%(asked)s%(handed_on)s
proxy_set_header %(secret_header)s "";
%(forged)s
proxy_set_header Host $host$hourmark_port;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Host $host$hourmark_port;
proxy_set_header Upgrade $hourmark_upgrade;
proxy_set_header Connection $hourmark_connection;
"""
_PLATFORM = """\
# In a location { } with a proxy_pass to the platform, for an app whose pages call it through the app's host:
# a request of a user who has agreed gets the token with which the app acts for that user. No browser gets it.
%(asked)s%(handed_on_without_cookies)s
proxy_set_header Cookie "";
proxy_set_header Host $proxy_host;
proxy_set_header X-Forwarded-For $remote_addr;
# Whoever comes by here asks for nobody, even where this proxy is known by its address.
proxy_set_header %(secret_header)s "none";
proxy_set_header Connection "";
proxy_hide_header WWW-Authenticate;
add_header WWW-Authenticate $hourmark_platform_challenge always;
proxy_ssl_server_name on;
proxy_ssl_verify on;
proxy_ssl_verify_depth 3;
proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
"""
_TAKEN = {
    "$hourmark_location": "Location",
    "$hourmark_set_cookie": "Set-Cookie",
    "$hourmark_refused": REFUSED_HEADER,
    "$hourmark_challenge": "WWW-Authenticate",
    "$hourmark_retry_after": "Retry-After",
}


def files(issuer: AskedIssuer) -> dict[str, str]:
    """By name."""
    known = {
        "scheme": issuer.scheme,
        "authority": issuer.authority,
        "secret": issuer.secret,
        "secret_header": SECRET_HEADER,
        "refused_header": REFUSED_HEADER,
        "tls": _TLS % {"host": issuer.host} if issuer.scheme == "https" else "",
    }
    handed_on = {_variable(name): name for name in HANDED_ON}
    taken = [f"auth_request_set {to} {_of_answer(name)};" for to, name in (_TAKEN | handed_on).items()]
    passed = {name: f"proxy_set_header {name} {variable};" for variable, name in handed_on.items()}
    # Some backends take a header for the same when - is written _, which nginx may have been told to let in.
    forged = [f'proxy_set_header {name.replace("-", "_")} "";' for name in IDENTITY_HEADERS]
    lines = {
        "forged": "\n".join(forged),
        "asked": _ASKED % {"taken": "\n".join(taken)},
        "handed_on": "\n".join(passed.values()),
        "handed_on_without_cookies": "\n".join(line for name, line in passed.items() if name != "Cookie"),
        "secret_header": SECRET_HEADER,
    }
    return {
        "hourmark-http.conf": _HTTP % known,
        "hourmark-server.conf": _SERVER % known,
        "hourmark-location.conf": _LOCATION % lines,
        "hourmark-platform.conf": _PLATFORM % lines,
    }


def _variable(header: str) -> str:
    return f"$hourmark_{header.removeprefix('Hourmark-').lower().replace('-', '_')}"


def _of_answer(header: str) -> str:
    return f"$upstream_http_{header.lower().replace('-', '_')}"
