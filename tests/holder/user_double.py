"""The users of the issuer double, and the roles that they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.holder.answering import MADE, Answer, Request, page, problem


@dataclass
class UserDouble:
    """Answers below `/v1/users`; its state is open to tests."""

    by_name: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, *roles: str, **profile: Any) -> dict[str, Any]:
        """A user who holds these roles."""
        usual = {"name": name, "display_name": "", "email": None, "state": "active"}
        return self.by_name.setdefault(name, {**usual, **profile, "roles": [*roles], **MADE})

    def answer(self, request: Request, rest: list[str]) -> Answer:
        match request.method, *rest:
            case ("POST",):
                name = request.json["name"]
                if name in self.by_name:
                    return problem(409, "conflict", f"user:{name} exists already")
                return 201, self.add(**request.json)
            case ("GET",):
                wanted = {name: values[0] for name, values in request.query.items()}
                return page(
                    request,
                    [
                        user
                        for name, user in self.by_name.items()
                        if name.startswith(wanted.get("prefix", ""))
                        and user["state"] == wanted.get("state", user["state"])
                    ],
                )
            case method, name, *inner if name in self.by_name:
                return self._one(request, method, self.by_name[name], inner)
        return problem(404, "not_found", "there is no such user")

    def _one(self, request: Request, method: str, user: dict[str, Any], inner: list[str]) -> Answer:
        name, roles = user["name"], user["roles"]
        match method, *inner:
            case ("GET",):
                return 200, user
            case ("DELETE",):
                del self.by_name[name]
                return 200, {"deleted": name, "keys": ["hmk_OfTheUser0000000"], "made": [], "apps": []}
            case "POST", "disable" | "enable" as how:
                user["state"] = {"disable": "disabled", "enable": "active"}[how]
                return 200, user
            case "POST", "invitations":
                url = "https://issuer.example/setup?invitation=hmi_test"
                return 201, {"user": name, "url": url, "expires_at": "2026-11-29T10:00:00Z"}
            case "GET", "roles":
                return page(request, [{"user": name, "role": role, **MADE} for role in roles])
            case "POST", "roles":
                roles.append(request.json["role"])
                return 201, {"user": name, "role": roles[-1], **MADE}
            case "DELETE", "roles", role:
                user["roles"] = [each for each in roles if each != role]
                return 200, {"user": name, "taken": role}
        return problem(404, "not_found", "there is no such thing of this user")
