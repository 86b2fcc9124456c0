"""The client of another OpenID provider, by a library: slow to load, and loaded only where there is one."""

from __future__ import annotations

import re
from functools import cache
from ssl import SSLContext
from typing import Any
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
_ERROR = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_ALGORITHMS = frozenset(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)) | {
    "EdDSA",
    "Ed25519",
}
"""None of them symmetric: a public key would be the secret of those."""
_UNUSABLE = (httpx2.HTTPError, AttributeError, KeyError, RuntimeError, TypeError, ValueError)
"""What comes of no answer, and of one of another form: the library takes it apart without a look at it."""


_ANY_AGE = str(365 * 86400)
_LATEST = 253402300799
"""The end of the year 9999."""


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

    async def begin(self, request: Request, attempt: Attempt) -> str:
        """The URL to go to; `attempt.state` is filled in. Raises UpstreamUnavailable."""
        request.scope["session"] = attempt.state
        try:
            app = await self._client()
            # Whoever is asked for max_age owes auth_time (OpenID Connect Core section 2).
            extra = {"prompt": "login", "max_age": "0"} if attempt.is_anew else {"max_age": _ANY_AGE}
            answer = await app.authorize_redirect(request, self._callback, **extra)
        except (OAuthError, *_UNUSABLE) as error:
            raise UpstreamUnavailable(type(error).__name__) from error
        return str(answer.headers["location"])

    async def finish(self, request: Request, attempt: Attempt) -> Identity:
        """Raises UpstreamUnavailable, UpstreamRefused."""
        request.scope["session"] = attempt.state
        try:
            app = await self._client()
            await self._check_answer(app, request, attempt)
            token = await app.authorize_access_token(request, claims_options=self._expected())
            claims = await self._claims(app, token)
        except _UNUSABLE as error:
            raise UpstreamUnavailable(type(error).__name__) from error
        except (OAuthError, JoseError) as error:
            # Whoever wrote the link back wrote this too.
            named = _ERROR.fullmatch(str(error.error))
            raise UpstreamRefused(named[0] if named else "an error without a name") from error
        return Identity(
            issuer=claims["iss"],
            subject=claims["sub"],
            authenticated_at=_moment(claims.get("auth_time")),
            methods=tuple(method for method in _texts(claims.get("amr")) if _METHOD.fullmatch(method)),
            groups=_texts(claims.get(self.provider.groups_claim)),
            claims=claims,
        )

    async def _check_answer(self, app: StarletteOAuth2App, request: Request, attempt: Attempt) -> None:
        """Whether it is to this attempt, and this provider's (RFC 9207 section 2.4): a no is to be so too."""
        state = request.query_params.get("state", "")
        if await app.framework.get_state_data(attempt.state, state) is None:
            raise UpstreamRefused("the answer is to another question than this browser asked")
        metadata = await app.load_server_metadata()
        named = request.query_params.get("iss")
        is_promised = metadata.get("authorization_response_iss_parameter_supported") is True
        if named != self.provider.issuer and (named is not None or is_promised):
            raise UpstreamRefused("the answer is another provider's")
        if not request.query_params.keys() & {"code", "error"}:
            raise UpstreamRefused("the answer says neither yes nor no")

    def _expected(self) -> dict[str, dict[str, object]]:
        """What an ID token has to say beside times and nonce: of itself the library asks for no audience."""
        return {
            "iss": {"essential": True, "value": self.provider.issuer},
            "aud": {"essential": True, "value": self.provider.client_id},
            "sub": {"essential": True},
        }

    async def _claims(self, app: StarletteOAuth2App, token: dict[str, Any]) -> dict[str, Any]:
        """Those of the ID token, and beside them what only the userinfo endpoint tells.

        That is where a provider may tell all that the scope stands for (OpenID Connect Core section 5.4).
        """
        signed: dict[str, Any] | None = token.get("userinfo")
        if not signed:
            raise UpstreamRefused("it did not say who signed in")
        if "userinfo_endpoint" not in await app.load_server_metadata():
            return signed
        told = await self._userinfo(app, token["access_token"])
        if told.get("sub") != signed["sub"]:
            raise UpstreamRefused("it told about somebody else than who signed in")
        return told | signed

    @staticmethod
    async def _userinfo(app: StarletteOAuth2App, access_token: str) -> dict[str, Any]:
        """By hand: the library takes a token for expired in its last minute, which may be its first."""
        metadata = await app.load_server_metadata()
        answer = await app.get(
            metadata["userinfo_endpoint"],
            headers={"Authorization": f"Bearer {access_token}"},
            withhold_token=True,
        )
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

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
                    "verify": _tls(),
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


@cache
def _tls() -> SSLContext:
    """One for all: it takes a tenth of a second, and the library makes a client for every question."""
    return httpx2.create_ssl_context()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _moment(value: object) -> int | None:
    """Unix seconds; None where it is not told."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        return None
    return int(value)
