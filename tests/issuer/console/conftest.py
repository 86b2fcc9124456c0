"""An issuer for the pages, and browsers in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest

from tests import browsers
from tests.browsers import Browser
from tests.issuer.http.world import World, made, open_world

NewBrowser = Callable[..., Browser]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("console")) as opened:
        yield opened


@pytest.fixture
def user(world: World) -> str:
    """A new user."""
    name = f"u{uuid4().hex[:12]}"
    made(world.admin.post("/v1/users", json={"name": name, "display_name": "Ada Lovelace"}))
    return name


@pytest.fixture
def browser(world: World) -> Iterator[Browser]:
    """One that was never here."""
    with Browser(world.url) as opened:
        yield opened


@pytest.fixture
def signed_in(world: World, user: str) -> Iterator[NewBrowser]:
    """Makes browsers in which the user is signed in, with the arguments of `signed_in`."""
    with ExitStack() as stack:
        yield lambda **given: stack.enter_context(
            browsers.signed_in(world.issuer, given.pop("user", user), **given)
        )


@pytest.fixture
def invite_at() -> Callable[[World, str], str]:
    """The path of a new set-up link of a user."""

    def make(world: World, user: str, **body: int) -> str:
        url = str(made(world.admin.post(f"/v1/users/{user}/invitations", json=body))["url"])
        assert url.startswith(f"{world.url}/setup?invitation=hmi_")
        return url.removeprefix(world.url)

    return make


@pytest.fixture
def invite(world: World, invite_at: Callable[[World, str], str]) -> Callable[[str], str]:
    return lambda user: invite_at(world, user)


@pytest.fixture
def link(invite: Callable[[str], str], user: str) -> str:
    """A set-up link of the user."""
    return invite(user)


@pytest.fixture(scope="session")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An issuer that has soon enough of wrong credentials."""
    folder = tmp_path_factory.mktemp("narrow")
    with open_world(folder, HOURMARKD_FAILURES_PER_MINUTE="2") as opened:
        yield opened
