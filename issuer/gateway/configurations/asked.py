"""What every proxy has to know of the issuer."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from issuer.settings import Settings

_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class AskedIssuer:
    """Where it is asked, and by what."""

    scheme: str
    host: str
    port: int
    secret: str = field(repr=False)
    """"" for proxies that prove themselves by their address."""

    @classmethod
    def of(cls, settings: Settings, address: str | None) -> AskedIssuer | None:
        """address: of the issuer as the proxy reaches it; by default its URL. None if no proxy is known."""
        secret = settings.forward_auth_secret
        url = urlsplit(address or settings.issuer_url)
        if secret is None and not settings.forward_auth_proxies:
            return None
        host = url.hostname or ""
        port = url.port or _PORTS[url.scheme]
        text = "" if secret is None else secret.get_secret_value()
        return cls(url.scheme, f"[{host}]" if ":" in host else host, port, text)

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}"
