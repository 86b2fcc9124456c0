"""What docker clients may send and get nothing for: names, numbers and forms that no client of a user has."""

from __future__ import annotations

import base64
from urllib.parse import urlencode

import pytest

from issuer.registry.scopes import MAX_RESOURCES
from tests.issuer.http.sockets import last_answer
from tests.issuer.http.test_registry_token import PATH, access, get, post, refused
from tests.issuer.http.world import OTHER_REGISTRY, REGISTRY, World

HOSTILE = ["a/b/../../secret", "*", "A/B", "", "%2e%2e", "a\x00b", "ä", "'; DROP TABLE", "a" * 2000, "a:b:c"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_no_repository_has_is_granted_nothing(world: World, name: str) -> None:
    scope = f"repository:{name}:pull,push,delete,*"
    assert access(get(world, world.issuer.admin_key, scope)) == []
    posted = post(world, world.issuer.admin_key, scope)
    assert refused(posted)[0] == 400 if "\0" in name else access(posted) == []


def test_ten_thousand_scopes(world: World) -> None:
    scopes = [f"repository:r{number}:pull" for number in range(10_000)]
    query = urlencode({"service": REGISTRY, "scope": scopes}, doseq=True)
    credential = base64.b64encode(f"console:{world.issuer.admin_key}".encode()).decode()
    # httpx itself refuses to ask for so much.
    answer = last_answer(
        world.url,
        f"GET {PATH}?{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {credential}\r\n\r\n",
    )
    assert answer.startswith("HTTP/1.1 431 ")
    assert '{"errors":[{"code":"UNSUPPORTED","message":"the request' in answer
    assert post(world, world.issuer.admin_key, *scopes).status_code in (400, 413)
    status, code, message = refused(post(world, world.issuer.admin_key, *scopes[:100]))
    assert (status, code, "at most 100 fields" in message) == (400, "UNSUPPORTED", True)
    assert post(world, world.issuer.admin_key, " ".join(scopes)).status_code in (400, 413)
    fewer = " ".join(scopes[: MAX_RESOURCES + 1])
    status, code, message = refused(get(world, world.issuer.admin_key, fewer))
    assert (status, code, str(MAX_RESOURCES) in message) == (400, "UNSUPPORTED", True)
    same = " ".join(["repository:r:pull"] * 2000)
    assert access(get(world, world.issuer.admin_key, same)) == [("repository", "r", ["pull"])]
    # So many long names would make a token that no header holds.
    long = " ".join(f"repository:{'x' * 200}{number}:pull" for number in range(50))
    status, code, message = refused(get(world, world.issuer.admin_key, long))
    assert (status, code, "`scope`" in message) == (400, "UNSUPPORTED", False), "docker has no such setting"
    assert "fewer repositories at once" in message


@pytest.mark.parametrize("path", [f"{PATH}/", f"{PATH}//", "/v1/registry/tokens"])
def test_what_is_not_here_is_told_as_registries_do(world: World, path: str) -> None:
    """A `realm` with a typing error is asked by docker clients, which read nothing else."""
    for headers in ({}, {"Accept": "text/html"}):
        for answer in (world.nobody.get(path, headers=headers), world.nobody.post(path, headers=headers)):
            assert refused(answer)[:2] == (404, "UNSUPPORTED")


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400),
        ({"grant_type": ""}, 400),
        ({"grant_type": "password"}, 401),
    ],
)
def test_what_else_is_posted(world: World, form: dict[str, str], status: int) -> None:
    answer = world.nobody.post(PATH, data={"service": REGISTRY, **form})
    assert refused(answer)[0] == status


def test_requests_that_are_none(world: World) -> None:
    key = world.holder("repository:pull@*")
    twice = world.nobody.get(
        f"{PATH}?service={REGISTRY}&service={OTHER_REGISTRY}", auth=("console", key.text)
    )
    in_url = world.nobody.post(f"{PATH}?service={REGISTRY}", data={"grant_type": "password"})
    as_json = world.nobody.post(PATH, json={"grant_type": "password"})
    other_method = world.nobody.delete(PATH)
    assert [refused(each)[:2] for each in (twice, in_url, as_json, other_method)] == [
        (400, "UNSUPPORTED"),
        (400, "UNSUPPORTED"),
        (415, "UNSUPPORTED"),
        (405, "UNSUPPORTED"),
    ]
