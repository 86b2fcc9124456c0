"""What an administrator and a job do at one process of an issuer, over one connection that stays open."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx

from keys import RoleKey
from tests.running_issuer import RunningIssuer
from verifier import TokenError, Trust, Verifier

SERVICES = "urn:hourmark:services"
"""The audience of a token that was asked for without one."""
READ = "data:get@urn:hourmark:data:org.account.workspace"
WRITE = "data:put@urn:hourmark:data:org.account.workspace"
_PATIENCE = 60.0
_numbers = itertools.count(1)


class Client:
    """A context manager. What is refused raises httpx.HTTPStatusError, unless the name says otherwise."""

    def __init__(self, issuer: RunningIssuer) -> None:
        self.issuer = issuer
        self._http = issuer.http()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Whatever the answer is, as administrator unless `options` have another `auth`."""
        return self._http.request(method, path, **options)

    def new_role(self, *permissions: str) -> str:
        """A role of a name that no other story has."""
        name = f"org.account.story-{next(_numbers)}-{secrets.token_hex(4)}"
        self._done("POST", "/v1/roles", json={"name": name})
        for permission in permissions or (READ,):
            self.new_policy(name, permission)
        return name

    def delete_role(self, role: str) -> None:
        self._done("DELETE", f"/v1/roles/{role}")

    def new_policy(self, role: str, permission: str) -> int:
        """Its id."""
        answer = self._done("POST", f"/v1/roles/{role}/policies", json={"permission": permission})
        return int(answer["id"])

    def delete_policy(self, role: str, policy: int) -> None:
        self._done("DELETE", f"/v1/roles/{role}/policies/{policy}")

    def new_key(self, role: str) -> RoleKey:
        return _role_key(self._done("POST", f"/v1/roles/{role}/keys", json={}))

    def renew(self, role: str, key: RoleKey, *, grace_seconds: int = 0) -> RoleKey:
        body = {"grace_seconds": grace_seconds}
        return _role_key(self._done("POST", f"/v1/roles/{role}/keys/{key.access}/renew", json=body))

    def delete_key(self, role: str, key: RoleKey) -> None:
        self._done("DELETE", f"/v1/roles/{role}/keys/{key.access}")

    def new_user(self, *roles: str) -> str:
        """A user of a name that no other story has, who holds these roles."""
        name = f"story-{next(_numbers)}-{secrets.token_hex(4)}"
        self._done("POST", "/v1/users", json={"name": name})
        for role in roles:
            self.give_role(name, role)
        return name

    def give_role(self, user: str, role: str) -> None:
        self._done("POST", f"/v1/users/{user}/roles", json={"role": role})

    def take_role(self, user: str, role: str) -> None:
        self._done("DELETE", f"/v1/users/{user}/roles/{role}")

    def disable_user(self, user: str) -> None:
        self._done("POST", f"/v1/users/{user}/disable")

    def enable_user(self, user: str) -> None:
        self._done("POST", f"/v1/users/{user}/enable")

    def delete_user(self, user: str) -> None:
        self._done("DELETE", f"/v1/users/{user}")

    def me(self, key: RoleKey) -> dict[str, Any]:
        """Who the key is."""
        return self._done("GET", "/v1/me", headers={"Authorization": f"Bearer {key.reveal()}"})

    def exchange(self, key: RoleKey, **form: str) -> httpx.Response:
        """Whatever the answer to client_credentials is."""
        asked = {"grant_type": "client_credentials", **form}
        return self.ask("POST", "/v1/token", data=asked, auth=(key.access, key.secret))

    def token(self, key: RoleKey, **form: str) -> str:
        return str(self.exchange(key, **form).raise_for_status().json()["access_token"])

    def refuses(self, key: RoleKey) -> bool:
        """Whether the key opens nothing here any more; any other answer than yes or no is an error."""
        answer = self.exchange(key)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            assert answer.json()["error"] == "invalid_client"
            return True
        answer.raise_for_status()
        return False

    def seconds_until_refused(self, key: RoleKey) -> float:
        return seconds_until(lambda: self.refuses(key))

    def trust(self) -> Trust:
        """The public documents as they are now, for a verifier that never asks again."""
        return Trust.from_documents(
            issuer=self.issuer.settings["HOURMARKD_ISSUER"],
            jwks=self._http.get("/.well-known/jwks.json").raise_for_status().content,
            status_lists=[self._http.get("/status/1").raise_for_status().content],
        )

    def verdict(self, token: str) -> str:
        """What a verifier with today's documents says: "good", or the code of its refusal."""
        trust = self.trust()
        return verdict(Verifier(trust.issuer, SERVICES, trust=trust), token)

    def _done(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        return dict(self.ask(method, path, **options).raise_for_status().json())


def verdict(verifier: Verifier, token: str) -> str:
    """ "good", or the code of the refusal."""
    try:
        verifier.verify(token)
    except TokenError as error:
        return error.code
    return "good"


def seconds_until_revoked(verifier: Verifier, token: str) -> float:
    return seconds_until(lambda: verdict(verifier, token) == "revoked")


def seconds_until(happens: Callable[[], bool]) -> float:
    """Asks until it happens, far beyond any promise, so that a failure says by how much one was broken."""
    began = time.monotonic()
    while not happens():
        assert time.monotonic() - began < _PATIENCE, f"it has not happened in {_PATIENCE} s"
        time.sleep(0.002)
    return time.monotonic() - began


def _role_key(answer: dict[str, Any]) -> RoleKey:
    return RoleKey.parse(f"{answer['access']}:{answer['secret']}")
