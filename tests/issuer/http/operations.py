"""Every management operation as a request: what it needs, what it sends, what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.issuer.http.world import World, bearer, made


@dataclass(frozen=True)
class Row:
    """`path`, `permission` and `body` name the target: {role}, {policy}, {access}, {new}."""

    method: str
    path: str
    permission: str
    status: int = 200
    body: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """A role with a policy and a role key, and the name of a role that is not made yet."""

    role: str
    policy: str
    access: str
    new: str

    def send(self, world: World, row: Row, caller: str) -> httpx.Response:
        return world.nobody.request(
            row.method,
            self.fill(row.path),
            headers=bearer(caller),
            json={name: self.fill(value) for name, value in row.body.items()} or None,
        )

    def fill(self, text: str) -> str:
        return text.format(**vars(self))


ROWS = (
    Row("POST", "/v1/roles", "role:create@{new}", 201, {"name": "{new}"}),
    Row("GET", "/v1/roles", "role:get@{role}"),
    Row("GET", "/v1/roles/{role}", "role:get@{role}"),
    Row("DELETE", "/v1/roles/{role}", "role:delete@{role}"),
    Row("POST", "/v1/roles/{role}/keys", "role-key:create@{role}", 201, {"name": "for tests"}),
    Row("GET", "/v1/roles/{role}/keys", "role-key:list@{role}"),
    Row("POST", "/v1/roles/{role}/keys/{access}/renew", "role-key:renew@{role}"),
    Row("DELETE", "/v1/roles/{role}/keys/{access}", "role-key:delete@{role}"),
    # Who holds just this may hand on just this.
    Row("POST", "/v1/roles/{role}/policies", "role-policy:create@{role}", 201,
        {"permission": "role-policy:create@{role}"}),
    Row("GET", "/v1/roles/{role}/policies", "role:get@{role}"),
    Row("DELETE", "/v1/roles/{role}/policies/{policy}", "role-policy:delete@{role}"),
    Row("GET", "/v1/audit", "audit:read@*"),
    Row("GET", "/v1/audit/chain", "audit:read@*"),
)  # fmt: skip


def target(world: World) -> Target:
    role = world.role()
    # Role and role key are no wider than who may make the one or renew the other, and nothing else.
    key = world.key(role, scope=f"role-key:renew@{role}")
    policy: dict[str, Any] = made(
        world.admin.post(f"/v1/roles/{role}/policies", json={"permission": f"role-key:create@{role}"})
    )
    return Target(role, str(policy["id"]), key.access, f"{role}-new")
