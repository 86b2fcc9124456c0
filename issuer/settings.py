"""The service's settings: read once, from `HOURMARKD_*` and the TOML file `HOURMARKD_CONFIG_FILE`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from issuer import presets
from issuer.presets import Presets
from issuer.registry.anonymous import read_anonymous_pulls
from issuer.setting_values import (
    Audiences,
    DatabaseUrl,
    Hosts,
    IssuerUrl,
    KeyEncryptionKeyText,
    Names,
    Networks,
    ProxySecret,
    is_loopback,
)
from issuer.signing_in.providers import UpstreamProviders
from verifier import Scope

PREFIX = "HOURMARKD_"
CONFIG_FILE = "HOURMARKD_CONFIG_FILE"
_KEY_FILE = "key-encryption-key"
SigningAlgorithm = Literal["ES256", "EdDSA", "RS256"]


class Settings(BaseSettings):
    """Durations are seconds. Secrets never appear in a repr."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8700
    issuer: IssuerUrl = ""
    """The `iss` of every token; by default http://HOST:PORT."""
    data_dir: Path = Field(default_factory=lambda: user_data_path("hourmark"))
    database_url: DatabaseUrl = SecretStr("")
    """By default SQLite under `data_dir`."""
    audiences: Audiences = ("urn:hourmark:services",)
    """What `resource` may name; the first is the default `aud`. The issuer itself is always one more."""
    algorithm: SigningAlgorithm = "ES256"
    """Of tokens and lists. An app may ask for another one for its ID tokens."""
    token_ttl: Annotated[int, Field(ge=1, le=3600)] = 3600
    status_ttl: Annotated[int, Field(ge=1, le=3600)] = 15
    """How often verifiers that cannot wait for a list ask for one."""
    status_exp: Annotated[int, Field(ge=60, le=86400)] = 3600
    """How long verifiers outlive the issuer."""
    session_lifetime: Annotated[int, Field(ge=60, le=365 * 86400)] = 30 * 86400
    """How long a user stays signed in, in a browser or at a client, without proving again who it is."""
    signing_key_lifetime: Annotated[int, Field(ge=3600)] = 30 * 86400
    outage_allowance: Annotated[float, Field(ge=0, le=3600)] = 0
    """How long known role keys are exchanged while the database is gone and no revocation can be seen."""
    failures_per_minute: Annotated[int, Field(ge=1)] = 100
    """Wrong credentials a minute from one source before they are answered 429."""
    allowed_hosts: Hosts = ()
    """Names that requests may be for, beside the issuer's own, the one listened on and loopback."""
    trusted_proxies: Networks = ()
    """Addresses and networks whose `X-Forwarded-For` is believed."""
    registry_services: Names = ()
    """Docker registries that tokens are issued for, as each calls itself in `auth.token.service`."""
    registry_trust: Literal["x5c", "kid"] = "x5c"
    """How registries know what signs: by a certificate authority, or by each key."""
    registry_anonymous_pulls: Names = ()
    """SERVICE/REPOSITORY that anybody may pull; with `*` at its end, all that begin so."""
    forward_auth_secret: ProxySecret = None
    """What a proxy in front of apps proves by that it is ours: nobody else hears who may do what."""
    forward_auth_previous_secret: ProxySecret = None
    """Taken as well, while not every proxy has the one above."""
    forward_auth_proxies: Networks = ()
    """Addresses and networks of such proxies that cannot send a header of their own."""
    presets: Presets = Field(default_factory=presets.defaults)
    """What API tokens are made for."""
    api_token_lifetime: Annotated[int, Field(ge=60)] = 90 * 86400
    """Of an API token for which nothing else was asked."""
    api_token_max_lifetime: Annotated[int, Field(ge=60)] = 366 * 86400
    """The most that may be asked for, unless they may have no end."""
    api_tokens_without_expiry: bool = False
    """Whether an API token may be made that lives until it is deleted."""
    upstream_providers: UpstreamProviders = Field(default_factory=dict)
    """Other OpenID providers that users may sign in by."""
    outside_private_networks: Networks = ()
    """Networks that are not public, and in which issuers of outside tokens may be all the same."""
    key_encryption_key: KeyEncryptionKeyText = None
    key_encryption_key_file: Path | None = None

    @model_validator(mode="after")
    def _check_registries(self) -> Settings:
        for service in self.registry_services:
            if service in self.accepted_audiences or self.registry_services.count(service) > 1:
                raise ValueError(
                    f"the registry service {service} is another audience too: a token for one would be good "
                    "at the other, so give each a name of its own in HOURMARKD_REGISTRY_SERVICES"
                )
        read_anonymous_pulls(self.registry_services, self.registry_anonymous_pulls)
        return self

    @model_validator(mode="after")
    def _check_exposure(self) -> Settings:
        if is_loopback(self.host):
            return self
        if not self.issuer.startswith("https://"):
            raise ValueError(
                f"host {self.host} is reachable from elsewhere: set HOURMARKD_ISSUER to the https URL that "
                "clients use, or role keys and tokens travel in the clear"
            )
        if self.key_encryption_key is None and self.key_encryption_key_file is None:
            raise ValueError(
                f"host {self.host} is reachable from elsewhere: set HOURMARKD_KEY_ENCRYPTION_KEY or "
                "HOURMARKD_KEY_ENCRYPTION_KEY_FILE; a key beside the database protects nothing"
            )
        return self

    @cached_property
    def issuer_url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.issuer or f"http://{host}:{self.port}"

    @cached_property
    def origin(self) -> str:
        """The issuer's, as browsers write it (RFC 6454 section 6.2)."""
        url = urlsplit(self.issuer_url)
        host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
        is_usual = url.port in (None, {"https": 443, "http": 80}[url.scheme])
        return f"{url.scheme}://{host}" if is_usual else f"{url.scheme}://{host}:{url.port}"

    @cached_property
    def accepted_audiences(self) -> tuple[str, ...]:
        """Every `aud` that can be asked for; the default first."""
        return (*self.audiences, self.issuer_url)

    @cached_property
    def anonymous_rights(self) -> Mapping[str, Scope]:
        """By registry service, what somebody may do there who proves nothing."""
        return read_anonymous_pulls(self.registry_services, self.registry_anonymous_pulls)

    @cached_property
    def resolved_database_url(self) -> str:
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir.absolute() / 'hourmark.db'}"

    @cached_property
    def resolved_key_encryption_key_file(self) -> Path:
        """Where the key-encryption key is read unless it is given itself; by default beside the data."""
        return self.key_encryption_key_file or self.data_dir / _KEY_FILE

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments before environment before file."""
        del dotenv_settings, file_secret_settings
        return (init_settings, env_settings, InitSettingsSource(settings_cls, read_file()))


def read_file() -> dict[str, Any]:
    """What is in the settings file, if one is named.

    Raises SettingsError, also if there is no such file: it was named, so its settings are meant.
    """
    path = os.environ.get(CONFIG_FILE)
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{CONFIG_FILE}: {error}") from error


def unknown_names() -> list[str]:
    """What is in the environment as a setting and is none here: a typing error, or another version's."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | {CONFIG_FILE}
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
