"""What is asked about on the command line must be one request."""

from __future__ import annotations

import pytest

from holder.decision import parse_request
from holder.errors import UsageError


@pytest.mark.parametrize(
    "text", ["*", "data:*@x", "data:get@x*", "data:get@[a=1]", "data:get@x[a=1,a=2]", "d"]
)
def test_more_or_less_than_one_request(text: str) -> None:
    with pytest.raises(UsageError):
        parse_request(text)
