"""Whether the clock here is wrong, by what an answer says of the issuer's."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from holder import clock


def answer(*, behind: float = 0, **headers: str) -> httpx.Response:
    return httpx.Response(200, headers={"Date": formatdate(time.time() - behind, usegmt=True), **headers})


def test_how_far_it_is_off() -> None:
    assert clock.ahead(answer(behind=7200)) == pytest.approx(7200, abs=20)
    assert clock.ahead(answer(behind=-7200)) == pytest.approx(-7200, abs=20)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"behind": 10},
        {"behind": 7200, "Age": "7200"},
        {"Date": "soon"},
        {"Date": "Thu, 99 Nov 2026 10:00:00 GMT"},
    ],
    ids=["right", "nearly right", "from a cache", "no time", "no such day"],
)
def test_where_nothing_is_to_be_said(headers: dict[str, Any]) -> None:
    assert clock.ahead(answer(**headers)) is None


def test_an_answer_that_says_no_time() -> None:
    assert clock.ahead(httpx.Response(200)) is None
