"""What pages of other origins may read: the public documents, and nothing else."""

from __future__ import annotations

import pytest

from issuer.app import ROWS
from issuer.published import ROWS as PUBLISHED
from tests.issuer.http.world import World

ORIGIN = "https://page.example"
DOCUMENTS = sorted({row.path.format(number=1) for row in PUBLISHED})
OTHERS = sorted({row.path for row in ROWS} - {row.path for row in PUBLISHED})


@pytest.mark.parametrize("path", DOCUMENTS)
def test_any_page_may_read_a_public_document_and_its_version(world: World, path: str) -> None:
    answer = world.nobody.get(path, headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert "ETag" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_any_page_may_ask_for_news_of_a_public_document(world: World, path: str) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match, prefer",
    }
    answer = world.nobody.options(path, headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")} == {
        "if-none-match",
        "prefer",
    }
    assert "POST" not in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize("path", OTHERS)
def test_nothing_else_is_for_other_origins(world: World, path: str) -> None:
    names = {
        "app": "none",
        "version": "x",
        "provider": "none",
        "consent": 1,
        "sign_in": 1,
        "id": "hmk_x",
        "job": "job_x",
        "trust": "trust_x",
        "visit": 1,
    }
    place = path.format(role="org.account.nobody", access="hmk_x", policy=1, user="nobody", **names)
    for method in ("GET", "POST", "OPTIONS"):
        answer = world.nobody.request(
            method, place, headers={"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
        )
        assert not [name for name in answer.headers if name.startswith("access-control-")], (method, path)
    assert world.nobody.options(place).status_code == 405
