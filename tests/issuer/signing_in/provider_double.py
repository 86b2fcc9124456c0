"""A provider that says whatever a test makes it say: what no honest one would."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENT_ID = "hourmark"
SUBJECT = "subject"


@dataclass
class ProviderDouble:
    """What it answers by path, and the key that it signs ID tokens with."""

    url: str
    answers: dict[str, object] = field(default_factory=dict)
    key: EllipticCurvePrivateKey = field(
        default_factory=lambda: generate_private_key(SECP256R1()), repr=False
    )

    def __post_init__(self) -> None:
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.answers["/.well-known/openid-configuration"] = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "userinfo_endpoint": f"{self.url}/me",
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        }
        self.answers["/jwks"] = {"keys": [public | {"kid": "1"}]}
        self.answers["/me"] = {"sub": SUBJECT}

    @property
    def metadata(self) -> dict[str, Any]:
        found = self.answers["/.well-known/openid-configuration"]
        assert isinstance(found, dict)
        return found

    def claims(self, nonce: str) -> dict[str, Any]:
        """Those of an ID token with nothing wrong in it."""
        now = int(time.time())
        told = {"iss": self.url, "sub": SUBJECT, "aud": CLIENT_ID, "iat": now, "exp": now + 60}
        return told | {"nonce": nonce, "auth_time": now}

    def sign(self, claims: dict[str, Any], algorithm: str = "ES256") -> str:
        """By this key, or with another algorithm as somebody would who knows its public half alone."""
        public = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        key: Any = {"ES256": self.key, "HS256": public, "none": None}[algorithm]
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "1"})

    def answer(self, id_token: object) -> None:
        """With this ID token, from the token endpoint."""
        self.answers["/token"] = {
            "access_token": "of the provider",
            "token_type": "Bearer",
            "expires_in": 60,
            "id_token": id_token,
        }


@contextmanager
def start_provider_double() -> Iterator[ProviderDouble]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            found = double.answers.get(self.path)
            body = json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double = ProviderDouble(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
