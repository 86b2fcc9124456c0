"""What is registered of an app (RFC 7591 section 2), as it is sent, checked and shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from issuer import redirect_uris
from issuer.api.operation import Body
from issuer.api.worded import ONE_LINE, worded
from issuer.clients import PROTOCOL_WORDS
from issuer.registry.access import refuse_selectors
from issuer.settings import SigningAlgorithm
from issuer.store.apps import Registration
from keys import PublicKey, UnusableKey
from verifier import Scope

Authentication = Literal["none", "client_secret_basic", "private_key_jwt"]
PUBLIC: Authentication = "none"
BY_SECRET: Authentication = "client_secret_basic"  # noqa: S105 - RFC 7591's name, no secret
BY_KEY: Authentication = "private_key_jwt"
RedirectUri = Annotated[str, AfterValidator(redirect_uris.check)]
_HOST = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[1-9][0-9]{0,4})?$"
Host = Annotated[
    str,
    Field(max_length=253, pattern=_HOST),
    worded("write a host alone, in small letters, such as notes.example: no https://, no path"),
]
Labels = Annotated[dict[str, str], Field(max_length=50)]
_MAX_KEYS = 10


class Changes(Body):
    """What can be changed of an app: any part of it. Members that are not sent stay as they are."""

    description: Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$"), ONE_LINE] = ""
    redirect_uris: Annotated[list[RedirectUri], Field(max_length=20)] = Field(default_factory=list)
    """Where users may be sent back to: compared letter by letter, but for the port of a loopback address."""
    post_logout_redirect_uris: Annotated[list[RedirectUri], Field(max_length=20)] = Field(
        default_factory=list
    )
    host: Host | None = None
    """Where it is found, with a port other than 80 and 443, if a proxy that protects it asks here."""
    labels: Labels = Field(default_factory=dict)
    """All that it has, but for those that the platform sets."""
    audience: Annotated[str, Field(min_length=1)] | None = None
    """Which service the tokens are for that the proxy hands to it; by default the first that is known."""
    scope: str = ""
    """The permissions that it wants. More than its owner has, if need be: users' rights bound it."""
    token_endpoint_auth_method: Authentication = PUBLIC
    jwks: dict[str, Any] | None = None
    """Its public keys, for private_key_jwt."""
    id_token_signed_response_alg: SigningAlgorithm | None = None

    @field_validator("host")
    @classmethod
    def _check_host(cls, value: str | None) -> str | None:
        if value is not None and value.endswith((":80", ":443")):
            raise ValueError("leave out the port: 80 and 443 are understood")
        return value

    @field_validator("scope")
    @classmethod
    def _check_scope(cls, value: str) -> str:
        scope = Scope.parse(value)
        refuse_selectors(scope.permissions)
        other = [word for word in scope.words if word not in PROTOCOL_WORDS]
        if other:
            raise ValueError(f"{other[0]!r} is no permission: write noun:verb@resource")
        return str(scope)

    @field_validator("jwks")
    @classmethod
    def _check_jwks(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is None:
            return None
        keys = value.get("keys")
        if not isinstance(keys, list) or not 0 < len(keys) <= _MAX_KEYS:
            raise ValueError(f"a JWKS has 1 to {_MAX_KEYS} keys in `keys`")
        for key in keys:
            try:
                PublicKey.from_jwk(key if isinstance(key, dict) else {})
            except UnusableKey as error:
                raise ValueError(f"a key cannot be used: {error}") from None
        return value


class ClientMetadata(Changes):
    """The whole of it, whose members go together."""

    @model_validator(mode="after")
    def _check_keys(self) -> ClientMetadata:
        if (self.token_endpoint_auth_method == BY_KEY) != (self.jwks is not None):
            raise ValueError("private_key_jwt needs jwks, and nothing else does")
        return self

    def registration(self, secret_hash: bytes | None, labels: Mapping[str, str]) -> Registration:
        """labels: with those of the platform."""
        return Registration(
            description=self.description,
            redirect_uris=tuple(self.redirect_uris),
            post_logout_redirect_uris=tuple(self.post_logout_redirect_uris),
            host=self.host,
            labels=labels,
            audience=self.audience,
            scope=self.scope,
            authentication=self.token_endpoint_auth_method,
            secret_hash=secret_hash,
            jwks=None if self.jwks is None else json.dumps(self.jwks),
            id_token_algorithm=self.id_token_signed_response_alg,
        )


class NewApp(ClientMetadata):
    name: str
    owner: str | None = None
    """A principal, `user:NAME` or `role:NAME`; by default whoever asks."""
    role: str | None = None
    """The role that it is when it acts for nobody."""
