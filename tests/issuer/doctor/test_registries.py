"""How a registry is named to the doctor; what it says of real ones is in tests/journeys/registry."""

from __future__ import annotations

import pytest

from issuer.doctor.registries import NotAsked, address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("localhost:5000", "http://localhost:5000"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("registry.example", "https://registry.example"),
        ("registry.example:5000", "https://registry.example:5000"),
        ("http://registry.example:5000", "http://registry.example:5000"),
    ],
)
def test_a_registry_may_be_named_as_docker_does(text: str, expected: str) -> None:
    assert address(text) == expected


@pytest.mark.parametrize("text", ["", "ftp://a", "a:port", "http://", "unix:///run/a.sock", "http://[a"])
def test_what_is_no_registry(text: str) -> None:
    with pytest.raises(NotAsked, match="write HOST:PORT, http://HOST:PORT or https://HOST:PORT"):
        address(text)
