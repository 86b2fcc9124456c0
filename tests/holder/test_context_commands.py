"""`hourmark context`: the kept sign-ins, and which of them counts."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from keys import RoleKey
from tests.holder.conftest import Done, Hourmark
from tests.holder.issuer_double import IssuerDouble


@pytest.fixture
def folder(home: Path) -> Path:
    """Where everything is kept."""
    return home / "config" / "hourmark"


@pytest.fixture
def two(hourmark: Hourmark, issuer: IssuerDouble) -> dict[str, RoleKey]:
    """Signed in twice."""
    keys = {name: issuer.add_key(f"org.account.{name}") for name in ("default", "other")}
    for name, key in keys.items():
        options = ("--url", issuer.url, "--api-token", key.reveal(), "--profile", name)
        assert hourmark("login", *options).code == 0
    return keys


def test_one_is_chosen_and_counts_from_then_on(
    hourmark: Hourmark, two: dict[str, RoleKey], folder: Path
) -> None:
    def who(*arguments: str, **environ: str) -> str:
        return hourmark("whoami", "--field", "client_id", *arguments, **environ).out.strip()

    assert who() == two["default"].access
    chosen = hourmark("context", "use", "other", HOURMARK_PROFILE="default")
    assert (chosen.code, chosen.out) == (0, "")
    assert (
        chosen.err == "The context other counts from now on.\nHOURMARK_PROFILE is set and goes before it.\n"
    )
    assert who() == two["other"].access
    assert who("--profile", "default") == who(HOURMARK_PROFILE="default") == two["default"].access
    assert hourmark("context", "current", "--field", "name").out == "other\n"
    assert stat.S_IMODE((folder / "current").stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["current", "profiles"]


def test_role_keys_are_hidden_unless_asked_for(
    hourmark: Hourmark, issuer: IssuerDouble, two: dict[str, RoleKey]
) -> None:
    listed = hourmark("context", "list", "-o", "json")
    assert listed.json == [
        {
            "name": name,
            "current": name == "default",
            "endpoint": issuer.url,
            "principal": f"role:org.account.{name}",
            "api_token": f"{key.access}:********",
        }
        for name, key in two.items()
    ]
    whole = hourmark("context", "list", "--show-token", "--field", "api_token")
    assert whole.out.split() == [key.reveal() for key in two.values()]
    current = hourmark("context", "current", "--show-token", "-o", "json").json
    assert (current["endpoint"], current["api_token"]) == (issuer.url, two["default"].reveal())


def test_an_unknown_one_is_told_with_those_that_there_are(
    hourmark: Hourmark, two: dict[str, RoleKey]
) -> None:
    done = hourmark("context", "use", "third")
    assert (done.code, ", ".join(two) in done.err) == (1, True)
    assert hourmark("context", "use", "../third", "-o", "json").error["code"] == "no_such_context"
    assert hourmark("context", "current", "--field", "name").out == "default\n"


def test_before_the_first_sign_in(hourmark: Hourmark) -> None:
    assert hourmark("context", "list") == Done(0, "", "There is none.\n")
    current = hourmark("context", "current")
    assert (current.code, current.out, "hourmark login" in current.err) == (4, "", True)
    assert hourmark("context", "use", "default").code == 1


def test_the_chosen_one_is_deleted_or_broken(
    hourmark: Hourmark, issuer: IssuerDouble, two: dict[str, RoleKey], folder: Path
) -> None:
    assert hourmark("context", "use", "other").code == 0
    kept = folder / "profiles" / "other.json"
    kept.write_text("{")
    listed = hourmark("context", "list", "-o", "json")
    assert [(each["name"], each["current"], each["endpoint"]) for each in listed.json] == [
        ("default", False, issuer.url),
        ("other", True, None),
    ]
    assert f"rm {kept}" in listed.err
    kept.unlink()
    # Nobody acts as somebody else without saying so: the other sign-in does not step in.
    gone = hourmark("whoami")
    assert (gone.code, "the profile other keeps none" in gone.err) == (4, True)
    assert hourmark("context", "use", "default").code == 0
    assert hourmark("whoami", "--field", "client_id").out.strip() == two["default"].access


@pytest.mark.parametrize("content", [b"", b"../../x\n", b"\xff", b"a b"])
def test_the_note_of_the_chosen_one_is_broken(
    hourmark: Hourmark, two: dict[str, RoleKey], folder: Path, content: bytes
) -> None:
    (folder / "current").write_bytes(content)
    done = hourmark("whoami", "-o", "json")
    assert (done.code, done.error["code"]) == (1, "current_unreadable")
    assert "hourmark context use NAME" in done.error["hint"]
    listed = hourmark("context", "list", "--field", "name")
    assert (listed.code, listed.out.split()) == (0, list(two))
    assert hourmark("whoami", "--profile", "other").code == 0
    assert hourmark("status").code == 1
    assert hourmark("context", "use", "other").code == 0
    assert hourmark("whoami").code == 0


def test_it_cannot_be_kept(hourmark: Hourmark, two: dict[str, RoleKey], folder: Path) -> None:
    assert two
    (folder / "current").mkdir()
    done = hourmark("context", "use", "other", "-o", "json")
    assert (done.code, done.error["code"]) == (1, "profile_not_kept")
