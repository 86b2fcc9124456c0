"""Which hosts the issuer answers to."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from issuer.hosts import allowed_hosts
from issuer.settings import Settings
from tests.issuer.http.sockets import raw_answer
from tests.issuer.http.world import World, open_world

REBOUND = "page.example"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:1", "localhost", "LOCALHOST:8700", "[::1]", "[::1]:8700"]
)
def test_loopback_is_answered_by_any_of_its_names(world: World, host: str) -> None:
    assert world.nobody.get("/.well-known/jwks.json", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [REBOUND, f"{REBOUND}:8700", "localhost.page.example", "127.0.0.1.nip.io", "x@localhost", "[::1", ""],
)
@pytest.mark.parametrize("path", ["/.well-known/jwks.json", "/v1/roles", "/nothing"])
def test_another_host_is_refused_with_what_to_do(world: World, path: str, host: str) -> None:
    answer = world.admin.get(path, headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "misdirected_request")
    assert "HOURMARKD_ALLOWED_HOSTS" in answer.json()["detail"]


def test_the_token_endpoint_refuses_it_in_its_own_dialect(world: World) -> None:
    answer = world.nobody.post(
        "/v1/token", headers={"Host": REBOUND}, data={"grant_type": "client_credentials"}
    )
    assert (answer.status_code, answer.json()["error"]) == (421, "invalid_request")


@pytest.mark.parametrize(
    "hosts", [[], ["localhost", "localhost"], ["localhost", REBOUND], [REBOUND, "localhost"]]
)
def test_one_host_is_named(world: World, hosts: list[str]) -> None:
    head = "".join(f"Host: {host}\r\n" for host in hosts)
    answer = raw_answer(world.url, f"GET /.well-known/jwks.json HTTP/1.0\r\n{head}\r\n")
    assert answer.startswith("HTTP/1.1 421 ")


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_may_use_any_address(world: World, path: str) -> None:
    assert world.nobody.get(path, headers={"Host": "10.1.2.3:8700"}).status_code == 200


def test_the_issuers_own_host_and_those_of_the_settings_are_answered(tmp_path: Path) -> None:
    settings = {
        "HOURMARKD_ISSUER": "https://Issuer.example/tokens",
        "HOURMARKD_ALLOWED_HOSTS": "hourmark.svc 192.0.2.1",
    }
    with open_world(tmp_path, **settings) as world:
        for host, status in {
            "issuer.example": 200,
            "issuer.example:443": 200,
            "hourmark.svc:8700": 200,
            "192.0.2.1": 200,
            REBOUND: 421,
        }.items():
            assert world.nobody.get("/.well-known/jwks.json", headers={"Host": host}).status_code == status, (
                host
            )


def test_an_address_of_version_6_is_allowed_as_it_is_written_in_a_url() -> None:
    settings = Settings(host="::1", issuer="http://[2001:db8::1]:8700", allowed_hosts=("2001:db8::2",))
    assert allowed_hosts(settings) >= {"[::1]", "[2001:db8::1]", "[2001:db8::2]"}


@pytest.mark.parametrize(
    "host", ["*", "*.example", "https://issuer.example", "issuer.example:443", "issuer.example/x"]
)
def test_a_setting_that_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ValidationError, match="an allowed host is one name or address"):
        Settings(allowed_hosts=(host,))
