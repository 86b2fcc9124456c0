"""What a setting may be: each kind of value is checked where it is read, and says how it is written."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*", re.ASCII)
_PROXY_SECRET = re.compile(r"[A-Za-z0-9._~+/=-]{32,}", re.ASCII)
"""Proxies' configuration files hold it as it is."""
_DATABASES = ("sqlite", "sqlite+pysqlite", "postgresql+psycopg")
_DATABASE_URL_FORM = "write sqlite:////PATH/FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    return ip_address(host).is_loopback if is_address(host) else host == "localhost"


def _split(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _issuer_url(value: str) -> str:
    url = urlsplit(value)
    if value and (url.scheme not in ("https", "http") or not url.hostname or url.query or url.fragment):
        raise ValueError("the issuer is an https URL without query and fragment")
    if "@" in url.netloc:
        raise ValueError("the issuer has no user name and password: everybody reads it")
    if value.endswith("/"):
        raise ValueError("the issuer has no slash at its end: it is compared letter by letter")
    return value


def _audiences(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("at least one audience is needed: it is the default `aud`")
    return value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for network in value:
        ip_network(network)
    return value


def _hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    for host in value:
        if _HOST.fullmatch(host) is None and not is_address(host):
            raise ValueError("an allowed host is one name or address, without scheme, port or *")
    return value


def _proxy_secret(value: SecretStr | None) -> SecretStr | None:
    if value is not None and _PROXY_SECRET.fullmatch(value.get_secret_value()) is None:
        raise ValueError("write 32 characters or more, letters, digits and -._~+/= only")
    return value


def _database_url(value: SecretStr) -> SecretStr:
    if not value:
        return value
    # Slow to load, and the default needs no look.
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(value.get_secret_value())
    except (ArgumentError, ValueError):
        raise ValueError(f"it is no database URL: {_DATABASE_URL_FORM}") from None
    if url.drivername not in _DATABASES:
        raise ValueError(f"the database is SQLite or PostgreSQL: {_DATABASE_URL_FORM}")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError(f"SQLite's database is a file: {_DATABASE_URL_FORM}")
    return value


def _key_encryption_key(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        from keys import KeyEncryptionKey

        KeyEncryptionKey.parse(value.get_secret_value())
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""With commas or spaces between them."""
Audiences = Annotated[Names, AfterValidator(_audiences)]
Networks = Annotated[Names, AfterValidator(_networks)]
"""Addresses are networks of one."""
Hosts = Annotated[Names, AfterValidator(_hosts)]
IssuerUrl = Annotated[str, AfterValidator(_issuer_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
"""SQLAlchemy's form; it may hold a password."""
ProxySecret = Annotated[SecretStr | None, AfterValidator(_proxy_secret)]
KeyEncryptionKeyText = Annotated[SecretStr | None, AfterValidator(_key_encryption_key)]
