"""A device that waits to be let in goes on when its issuer is away for a while (RFC 8628 section 3.5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from types import SimpleNamespace

import pytest

from holder import authorization
from holder.authorization_server import AuthorizationServer
from holder.errors import Unreachable
from tests.holder.issuer_double import IssuerDouble

Answer = tuple[int, dict[str, str], bytes]


def told(status: int, **body: object) -> Answer:
    return status, {}, json.dumps(body).encode()


PENDING = told(400, error="authorization_pending")
SLOW_DOWN = told(400, error="slow_down")
AWAY = told(503, code="temporarily_unavailable")
SOMETHING_ELSE: Answer = (200, {}, b"<h1>Sign in to this network</h1>")
GRANTED = told(200, access_token="t", token_type="Bearer", expires_in=3600, scope="", refresh_token="hmr_r")


@pytest.fixture
def wait(issuer: IssuerDouble, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """Waits while the issuer gives these answers, the last one again and again; returns the pauses."""

    def run(*answers: Answer) -> list[float]:
        metadata = {
            "token_endpoint": f"{issuer.url}/v1/token",
            "device_authorization_endpoint": f"{issuer.url}/v1/device",
        }
        issuer.instead["GET /.well-known/openid-configuration"] = told(200, **metadata)
        issuer.instead["POST /v1/device"] = told(
            200,
            device_code="hmd_d",
            user_code="WDJB-MJHT",
            verification_uri=f"{issuer.url}/device",
            expires_in=600,
            interval=5,
        )
        left, pauses, now = list(answers), list[float](), [0.0]

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            now[0] += seconds
            issuer.instead["POST /v1/token"] = left.pop(0) if len(left) > 1 else left[0]

        clock = SimpleNamespace(sleep=sleep, monotonic=lambda: now[0])
        with monkeypatch.context() as patch, closing(AuthorizationServer(issuer.url)) as server:
            patch.setattr(authorization, "time", clock)
            assert authorization.by_device(server, lambda _: None).refresh_token == "hmr_r"
        return pauses

    return run


def test_it_asks_less_often_and_goes_on(wait: Callable[..., list[float]]) -> None:
    assert wait(PENDING, AWAY, SOMETHING_ELSE, AWAY, PENDING, GRANTED) == [5, 5, 10, 20, 30, 30]
    assert wait(PENDING, SLOW_DOWN, GRANTED) == [5, 5, 10]


def test_it_says_in_the_end_that_nobody_answers(wait: Callable[..., list[float]]) -> None:
    with pytest.raises(Unreachable):
        wait(PENDING, AWAY)
