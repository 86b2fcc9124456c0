"""A running issuer as tests over HTTP see it: roles and role keys are made through its own API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.running_issuer import RunningIssuer, start_issuer

SERVICES = "urn:hourmark:services"
OTHER = "https://other.example"
REGISTRY, OTHER_REGISTRY = "registry.example", "other.example:5000"
PATIENCE = 20.0
"""Seconds after which what is waited for will not happen any more."""
# More than the tests send from one address; those of the throttle have addresses of their own.
FAILURES_PER_MINUTE = 150


@dataclass(frozen=True)
class Key:
    """A role key, and the role that it is of."""

    role: str
    access: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        return f"{self.access}:{self.secret}"

    @property
    def basic(self) -> httpx.BasicAuth:
        return httpx.BasicAuth(self.access, self.secret)

    @property
    def bearer(self) -> dict[str, str]:
        return bearer(self.text)


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def until(done: Callable[[], bool]) -> None:
    """Waits until `done` says so."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.02)


class World:
    """An issuer with two services and two registries; clients are shared because each costs a TLS context."""

    def __init__(self, issuer: RunningIssuer, admin: httpx.Client, nobody: httpx.Client) -> None:
        self.issuer = issuer
        self.url = issuer.settings["HOURMARKD_ISSUER"]
        self.admin = admin
        self.nobody = nobody

    def role(self, *permissions: str) -> str:
        """A new role with these permissions."""
        role = f"org.tests.r{uuid4().hex[:12]}"
        made(self.admin.post("/v1/roles", json={"name": role}))
        for permission in permissions:
            made(self.admin.post(f"/v1/roles/{role}/policies", json={"permission": permission}))
        return role

    def key(self, role: str, **body: Any) -> Key:
        """A new role key of the role, made by admin."""
        answer = made(self.admin.post(f"/v1/roles/{role}/keys", json=body))
        return Key(role, answer["access"], answer["secret"])

    def holder(self, *permissions: str) -> Key:
        """The role key of a new role with these permissions."""
        return self.key(self.role(*permissions))

    def exchange(self, key: Key, **form: str) -> httpx.Response:
        return self.nobody.post(
            "/v1/token", auth=key.basic, data={"grant_type": "client_credentials", **form}
        )

    def token(self, key: Key, **form: str) -> str:
        answer = self.exchange(key, **form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def for_issuer(self, key: Key) -> str:
        """A token for the issuer's own API."""
        return self.token(key, resource=self.url)

    def is_active(self, token: str) -> bool:
        answer = self.admin.post("/v1/introspect", data={"token": token})
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["active"])

    def line(self, answer: httpx.Response) -> dict[str, Any]:
        """The log line of the request that got this answer; it is written behind the answer."""
        request_id = answer.headers["x-request-id"]
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            lines = self.issuer.lines()
            found[:] = [
                line for line in lines if (line["event"], line.get("request_id")) == ("request", request_id)
            ]
            return bool(found)

        until(is_there)
        assert len(found) == 1
        return found[0]


def made(answer: httpx.Response) -> Any:
    assert answer.status_code == 201, answer.text
    return answer.json()


@contextmanager
def open_world(folder: Path, **settings: str) -> Iterator[World]:
    defaults = {
        "HOURMARKD_AUDIENCES": f"{SERVICES} {OTHER}",
        "HOURMARKD_FAILURES_PER_MINUTE": str(FAILURES_PER_MINUTE),
        # Outside issuers of tests are here, and nothing else is.
        "HOURMARKD_OUTSIDE_PRIVATE_NETWORKS": "127.0.0.0/8",
        "HOURMARKD_REGISTRY_SERVICES": f"{REGISTRY} {OTHER_REGISTRY}",
        "HOURMARKD_REGISTRY_ANONYMOUS_PULLS": f"{REGISTRY}/public/*",
    }
    with ExitStack() as stack:
        issuer = stack.enter_context(start_issuer(folder, **defaults | settings))
        yield World(issuer, stack.enter_context(issuer.http()), stack.enter_context(issuer.http("")))
