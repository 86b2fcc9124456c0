"""F7: the status list is unreachable past its `exp`, then an older one is served, then the verifier restarts.

A strict verifier refuses with `revocation_stale`; a lenient one accepts up to its stated bound, counts that
and logs it. An older list is refused, also after a restart without any network. Who never had one is strict.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Lasting
from tests.vectors import PROJECT
from tests.verifier import forge
from tests.verifier.issuer_double import LIST, IssuerDouble, eventually, verdict
from verifier import Verifier

SERVICE = """
import json, sys
from verifier import TokenError, Verifier
url, audience, options, *tokens = sys.argv[1:]
def verdict(verifier, token):
    try:
        verifier.verify(token)
    except TokenError as error:
        return error.code
    return "good"
with Verifier(url, audience, **json.loads(options)) as verifier:
    print(json.dumps([verdict(verifier, token) for token in tokens]))
"""
OTHER = forge.INDEX + 1


def service(issuer: IssuerDouble, *tokens: str, **options: Any) -> list[str]:
    """What a service that starts now, in a process of its own, says of these tokens."""
    command = [sys.executable, "-c", SERVICE, issuer.url, forge.AUDIENCE, json.dumps(options), *tokens]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def token_of(issuer: IssuerDouble, index: int) -> str:
    return issuer.token(status={"status_list": {"idx": index, "uri": issuer.url + LIST}})


@pytest.fixture
def issuer() -> Iterator[IssuerDouble]:
    with IssuerDouble() as running:
        yield running


def gone(issuer: IssuerDouble) -> None:
    issuer.answers[LIST] = lambda request: request.send(b"", 503)


def until(verifier: Verifier, token: str, code: str) -> float:
    eventually(lambda: verdict(verifier, token) == code)
    return time.time()


def test_a_strict_verifier_refuses_once_the_list_has_expired(issuer: IssuerDouble, lasting: Lasting) -> None:
    token, lifetime = issuer.token(), int(lasting(2, 120))
    issuer.publish(lifetime=lifetime)
    expires_at = int(time.time()) + lifetime
    with issuer.verifier() as verifier:
        gone(issuer)
        while time.time() < expires_at - 0.5:
            assert verdict(verifier, token) == "good"
            time.sleep(0.01)
        assert until(verifier, token, "revocation_stale") - expires_at < 1
        issuer.answers.clear()
        issuer.publish()


def test_a_lenient_one_accepts_up_to_its_bound_and_says_so(
    issuer: IssuerDouble, lasting: Lasting, caplog: pytest.LogCaptureFixture
) -> None:
    token, lifetime, bound = issuer.token(), int(lasting(1, 60)), int(lasting(2, 120))
    issuer.publish(lifetime=lifetime)
    expires_at = int(time.time()) + lifetime
    with issuer.verifier(insecure_stale_list_seconds=bound) as verifier:
        gone(issuer)
        accepted_stale = 0
        while (now := time.time()) < expires_at + bound - 0.5:
            assert verdict(verifier, token) == "good"
            accepted_stale += now >= expires_at + 0.1
            time.sleep(0.01)
        assert verifier.stale_list_acceptances >= accepted_stale > 0
        assert [r.levelno for r in caplog.records if "expired" in r.message] == [logging.WARNING]
        assert until(verifier, token, "revocation_stale") - (expires_at + bound) < 1


@pytest.mark.parametrize("options", [{}, {"insecure_stale_list_seconds": 3600}], ids=["strict", "lenient"])
def test_an_older_list_is_refused_also_by_a_service_that_was_restarted_without_a_network(
    issuer: IssuerDouble, options: dict[str, Any], tmp_path: Path
) -> None:
    revoked, good = token_of(issuer, forge.INDEX), token_of(issuer, OTHER)
    options |= {"cache_path": str(tmp_path / "cache")}
    older = issuer.sign(version=4, lifetime=7200)
    issuer.publish(forge.INDEX, version=5)
    assert service(issuer, revoked, good, **options) == ["revoked", "good"]

    # Whoever holds the network serves the list from before the revocation, well signed and longer alive.
    issuer.answers[LIST] = lambda request: request.send(older, ETag='"4"')
    assert service(issuer, revoked, good, **options) == ["revoked", "good"]
    gone(issuer)
    issuer.close()
    assert service(issuer, revoked, good, **options, wait=0.2) == ["revoked", "good"]


@pytest.mark.parametrize("options", [{}, {"insecure_stale_list_seconds": 3600}], ids=["strict", "lenient"])
def test_who_never_had_a_list_accepts_nothing(issuer: IssuerDouble, options: dict[str, Any]) -> None:
    gone(issuer)
    assert service(issuer, issuer.token(), **options, wait=0.5) == ["revocation_stale"]


@pytest.mark.parametrize(
    ("options", "code"), [({}, "revocation_stale"), ({"insecure_stale_list_seconds": 3600}, "good")]
)
def test_a_restart_makes_no_list_younger(
    issuer: IssuerDouble, options: dict[str, Any], code: str, tmp_path: Path
) -> None:
    token = issuer.token()
    issuer.publish(lifetime=2)
    options |= {"cache_path": str(tmp_path / "cache")}
    with issuer.verifier(**options) as verifier:
        assert verdict(verifier, token) == "good"
    issuer.close()
    time.sleep(2)
    assert service(issuer, token, **options, wait=0.2) == [code]
