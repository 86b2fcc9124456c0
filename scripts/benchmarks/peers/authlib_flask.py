"""Authlib on Flask as an issuer of what ours issues: client_credentials, a JWT access token in ES256.

Its one client is in memory, as known role keys are in ours; nothing is stored. CLIENT_ID and CLIENT_SECRET
come in the environment. Runs in .venv-peers, under gunicorn.
"""

from __future__ import annotations

import hmac
import os

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask, Response
from joserfc.jwk import ECKey

_AUDIENCE = "urn:hourmark:services"
_SCOPE = "data:get"
_SECONDS = 3600


class _Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    client_id = os.environ["CLIENT_ID"]

    def get_client_id(self) -> str:
        return self.client_id

    def get_allowed_scope(self, scope: str) -> str:
        return scope or _SCOPE

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(client_secret, os.environ["CLIENT_SECRET"])

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method, endpoint) == ("client_secret_basic", "token")

    def check_grant_type(self, grant_type: str) -> bool:
        return bool(grant_type == ClientCredentialsGrant.GRANT_TYPE)


class _Tokens(JWTBearerTokenGenerator):  # type: ignore[misc]  # Authlib has no types
    _signing_key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"})

    def get_jwks(self) -> ECKey:
        return self._signing_key

    def get_audiences(self, client: _Client, user: None, scope: str) -> str:
        del client, user, scope
        return _AUDIENCE


def make_app() -> Flask:
    app, client = Flask(__name__), _Client()
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: client if client_id == client.client_id else None,
        save_token=lambda *_: None,
    )
    server.register_grant(ClientCredentialsGrant)
    generator = _Tokens("http://127.0.0.1", alg="ES256", expires_generator=lambda *_: _SECONDS)
    server.register_token_generator("default", generator)

    def token() -> Response:
        response: Response = server.create_token_response()
        return response

    app.add_url_rule("/v1/token", view_func=token, methods=["POST"])
    return app
