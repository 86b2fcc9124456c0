"""A proxy in front of apps, without the proxy: what nginx and Caddy say, said by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from tests.clients import App, register
from tests.issuer.http.world import World, made

SECRET = "proxies-in-these-tests-know-this-one"
PREVIOUS_SECRET = "proxies-knew-this-one-some-time-before"
SETTINGS = {
    "HOURMARKD_FORWARD_AUTH_SECRET": SECRET,
    "HOURMARKD_FORWARD_AUTH_PREVIOUS_SECRET": PREVIOUS_SECRET,
}
IDENTITY = ("hourmark-subject", "hourmark-client", "hourmark-actor", "hourmark-roles")
HANDED_ON = (*IDENTITY, "authorization", "cookie")


@dataclass(frozen=True)
class Door:
    """An app at a host, and its proxy."""

    world: World
    app: App
    host: str
    kind: str = "nginx"
    """Or `forwarded`: Caddy's and Traefik's way of asking."""
    headers: dict[str, str] = field(default_factory=lambda: {"Hourmark-Proxy-Secret": SECRET}, repr=False)

    def says(self, target: str = "/", method: str = "GET", host: str | None = None) -> dict[str, str]:
        """What the proxy says of a request."""
        host = host or self.host
        if self.kind == "nginx":
            asked = {"X-Original-URL": f"https://{host}{target}", "X-Original-Method": method}
        else:
            asked = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": host}
            asked |= {"X-Forwarded-Uri": target, "X-Forwarded-Method": method}
        return self.headers | asked

    def ask(self, target: str = "/", /, *, method: str = "GET", **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.world.nobody.get("/v1/forward-auth", headers=self.says(target, method) | sent)

    def as_bearer(self, credential: str, **headers: str) -> httpx.Response:
        return self.ask(Authorization=f"Bearer {credential}", **headers)


def door(world: World, kind: str = "nginx", **members: Any) -> Door:
    """A new app behind a proxy of this kind."""
    host = f"{uuid4().hex[:12]}.apps.example"
    return Door(world, register(world, **({"scope": ""} | members), host=host), host, kind)


def api_token(world: World, *labels: str, credential: str = "", **members: Any) -> dict[str, Any]:
    """An API token that opens protected apps with these labels, or all."""
    asked = {"name": f"t-{uuid4().hex[:12]}", "presets": ["protected-endpoint"]}
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    body = asked | {"label_selectors": list(labels)} | members
    return dict(made(world.admin.post("/v1/tokens", json=body, headers=headers)))
