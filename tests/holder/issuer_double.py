"""A small issuer on loopback: the HTTP API as the contract describes it, in memory, with real tokens.

It is no model of rights: whoever has a known credential may do everything. Answers that a healthy issuer does
not give are put into `instead`.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, unquote_plus, urlsplit

from keys import RoleKey, SigningKey
from tests.holder.answering import MADE, Answer, Request, page, problem
from tests.holder.token_double import PRESETS, TokenDouble
from tests.holder.user_double import UserDouble
from verifier import Scope, StatusReference, Token
from verifier.status_list import TYP, StatusList

SERVICES = "urn:hourmark:services"


@dataclass
class IssuerDouble:
    """Its state, open to tests."""

    signing_key: SigningKey = field(default_factory=lambda: SigningKey.generate("ES256"))
    url: str = ""
    roles: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: list[dict[str, Any]] = field(default_factory=list)
    users: UserDouble = field(default_factory=UserDouble)
    api_tokens: TokenDouble = field(default_factory=TokenDouble)
    tokens: set[str] = field(default_factory=set)
    revoked: set[int] = field(default_factory=set)
    lifetime: int = 3600
    ahead: int = 0
    """Seconds that its clock is ahead of the one here."""
    requests: list[Request] = field(default_factory=list)
    instead: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """By "METHOD /path": status, headers and body that come without any look at the request."""

    def now(self) -> int:
        return int(time.time()) + self.ahead

    def add_key(self, role: str = "org.account.admin", scope: str | None = None) -> RoleKey:
        """A role key that works."""
        made = RoleKey.generate()
        known = {"access": made.access, "secret": made.secret, "role": role, "name": None, "scope": scope}
        self.keys[made.access] = {**known, **MADE, "expires_at": None}
        return made

    def mint(self, role: str, scope: str, *, audience: str = SERVICES, **changes: Any) -> str:
        """A token; `changes` are fields of Token."""
        now = self.now()
        fields: dict[str, Any] = {
            "issuer": self.url,
            "audience": (audience,),
            "subject": f"role:{role}",
            "issued_at": now,
            "expires_at": now + self.lifetime,
            "token_id": f"t{len(self.tokens)}",
            "client_id": "hmk_client",
            "roles": (role,),
            "scope": Scope.parse(scope),
            "status": StatusReference(f"{self.url}/status/1", 7),
        }
        claims = Token(**(fields | changes)).to_claims()
        token = self.signing_key.sign(json.dumps(claims).encode(), "at+jwt")
        self.tokens.add(token)
        return token

    def answer(self, request: Request) -> Answer:
        """Status and body; bytes go out as they are."""
        route = request.method, *request.path.strip("/").split("/")
        match route:
            case "GET", ".well-known", "jwks.json":
                return 200, {"keys": [self.signing_key.public_jwk]}
            case "GET", "status", "1":
                listed = StatusList.of(
                    f"{self.url}/status/1",
                    self.revoked,
                    version=1,
                    now=self.now(),
                    ttl=15,
                    lifetime=3600,
                )
                return 200, self.signing_key.sign(listed.to_payload(self.url), TYP).encode()
            case "POST", "v1", "token":
                return self._exchange(request)
            case "GET", "v1", "presets":
                return 200, {"items": PRESETS}
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        access, _, secret = bearer.partition(":")
        if bearer not in self.tokens and self.keys.get(access, {}).get("secret") != secret:
            return problem(401, "invalid_token", "the credential is unknown")
        match route:
            case "GET", "v1", "me":
                return 200, {
                    "principal": f"role:{self.keys[access]['role']}"
                    if access in self.keys
                    else "role:of-a-token",
                    "roles": [],
                    "scope": "*",
                    "client_id": access if access in self.keys else "hmk_client",
                    "audience": None,
                    "expires_at": None,
                }
            case _, "v1", "roles", *rest:
                return self._roles(request, [unquote(segment) for segment in rest])
            case _, "v1", "tokens", *rest:
                return self.api_tokens.answer(request, rest)
            case _, "v1", "users", *rest:
                return self.users.answer(request, [unquote(segment) for segment in rest])
        return problem(404, "not_found", "there is no such page")

    def _exchange(self, request: Request) -> Answer:
        pair = b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        access, secret = map(unquote_plus, pair.split(":"))
        known = self.keys.get(access)
        if known is None or known["secret"] != secret:
            return 401, {"error": "invalid_client", "error_description": "the client is unknown"}
        scope = request.form.get("scope", known["scope"] or "*")
        if scope.startswith("nothing:"):
            return 400, {"error": "invalid_scope", "error_description": "nothing of it is yours"}
        scope = scope.removesuffix(" more:than@held")
        token = self.mint(known["role"], scope, audience=request.form.get("resource", SERVICES))
        return 200, {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "scope": scope,
        }

    def _roles(self, request: Request, rest: list[str]) -> Answer:
        match request.method, *rest:
            case ("POST",):
                name = request.json["name"]
                if name in self.roles:
                    return problem(409, "name_taken", f"{name} is there already")
                return 201, self.roles.setdefault(name, {"name": name, **MADE})
            case ("GET",):
                (prefix,) = request.query.get("prefix", [""])
                return page(request, [role for name, role in self.roles.items() if name.startswith(prefix)])
            case method, name, *inner if name in self.roles:
                return self._role(request, method, name, inner)
        return problem(404, "not_found", "there is no such role")

    def _role(self, request: Request, method: str, name: str, inner: list[str]) -> Answer:
        mine = {access: key for access, key in self.keys.items() if key["role"] == name}
        policies = [policy for policy in self.policies if policy["role"] == name]
        match method, *inner:
            case ("GET",):
                return 200, self.roles[name]
            case ("DELETE",):
                del self.roles[name]
                return 200, {"deleted": name, "keys": list(mine)}
            case "GET", "keys":
                states = request.query.get("state", ["active", "expired"])
                shown = [{**without_secret(key), "last_exchanged_at": None} for key in mine.values()]
                return page(request, [key for key in shown if state(key) in states])
            case "POST", "keys":
                made = self.add_key(name)
                self.keys[made.access] |= request.json
                return 201, self.keys[made.access]
            case "POST", "keys", access, "renew" if access in mine:
                mine[access]["secret"] = RoleKey.generate(access).secret
                return 200, mine[access]
            case "DELETE", "keys", access if access in mine:
                del self.keys[access]
                return 200, {"deleted": access, "made": ["hmk_AnotherOne000000"]}
            case "GET", "policies":
                return page(request, policies)
            case "POST", "policies":
                policy = {"id": len(self.policies) + 1, "role": name, **request.json, **MADE}
                self.policies.append(policy)
                return 201, policy
            case "DELETE", "policies", policy_id:
                self.policies = [policy for policy in self.policies if str(policy["id"]) != policy_id]
                return 200, {"deleted": int(policy_id)}
        return problem(404, "not_found", "there is no such thing in this role")


def state(key: dict[str, Any]) -> str:
    ended = key["expires_at"] is not None and key["expires_at"] < MADE["created_at"]
    return "expired" if ended else "active"


def without_secret(key: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in key.items() if name != "secret"}


def serve(double: IssuerDouble) -> Callable[[], None]:
    """Starts it and sets its URL; returns what stops it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.command, url.path, parse_qs(url.query), dict(self.headers), body)
            double.requests.append(request)
            status, headers, raw = double.instead.get(f"{self.command} {url.path}") or self._usual(request)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(raw))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_DELETE = do_GET  # noqa: N815 - the names that http.server calls

        def _usual(self, request: Request) -> tuple[int, dict[str, str], bytes]:
            status, content = double.answer(request)
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            return status, {"X-Request-Id": "req-1"}, raw

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(double.now() if timestamp is None else timestamp)

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
