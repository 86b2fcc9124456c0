"""Answers that hold objects: read as deep as they go, and refused where they are not of their kind."""

from __future__ import annotations

from typing import Any

import pytest

from holder import answers
from holder.reading import MalformedAnswer, read

FINDING = {"level": "doubt", "clause": "subject", "why": "a", "instead": "b"}


def test_objects_within_an_answer_become_values() -> None:
    found = read(answers.TrustFindings, {"role": "r", "findings": [FINDING | {"unknown": 1}], "newer": True})
    assert found.findings == [answers.TrustFinding(**FINDING)]


@pytest.mark.parametrize(
    "findings",
    [
        None,
        {},
        "x",
        ["x"],
        [None],
        [{}],
        [FINDING | {"why": 1}],
        [FINDING | {"why": "\x1b[2J"}],
        [FINDING, FINDING | {"level": None}],
    ],
)
def test_what_is_not_of_its_kind_is_refused(findings: Any) -> None:
    with pytest.raises(MalformedAnswer):
        read(answers.TrustFindings, {"role": "r", "findings": findings})
