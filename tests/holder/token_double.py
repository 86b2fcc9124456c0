"""The API tokens of the issuer double, all of one owner."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from keys import RoleKey
from tests.holder.answering import MADE, Answer, Request, page, problem

PRESETS = [
    {
        "name": "read",
        "title": "Read",
        "description": "query what jobs and apps serve",
        "permissions": ["app:query@*", "job:query@*"],
    }
]


@dataclass
class TokenDouble:
    """Answers below `/v1/tokens`; its state is open to tests."""

    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, access: str, name: str, **members: Any) -> dict[str, Any]:
        """An API token, as it is listed."""
        usual: dict[str, Any] = {"id": access, "name": name, "prefix": access[:8], "owner": "user:admin"}
        usual |= {"presets": ["read"], "label_selectors": [], "resources": [], "audiences": []}
        usual |= {"job_roles": []}
        usual |= {"description": "", "scope": "app:query@*", "state": "active"}
        usual |= {"expires_at": "2027-02-01T00:00:00Z", "last_exchanged_at": None}
        return self.by_id.setdefault(access, usual | MADE | members)

    def answer(self, request: Request, rest: list[str]) -> Answer:
        match request.method, *rest:
            case ("POST",):
                made = RoleKey.generate()
                said = {name: value for name, value in request.json.items() if name != "never_expires"}
                return 201, self.add(made.access, **said) | {"token": made.reveal()}
            case ("GET",):
                states = request.query.get("state", ["active", "expired"])
                return page(request, [each for each in self.by_id.values() if each["state"] in states])
            case "GET", access if access in self.by_id:
                return 200, self.by_id[access]
            case "POST", access, "renew" if access in self.by_id:
                return 200, self.by_id[access] | {"token": RoleKey.generate(access).reveal()}
            case "DELETE", access:
                made_with_it = ["hmk_AnotherOne000000"] if self.by_id.pop(access, None) else []
                return 200, {"deleted": access, "made": made_with_it}
        return problem(404, "not_found", "there is no such API token")
