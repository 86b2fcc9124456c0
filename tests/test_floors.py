"""The floors of the house: keys < verifier < issuer and holder, which meet over HTTP only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PACKAGES = {"keys", "verifier", "issuer", "holder"}

# What a floor may import besides the standard library and itself; None: any library.
LIBRARIES: dict[str, set[str] | None] = {
    "keys": {"jwt", "cryptography"},
    "verifier": {"jwt", "cryptography"},
    "issuer": None,
    "holder": None,
}
LOWER_FLOORS: dict[str, set[str]] = {
    "keys": set(),
    "verifier": {"keys"},
    "issuer": {"keys", "verifier"},
    "holder": {"keys", "verifier"},
}
NETWORK_ROOMS = {
    "verifier/refresh.py",  # asks for the issuer's documents
    "verifier/exchange.py",  # asks for tokens, at services that accept role keys; there is no third
}
INTEGRATIONS = "verifier/integrations/"  # each translates for the web framework that it imports


def sources(package: str) -> list[Path]:
    """Every module of a package: an empty one would let its floor pass unseen."""
    found = sorted((PROJECT / package).rglob("*.py"))
    assert found, f"there is no package {package}"
    return found


def imported(source: Path) -> Iterator[str]:
    """Top-level names of all imports, also those inside functions and for the type checker only."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            depth = len(source.relative_to(PROJECT).parts) - 1
            assert node.level <= depth, f"{source} reaches out of its package"


def may_import(package: str, source: str, name: str) -> bool:
    if name in PACKAGES | {"tests"}:
        return name == package or name in LOWER_FLOORS[package]
    libraries = LIBRARIES[package]
    return (
        libraries is None
        or name in sys.stdlib_module_names
        or name in libraries
        or (source in NETWORK_ROOMS and name == "httpx")
        or (source.startswith(INTEGRATIONS) and name != "httpx")
    )


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_floor_imports_only_what_lies_below(package: str) -> None:
    refused = [
        f"{path}: {name}"
        for source in sources(package)
        for path in [source.relative_to(PROJECT).as_posix()]
        for name in imported(source)
        if not may_import(package, path, name)
    ]
    assert refused == []


@pytest.mark.parametrize(
    ("package", "source", "name"),
    [
        ("keys", "keys/jwk.py", "httpx"),
        ("keys", "keys/jwk.py", "verifier"),
        ("verifier", "verifier/trust.py", "httpx"),
        ("verifier", "verifier/trust.py", "starlette"),
        ("verifier", "verifier/role_keys.py", "httpx"),
        ("verifier", "verifier/refresh.py", "requests"),
        ("verifier", "verifier/integrations/flask.py", "issuer"),
        ("verifier", "verifier/integrations/flask.py", "httpx"),
        ("issuer", "issuer/mint.py", "holder"),
        ("holder", "holder/client.py", "issuer"),
        ("holder", "holder/client.py", "tests"),
    ],
)
def test_the_rule_itself_refuses(package: str, source: str, name: str) -> None:
    assert not may_import(package, source, name)


def test_importing_the_verifier_brings_no_server_and_no_network_along() -> None:
    upper = "{'starlette', 'uvicorn', 'sqlalchemy', 'sqlmodel', 'pydantic', 'httpx', 'issuer', 'holder'}"
    program = f"import sys, verifier; print(*sorted({upper} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
