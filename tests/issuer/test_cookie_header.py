"""How the Cookie header is read: as browsers write it, and where two readings are possible, not at all."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from issuer import cookie_header

NAME = "__Host-a"


def request(*headers: str) -> Request:
    sent = [(b"cookie", header.encode("latin-1")) for header in headers]
    return Request({"type": "http", "headers": sent})


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([f"{NAME}=1"], "1"),
        ([f"b=2; {NAME}=1;c=3"], "1"),
        ([f"b=2;\t{NAME} = 1 ;"], "1"),
        (["b=2", f"{NAME}=1"], "1"),
        ([f"{NAME}=1=="], "1=="),
        ([f'{NAME}="1"'], '"1"'),
        ([f"__host-a=2; {NAME}=1"], "1"),
        ([], ""),
        (["b=2"], ""),
        ([NAME], ""),
        ([f"b=2,{NAME}=1"], ""),
        ([f"={NAME}=1"], ""),
        # A browser takes these from any host that may set a cookie here.
        ([f"\xa0{NAME}=1"], ""),
        ([f"\x85{NAME}=1"], ""),
        ([f"{NAME}\xa0=1"], ""),
        ([f"\x1c{NAME}=1"], ""),
        ([f"\u00c2\xa0{NAME}=1"], ""),
        (["__host-a=1"], ""),
        # Which of two?
        ([f"{NAME}=1; {NAME}=2"], ""),
        ([f"{NAME}=1; {NAME}=1"], ""),
        ([f"{NAME}=; {NAME}=1"], ""),
        ([f"{NAME}=1", f"{NAME}=2"], ""),
    ],
)
def test_one_value_or_none(headers: list[str], expected: str) -> None:
    assert cookie_header.the_only(request(*headers), NAME) == expected


def test_all_of_them_in_their_order() -> None:
    assert list(cookie_header.pairs(request("a=1;; b=2 ;", "\tc; d="))) == ["a=1", "b=2", "c", "d="]
