"""An outside issuer for tests: a real HTTP server with discovery and keys, and tokens of any shape."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from keys import SigningKey

DISCOVERY, JWKS = "/.well-known/openid-configuration", "/openid/v1/jwks"


@dataclass
class OutsideIssuer:
    """What it publishes may be changed at any time, also to what no issuer should."""

    url: str
    key: SigningKey
    documents: dict[str, bytes]
    """By path."""
    redirects: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    """How often, by path."""
    answers: threading.Event = field(default_factory=threading.Event)
    """Cleared, whoever asks waits."""
    hosts: list[str] = field(default_factory=list)
    """The Host headers that came."""

    def publish(self, *keys: SigningKey) -> None:
        """These are its keys from now on."""
        self.documents[JWKS] = json.dumps({"keys": [key.public_jwk for key in keys]}).encode()

    def rotate(self, *, keeps_old: bool = True) -> SigningKey:
        """Signs with a new key from now on; returns the old one."""
        old, self.key = self.key, SigningKey.generate(self.key.algorithm.name)
        self.publish(self.key, *([old] if keeps_old else []))
        return old

    def token(self, audience: str | list[str], subject: str, **claims: Any) -> str:
        """Good for ten minutes, unless `claims` say otherwise; None leaves a claim out."""
        now = int(time.time())
        said = {"iss": self.url, "aud": audience, "sub": subject, "iat": now, "exp": now + 600} | claims
        payload = {name: value for name, value in said.items() if value is not None}
        return self.key.sign(json.dumps(payload).encode(), "JWT")

    def service_account(self, audience: str, namespace: str, name: str, uid: str, **claims: Any) -> str:
        """As a Kubernetes API server makes them for a projected volume."""
        bound = {
            "namespace": namespace,
            "node": {"name": "node-1", "uid": "0e3fd1c2-7f0e-4a05-8d2c-7c3e7c3f5a11"},
            "pod": {"name": f"{name}-7d9c", "uid": "f6a1de3c-0b5e-47a5-9a5f-2f6f3d2f4c55"},
            "serviceaccount": {"name": name, "uid": uid},
        }
        subject = f"system:serviceaccount:{namespace}:{name}"
        return self.token([audience], subject, **{"kubernetes.io": bound, "jti": uid[::-1]} | claims)


@contextmanager
def outside_issuer(path: str = "", algorithm: str = "ES256") -> Iterator[OutsideIssuer]:
    """On loopback. `path`: of its URL, for issuers that share a host."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.removeprefix(path)
            issuer.asked[found] += 1
            issuer.hosts.append(self.headers.get("Host", ""))
            issuer.answers.wait()
            target, document = issuer.redirects.get(found), issuer.documents.get(found)
            self.send_response(302 if target else 404 if document is None else 200)
            if target:
                self.send_header("Location", target)
            for name, value in issuer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(document or b"")))
            self.end_headers()
            self.wfile.write(document or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    issuer = OutsideIssuer(url, SigningKey.generate(algorithm), {})
    issuer.documents[DISCOVERY] = json.dumps({"issuer": url, "jwks_uri": url + JWKS}).encode()
    issuer.publish(issuer.key)
    issuer.answers.set()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        issuer.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()
