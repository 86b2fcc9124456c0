"""How a verifier is made, and what it asks of its own refresh, which is replaced by one that takes notes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, ClassVar

import pytest

from tests.vectors import PROJECT
from tests.verifier import forge
from tests.verifier.forge import AUDIENCE, ISSUER, NOW, verdict
from verifier import Trust, Verifier

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"issuer": ""}, "must not be empty"),
        ({"audience": ""}, "must not be empty"),
        ({"audience": []}, "must not be empty"),
        ({"audience": [AUDIENCE, ""]}, "must not be empty"),
        ({"leeway": -1}, "leeway is between 0 and 60 seconds"),
        ({"leeway": 61}, "leeway is between 0 and 60 seconds"),
        ({"leeway": NAN}, "leeway is between 0 and 60 seconds"),
        ({"leeway": INF}, "leeway is between 0 and 60 seconds"),
        ({"status": "ignored"}, 'status is "required" or "optional"'),
        ({"status": None}, 'status is "required" or "optional"'),
        ({"issuer": "https://other.example"}, "trust is another issuer's"),
        ({"trust": None, "algorithms": ("none",)}, "algorithms must be some of"),
        ({"algorithms": ("ES256",)}, "trust accepts more algorithms than these"),
        ({"algorithms": ()}, "trust accepts more algorithms than these"),
        *(({"max_lifetime": seconds}, "are positive and have an end") for seconds in (0, -1, INF, NAN)),
        *(({"max_keys_age": seconds}, "are positive and have an end") for seconds in (0, -1, INF, NAN)),
        *(({"insecure_stale_list_seconds": seconds}, "has an end") for seconds in (-1, INF, NAN)),
    ],
)
def test_arguments_that_would_verify_nothing_or_too_much(arguments: dict[str, Any], reason: str) -> None:
    good: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "trust": forge.trust()}
    with pytest.raises(ValueError, match=reason):
        Verifier(**good | arguments)


@pytest.mark.parametrize(
    "audience", [AUDIENCE, [AUDIENCE], ("x", AUDIENCE), {"x", AUDIENCE}, iter(["x", AUDIENCE])]
)
def test_a_service_may_have_several_names(audience: Any) -> None:
    it = Verifier(ISSUER, audience, trust=forge.trust())
    assert verdict(forge.token(aud=["y", AUDIENCE]), it) == "accepted"
    assert verdict(forge.token(aud="y"), it) == "wrong_audience"


def test_trust_may_accept_fewer_algorithms_than_the_verifier_would() -> None:
    for algorithms in (("ES256",), ("ES256", "RS256")):
        it = Verifier(ISSUER, AUDIENCE, trust=forge.trust(algorithms=["ES256"]), algorithms=algorithms)
        assert verdict(forge.token(), it) == "accepted"


def test_fixed_trust_needs_no_network_stack() -> None:
    program = "import sys, verifier\nv = verifier.Verifier('i', 'a', trust=verifier.Trust('i'))\nv.close()\n"
    program += "raise SystemExit(not {'httpx', 'asyncio', 'verifier.refresh'}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=PROJECT).returncode == 0


class Notes:
    made: ClassVar[list[Notes]] = []

    def __init__(self, trust: Trust, cache_path: object) -> None:
        self.trust = trust
        self.calls: list[object] = [("made", cache_path)]
        self.made.append(self)

    def start(self, wait: float) -> None:
        self.calls.append(("start", wait))

    def request_keys(self) -> None:
        self.calls.append("request_keys")

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> type[Notes]:
    monkeypatch.setattr("verifier.refresh.Refresher", Notes)
    monkeypatch.setattr(Notes, "made", [])
    return Notes


def test_without_documents_there_are_no_keys_yet(notes: type[Notes]) -> None:
    with Verifier(ISSUER, AUDIENCE, wait=2, cache_path="cache", algorithms=["ES256"]) as verifier:
        assert verdict(forge.token(), verifier, now=NOW) == "keys_unavailable"
        assert verdict("a.b", verifier, now=NOW) == "malformed"
        assert verifier.trust.algorithms == {"ES256"}
        verifier.trust.update_keys(forge.jwks(), now=NOW)
        assert verdict(forge.token(), verifier, now=NOW) == "revocation_stale"
        verifier.trust.update_status_list(forge.status_list(), now=NOW)
        assert verdict(forge.token(), verifier, now=NOW) == "accepted"
    assert notes.made[0].trust is verifier.trust
    assert notes.made[0].calls == [("made", "cache"), ("start", 2), "close"]
    assert verdict(forge.token(), verifier, now=NOW) == "accepted"


def test_an_unknown_key_asks_for_fresh_keys_and_nothing_else_does(notes: type[Notes]) -> None:
    verifier = Verifier(ISSUER, AUDIENCE, wait=0)
    verifier.trust.update_keys(forge.jwks(), now=NOW)
    asked = notes.made[0].calls
    for changes in ({"alg": "none"}, {"typ": "JWT", "kid": "other"}, {"crit": [], "kid": "other"}):
        assert verdict(forge.with_header(**changes), verifier) in ("bad_algorithm", "wrong_type", "malformed")
    assert "request_keys" not in asked
    assert verdict(forge.with_header(kid="other"), verifier) == "unknown_key"
    assert asked.count("request_keys") == 1
    verifier.close()


def test_a_forgotten_verifier_ends_its_refresh(notes: type[Notes]) -> None:
    Verifier(ISSUER, AUDIENCE)
    assert notes.made[0].calls == [("made", None), ("start", 5.0), "close"]


@pytest.mark.parametrize(("options", "age"), [({"max_keys_age": 100}, 100), ({}, 86400)])
def test_keys_are_trusted_only_so_long_without_word_from_the_issuer(
    notes: type[Notes], options: dict[str, Any], age: int
) -> None:
    verifier = Verifier(ISSUER, AUDIENCE, **options)
    verifier.trust.update_keys(forge.jwks(), now=NOW)
    verifier.trust.update_status_list(forge.status_list(exp=NOW * 2), now=NOW)
    raw = forge.token(iat=NOW + age, exp=NOW + age + 600)
    assert verdict(raw, verifier, now=NOW + age) == "accepted"
    assert verdict(raw, verifier, now=NOW + age + 1) == "keys_unavailable"
    verifier.trust.update_keys(forge.jwks(), now=NOW + 50)
    assert verdict(raw, verifier, now=NOW + age + 50) == "accepted"
    assert verdict(raw, verifier, now=NOW + age + 51) == "keys_unavailable"
    verifier.close()
    assert notes.made


def test_closing_with_fixed_trust_changes_nothing() -> None:
    with forge.verifier() as it:
        pass
    it.close()
    assert verdict(forge.token(), it) == "accepted"


def test_fixed_keys_do_not_age() -> None:
    verifier = forge.verifier(forge.status_list(exp=NOW * 2), max_keys_age=1)
    later = NOW + 10**8
    assert verdict(forge.token(iat=later, exp=later + 60), verifier, now=later) == "accepted"
