"""Every management operation as a request: what it needs, what it sends, what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from keys import base64url
from tests.issuer.http.world import World, bearer, made

NOBODY = "http://127.0.0.1:9"
"""An outside issuer that does not answer."""
A_TOKEN = b".".join(map(base64url.encode, (b'{"alg":"ES256"}', b'{"iss":"x","exp":1}', b"x"))).decode()
"""Of an outside issuer, by its form."""


@dataclass(frozen=True)
class Row:
    """`path`, `permission` and `body` name the target by its members in braces: {role}, {policy}, …"""

    method: str
    path: str
    permission: str
    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    also: str = ""
    """A second permission that it needs."""
    query: str = ""


@dataclass(frozen=True)
class Target:
    """A role with a policy and a role key, a user, an app; of each a name that is not made yet.

    Of consents, sign-ins, visits and trust policies an id that nothing has: ending what is gone is allowed to
    whoever may end it.
    """

    role: str
    policy: str
    access: str
    new: str
    user: str
    person: str
    app: str
    id: str
    """Of an API token of the role."""
    job: str
    """One that runs as the role."""
    consent: str = str(2**31 - 1)
    sign_in: str = str(2**31 - 1)
    visit: str = str(2**31 - 1)
    trust: str = "trust_0123456789abcdef"

    def send(self, world: World, row: Row, caller: str) -> httpx.Response:
        return world.nobody.request(
            row.method,
            self.fill(f"{row.path}?{row.query}" if row.query else row.path),
            headers=bearer(caller),
            json=self.filled(row) or None,
        )

    def filled(self, row: Row) -> dict[str, Any]:
        """What the row sends."""
        return {
            name: self.fill(value) if isinstance(value, str) else value for name, value in row.body.items()
        }

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
    Row("POST", "/v1/roles/{role}/trust", "role-trust:create@{role}", 201,
        {"issuer": NOBODY, "subject": "s-1"}, "role:assume@{role}"),
    Row("GET", "/v1/roles/{role}/trust", "role:get@{role}"),
    Row("DELETE", "/v1/roles/{role}/trust/{trust}", "role-trust:delete@{role}"),
    Row("POST", "/v1/roles/{role}/trust/test", "role:get@{role}", body={"token": A_TOKEN}),
    Row("POST", "/v1/roles/{role}/trust/lint", "role-trust:create@{role}", body={"issuer": NOBODY}),
    Row("POST", "/v1/users", "user:create@{person}", 201, {"name": "{person}"}),
    Row("GET", "/v1/users", "user:get@{user}"),
    Row("GET", "/v1/users/{user}", "user:get@{user}"),
    Row("PATCH", "/v1/users/{user}", "user:update@{user}", 200, {"display_name": "Ada"}),
    Row("POST", "/v1/users/{user}/disable", "user:disable@{user}"),
    Row("POST", "/v1/users/{user}/enable", "user:enable@{user}"),
    Row("DELETE", "/v1/users/{user}", "user:delete@{user}"),
    Row("GET", "/v1/users/{user}/keys", "role-key:list@user:{user}"),
    Row("DELETE", "/v1/users/{user}/keys/{access}", "role-key:delete@user:{user}"),
    Row("POST", "/v1/users/{user}/roles", "user:assign@{user}", 201,
        {"role": "{role}"}, "role:assume@{role}"),
    Row("GET", "/v1/users/{user}/roles", "user:get@{user}"),
    Row("GET", "/v1/roles/{role}/members", "role:get@{role}"),
    Row("DELETE", "/v1/users/{user}/roles/{role}", "user:assign@{user}"),
    Row("POST", "/v1/apps", "app:register@{app}-new", 201, {"name": "{app}-new"}),
    Row("GET", "/v1/apps", "app:get@{app}"),
    Row("GET", "/v1/apps/{app}", "app:get@{app}"),
    Row("PATCH", "/v1/apps/{app}", "app:update@{app}", 200, {"description": "For tests"}),
    Row("POST", "/v1/apps/{app}/secret", "app:update@{app}"),
    Row("DELETE", "/v1/apps/{app}", "app:delete@{app}"),
    Row("POST", "/v1/users/{user}/invitations", "user:invite@{user}", 201),
    Row("GET", "/v1/users/{user}/sign-ins", "user:get@{user}"),
    Row("DELETE", "/v1/users/{user}/sign-ins", "user:sign-out@{user}"),
    Row("DELETE", "/v1/users/{user}/sign-ins/{sign_in}", "user:sign-out@{user}"),
    Row("GET", "/v1/users/{user}/visits", "user:get@{user}"),
    Row("DELETE", "/v1/users/{user}/visits/{visit}", "user:sign-out@{user}"),
    Row("GET", "/v1/consents", "user:get@{user}", query="user={user}"),
    Row("DELETE", "/v1/consents/{consent}", "user:withdraw-consent@{user}", query="user={user}"),
    Row("POST", "/v1/tokens", "role-key:create@{role}", 201,
        {"name": "{new}", "presets": ["protected-endpoint"], "owner": "role:{role}"}, "app:query@*"),
    Row("GET", "/v1/tokens", "role-key:list@{role}", query="owner=role:{role}"),
    Row("GET", "/v1/tokens/{id}", "role-key:list@{role}"),
    Row("GET", "/v1/tokens/{id}/activity", "role-key:list@{role}"),
    Row("POST", "/v1/tokens/{id}/renew", "role-key:renew@{role}", also="app:query@*"),
    Row("DELETE", "/v1/tokens/{id}", "role-key:delete@{role}"),
    # What a job is called is only known once it is there.
    Row("POST", "/v1/jobs", "job:create@*", 201, {"role": "{role}"}, "role:assume@{role}"),
    Row("GET", "/v1/jobs", "job:get@{job}"),
    Row("GET", "/v1/jobs/{job}", "job:get@{job}"),
    Row("PUT", "/v1/jobs/{job}/labels", "job:label@{job}", body={"labels": {}}),
    Row("DELETE", "/v1/jobs/{job}", "job:end@{job}"),
    Row("GET", "/v1/hygiene", "role-key:list@{role}"),
    Row("GET", "/v1/signing-keys", "signing-key:get@*"),
    Row("POST", "/v1/signing-keys/rotate", "signing-key:rotate@*"),
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
    user = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": user}))
    app = f"app-{uuid4().hex[:12]}"
    made(
        world.admin.post("/v1/apps", json={"name": app, "token_endpoint_auth_method": "client_secret_basic"})
    )
    asked = {"name": "for tests", "presets": ["protected-endpoint"], "owner": f"role:{role}"}
    token = made(world.admin.post("/v1/tokens", json=asked))["id"]
    job = made(world.admin.post("/v1/jobs", json={"role": role}))["id"]
    return Target(role, str(policy["id"]), key.access, f"{role}-new", user, f"{user}-new", app, token, job)
