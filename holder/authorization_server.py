"""The issuer as an authorization server: its metadata, and the endpoints that this names (RFC 8414)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from holder import answers, reading, refusals
from holder.connection import Connection


class AuthorizationServer(Connection):
    """Asked without a credential: a form shows what it has. Every method may raise HolderError."""

    @cached_property
    def _metadata(self) -> Mapping[str, str]:
        return self._read(self._send("GET", "/.well-known/openid-configuration"), reading.read_metadata)

    def endpoint(self, name: str) -> str:
        """An endpoint of the issuer's metadata (RFC 8414), which is the issuer's own."""
        url = self._metadata.get(name, "")
        if not url.startswith(f"{self.url}/"):
            raise refusals.not_an_issuer(self.url, f"it offers no {name}")
        return url

    def grant(self, form: Mapping[str, str]) -> answers.Granted:
        """A token for whatever the form shows (RFC 6749 section 3.2)."""
        answer = self._send("POST", self._path_of("token_endpoint"), data=form)
        return self._read(answer, lambda json: reading.read(answers.Granted, json))

    def begin_device(self, form: Mapping[str, str]) -> answers.DeviceAuthorization:
        """RFC 8628 section 3.1."""
        answer = self._send("POST", self._path_of("device_authorization_endpoint"), data=form)
        return self._read(answer, lambda json: reading.read(answers.DeviceAuthorization, json))

    def revoke(self, form: Mapping[str, str]) -> None:
        """RFC 7009."""
        self._send("POST", self._path_of("revocation_endpoint"), data=form)

    def _path_of(self, name: str) -> str:
        return self.endpoint(name).removeprefix(self.url)
