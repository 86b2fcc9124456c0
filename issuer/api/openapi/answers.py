"""What the endpoints answer that a specification defines: as models, for the document alone."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from issuer import rfc3339
from issuer.api.operation import Answer


class Token(Answer):
    """RFC 6749 section 5.1."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(ge=0, le=3600, description="seconds")
    scope: str
    # What was not asked for is left out.
    refresh_token: str = ""
    id_token: str = ""
    issued_token_type: str = ""


class RegistryToken(Answer):
    """The distribution specification's token authentication. There is never a refresh token."""

    token: str
    access_token: str
    """The same."""
    expires_in: int = Field(ge=0, le=300, description="seconds")
    issued_at: rfc3339.Written


class GrantedRegistryToken(RegistryToken):
    """By `POST`: with what was granted."""

    scope: str
    token_type: Literal["Bearer"]


class Me(Answer):
    """Who a credential is."""

    principal: str
    roles: list[str]
    scope: str
    client_id: str
    audience: list[str] | None
    expires_at: rfc3339.Written | None


class Device(Answer):
    """RFC 8628 section 3.2."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class UserInfo(Answer):
    """OpenID Connect Core section 5.3.2."""

    sub: str
    # What the scope does not name is left out.
    name: str = ""
    preferred_username: str = ""
    email: str = ""
    email_verified: bool = False


class Inactive(Answer):
    """A token that is no good, or that is none of the caller's business."""

    active: Literal[False]


class Actor(Answer):
    sub: str
    # Nobody acted before, mostly.
    act: dict[str, Any] = Field(default_factory=dict)


class Active(Answer):
    """RFC 7662 section 2.2, RFC 9068 section 2.2."""

    active: Literal[True]
    token_type: Literal["Bearer"]
    iss: str
    aud: str | list[str]
    sub: str
    iat: int
    exp: int
    jti: str
    client_id: str
    roles: list[str]
    scope: str
    # What the token does not say is left out.
    nbf: int = 0
    act: Actor = Actor(sub="")
    job: str = ""
    labels: dict[str, str] = Field(default_factory=dict)


class ActiveRefreshToken(Answer):
    """One that is good still, told to its own client."""

    active: Literal[True]
    client_id: str
    sub: str
    scope: str
    iat: int
    exp: int


class Introspection(RootModel[Active | ActiveRefreshToken | Inactive]):
    pass


class Metadata(Answer):
    """RFC 8414 section 2, OpenID Connect Discovery section 3, RFC 9728 section 4."""

    issuer: str
    jwks_uri: str
    token_endpoint: str
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    grant_types_supported: list[str]
    authorization_endpoint: str
    device_authorization_endpoint: str
    response_types_supported: list[str]
    response_modes_supported: list[str]
    code_challenge_methods_supported: list[str]
    authorization_response_iss_parameter_supported: bool
    prompt_values_supported: list[str]
    request_parameter_supported: bool
    request_uri_parameter_supported: bool
    scopes_supported: list[str]
    claims_supported: list[str]
    userinfo_endpoint: str
    introspection_endpoint: str
    introspection_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_signing_alg_values_supported: list[str]
    revocation_endpoint: str
    revocation_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_signing_alg_values_supported: list[str]
    end_session_endpoint: str
    subject_types_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    protected_resources: list[str]


class _Jwk(Answer):
    kid: str
    use: Literal["sig"]


class EcKey(_Jwk):
    """RFC 7518 section 6.2."""

    kty: Literal["EC"]
    alg: Literal["ES256"]
    crv: Literal["P-256"]
    x: str
    y: str


class OkpKey(_Jwk):
    """RFC 8037 section 2."""

    kty: Literal["OKP"]
    alg: Literal["EdDSA"]
    crv: Literal["Ed25519"]
    x: str


class RsaKey(_Jwk):
    """RFC 7518 section 6.3."""

    kty: Literal["RSA"]
    alg: Literal["RS256"]
    n: str
    e: str


class Jwks(Answer):
    """RFC 7517 section 5."""

    keys: list[EcKey | OkpKey | RsaKey]


class StatusList(RootModel[str]):
    """The signed list, as a JWT in compact form."""


class StyleSheet(RootModel[str]):
    """What the pages look like."""


class Script(RootModel[str]):
    """What the pages do in a browser, where it may: passkeys."""


class Mark(RootModel[str]):
    """The product's mark, as SVG."""


class Alive(Answer):
    status: Literal["alive"]


class Ready(Answer):
    status: Literal["ready"]


class Unready(Answer):
    status: Literal["unavailable"]
    reason: str


class NamedPreset(Answer):
    name: str
    title: str
    description: str
    permissions: list[str]


class Presets(Answer):
    items: list[NamedPreset]


class Document(BaseModel):
    """OpenAPI 3.1."""

    model_config = ConfigDict(defer_build=True, extra="allow")

    openapi: Literal["3.1.0"]
    info: dict[str, Any]
    servers: list[dict[str, Any]]
    paths: dict[str, Any]
    components: dict[str, Any]
