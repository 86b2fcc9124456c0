"""Where an outside issuer may live."""

from __future__ import annotations

import pytest

from issuer.outside.address import Addresses, RefusedAddress

NOWHERE_PRIVATE = Addresses()
HERE = Addresses.within(["127.0.0.0/8", "::1", "10.1.0.0/16"])
PUBLIC = [
    "1.1.1.1",
    "140.82.112.3",
    "2606:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::808:808",
    "2002:101:101::1",
]
PRIVATE = [
    *("127.0.0.1", "127.8.9.10", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("0.0.0.1", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
    "2002:7f00:1::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    NOWHERE_PRIVATE.check(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_ones_are_refused_by_default(address: str) -> None:
    with pytest.raises(RefusedAddress, match="HOURMARKD_OUTSIDE_PRIVATE_NETWORKS"):
        NOWHERE_PRIVATE.check(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "::1", "10.1.2.3", "1.1.1.1"])
def test_what_is_allowed_may_be(address: str) -> None:
    HERE.check(address)


@pytest.mark.parametrize("address", ["10.2.0.1", "169.254.169.254", "::ffff:10.2.0.1", "64:ff9b::a01:1"])
def test_and_nothing_beside_it(address: str) -> None:
    with pytest.raises(RefusedAddress):
        HERE.check(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://token.actions.githubusercontent.com",
        "https://tenant.example/",
        "https://gitlab.example:8443/path/*",
        "https://1.1.1.1",
        "https://[2606:4700::1111]/x",
    ],
)
def test_urls_of_issuers(url: str) -> None:
    NOWHERE_PRIVATE.check_url(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:1/x"])
def test_plain_http_is_for_loopback_where_that_is_allowed(url: str) -> None:
    HERE.check_url(url)
    with pytest.raises(RefusedAddress):
        NOWHERE_PRIVATE.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "ci.example", "//ci.example", "ftp://ci.example", "file:///etc/passwd", "https:///x", "https://"),
        *("http://ci.example", "http://10.1.0.1", "http://1.1.1.1", "http://localhost.evil.example"),
        *("https://user@ci.example", "https://ci.example@evil.example", "https://ci.example\\@evil.example"),
        *("https://ci.example?x", "https://ci.example/#", "https://ci.example:port", "https://ci.example:99999"),
        *("https://[::1", "https://ci.example/a b", "https://ci.example/\n", "https://cï.example"),
        "https://ci.example/" + "x" * 512,
        *("https://167772161", "https://0x0a.0.0.1", "https://10.1", "https://012.0.0.1", "https://1.2.3.4.5"),
        *("https://0x7f000001", "https://127.1", "https://0x", "https://10.0.0.1.", "https://169.254.169.254."),
        *("https://169.254.169.254/latest", "https://192.168.0.1", "https://[::ffff:10.0.0.1]"),
    ],
)  # fmt: skip
def test_what_is_no_url_of_an_issuer(url: str) -> None:
    with pytest.raises(RefusedAddress):
        HERE.check_url(url)


@pytest.mark.parametrize(
    "url",
    ["https://localhost", "https://LOCALHOST:8443/x", "https://localhost.", "https://issuer.localhost"],
)
def test_a_name_that_is_always_this_machines(url: str) -> None:
    HERE.check_url(url)
    with pytest.raises(RefusedAddress, match="HOURMARKD_OUTSIDE_PRIVATE_NETWORKS"):
        NOWHERE_PRIVATE.check_url(url)


@pytest.mark.parametrize(
    "url", ["https://10.example", "https://localhost.example", "https://ci.0x0a.example"]
)
def test_names_that_only_look_like_it(url: str) -> None:
    NOWHERE_PRIVATE.check_url(url)
