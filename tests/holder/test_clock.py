"""Whether the clock here is wrong, by what an answer says of the issuer's."""

from __future__ import annotations

import time
from email.utils import formatdate

import httpx
import pytest

from holder import clock


def answer(*, behind: float = 0, **headers: str) -> httpx.Response:
    return httpx.Response(200, headers={"Date": formatdate(time.time() - behind, usegmt=True), **headers})


def test_how_far_it_is_off() -> None:
    assert clock.ahead(answer(behind=7200)) == pytest.approx(7200, abs=20)
    assert clock.ahead(answer(behind=-7200)) == pytest.approx(-7200, abs=20)


@pytest.mark.parametrize(
    "said",
    [
        answer(),
        answer(behind=10),
        answer(behind=7200, Age="7200"),
        answer(Date="soon"),
        answer(Date="Thu, 99 Nov 2026 10:00:00 GMT"),
        httpx.Response(200),
    ],
    ids=["right", "nearly right", "from a cache", "no time", "no such day", "nothing"],
)
def test_where_nothing_is_to_be_said(said: httpx.Response) -> None:
    assert clock.ahead(said) is None
