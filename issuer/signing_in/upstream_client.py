"""The client of another OpenID provider, by a library: slow to load, and loaded only where there is one."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from joserfc.errors import JoseError
from starlette.requests import Request

from issuer.settings import Settings
from issuer.signing_in.providers import UpstreamProvider
from issuer.signing_in.upstream import Attempt, Identity, UpstreamRefused, UpstreamUnavailable

_TIMEOUT = 5.0
_METHOD = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)
_ALGORITHMS = frozenset(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)) | {
    "EdDSA",
    "Ed25519",
}
"""None of them symmetric: a public key would be the secret of those."""


class Upstream:
    """One provider, asked with its client library."""

    def __init__(self, name: str, provider: UpstreamProvider, settings: Settings) -> None:
        self.name = name
        self.provider = provider
        self._callback = f"{settings.issuer_url}/login/{name}/callback"
        self._app: StarletteOAuth2App | None = None

    @property
    def label(self) -> str:
        return self.provider.label

    async def begin(self, request: Request, attempt: Attempt, *, again: bool) -> str:
        """The URL to go to; `attempt.state` is filled in. again: the user has to prove anew who it is.

        Raises UpstreamUnavailable.
        """
        request.scope["session"] = attempt.state
        try:
            app = await self._client()
            extra = {"prompt": "login", "max_age": "0"} if again else {}
            answer = await app.authorize_redirect(request, self._callback, **extra)
        except (httpx2.HTTPError, OAuthError, ValueError, RuntimeError) as error:
            raise UpstreamUnavailable(type(error).__name__) from error
        return str(answer.headers["location"])

    async def finish(self, request: Request, attempt: Attempt) -> Identity:
        """Raises UpstreamUnavailable, UpstreamRefused."""
        request.scope["session"] = attempt.state
        try:
            app = await self._client()
            named = request.query_params.get("iss")
            if named is not None and named != self.provider.issuer:
                raise UpstreamRefused("the answer is another provider's")
            token = await app.authorize_access_token(request)
        except (httpx2.HTTPError, json.JSONDecodeError) as error:
            raise UpstreamUnavailable(type(error).__name__) from error
        except (OAuthError, JoseError) as error:
            raise UpstreamRefused(str(error.error)) from error
        claims = token.get("userinfo")
        if not claims:
            raise UpstreamRefused("it did not say who signed in")
        at = claims.get("auth_time")
        return Identity(
            issuer=claims["iss"],
            subject=claims["sub"],
            authenticated_at=int(at) if isinstance(at, int | float) else None,
            methods=tuple(method for method in _texts(claims.get("amr")) if _METHOD.fullmatch(method)),
            groups=_texts(claims.get(self.provider.groups_claim)),
            claims=claims,
        )

    async def _client(self) -> StarletteOAuth2App:
        """Its metadata is read when it is first needed: one that is down keeps nobody from starting."""
        if self._app is None:
            app = OAuth().register(
                self.name,
                client_id=self.provider.client_id,
                client_secret=self.provider.read_secret(),
                server_metadata_url=f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration",
                client_kwargs={
                    "scope": self.provider.scope,
                    "code_challenge_method": "S256",
                    "timeout": _TIMEOUT,
                    "trust_env": urlsplit(self.provider.issuer).scheme == "https",
                },
            )
            metadata = await app.load_server_metadata()
            if metadata.get("issuer") != self.provider.issuer:
                raise UpstreamUnavailable("its metadata names another issuer")
            offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
            metadata["id_token_signing_alg_values_supported"] = [
                each for each in offered if each in _ALGORITHMS
            ]
            self._app = app
        return self._app


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
