"""Browsers on their way into an app behind a door, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

import httpx

from tests.browsers import Browser
from tests.doors import Door
from tests.issuer.http.world import World, made

ACTS = "data:get@* job:get@*"
"""What an app asks for that acts for its users."""
PAGE = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}


@dataclass
class Visitor:
    """A browser at an app's host and at the issuer."""

    door: Door
    issuer: Browser
    cookies: dict[str, str] = field(default_factory=dict)

    def open(self, target: str = "/", /, **headers: str) -> httpx.Response:
        """Asks for a page at the app, with its cookies there."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.door.ask(target, **PAGE | headers, Cookie=cookie)
        for header in answer.headers.get_list("set-cookie"):
            name, _, rest = header.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer

    def to_entrance(self, target: str = "/") -> httpx.Response:
        """Opens a page, and goes where it is led."""
        return self.issuer.get(self.open(target).headers["location"].removeprefix(self.door.world.url))

    def enter(self, token: str, target: str = "/") -> str:
        """Opens a page, shows the token at the entrance; where it is led then."""
        assert self.to_entrance(target).status_code == 200
        answer = self.issuer.send("/enter/token", {"token": token})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def arrive(self, url: str) -> httpx.Response:
        """Comes back to the app."""
        origin = f"https://{self.door.host}"
        assert url.startswith(f"{origin}/_hourmark/enter?code=")
        return self.open(url.removeprefix(origin))

    def as_script(self) -> httpx.Response:
        """Asks with its cookies, for no page."""
        return self.door.ask(Cookie="; ".join(f"{name}={value}" for name, value in self.cookies.items()))

    def is_let_in(self) -> bool:
        """If not, it is led to the entrance."""
        answer = self.open()
        assert answer.status_code == 200 or "/enter?" in answer.headers["location"]
        return answer.status_code == 200


@dataclass(frozen=True)
class Agreed:
    """A user who let an app act for it, and is there."""

    door: Door
    user: str
    visitor: Visitor

    def withdraw(self) -> None:
        admin, whose = self.door.world.admin, {"user": self.user}
        (consent,) = admin.get("/v1/consents", params=whose).json()["items"]
        admin.delete(f"/v1/consents/{consent['id']}", params=whose).raise_for_status()


def new_user(world: World) -> str:
    """One who may open every app, and has something that apps may have too."""
    user, role = f"u{uuid4().hex[:12]}", world.role("app:query@*", "data:get@mine*", "data:put@*")
    made(world.admin.post("/v1/users", json={"name": user}))
    made(world.admin.post(f"/v1/users/{user}/roles", json={"role": role}))
    return user


def agree(visitor: Visitor, user: str) -> Agreed:
    """The user, who is signed in at the issuer, lets the app act and goes in."""
    visitor.to_entrance()
    asked = visitor.issuer.send("/enter/session")
    assert (asked.status_code, f"Let {visitor.door.app.name} act for" in asked.text) == (200, True)
    visitor.arrive(visitor.issuer.send("/enter/session", {"decision": "allow"}).headers["location"])
    return Agreed(visitor.door, user, visitor)


def handed(answer: httpx.Response) -> str:
    """The token that the app is handed."""
    assert answer.status_code == 200, answer.text
    scheme, _, token = answer.headers["authorization"].partition(" ")
    assert scheme == "Bearer"
    return token
