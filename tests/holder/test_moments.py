"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from holder.cli.moments import parse_duration, parse_moment, rfc3339, roughly
from holder.errors import UsageError

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90d", "2027-01-30T12:00:00Z"),
        ("24h", "2026-11-02T12:00:00Z"),
        ("2w", "2026-11-15T12:00:00Z"),
        ("2027-01-01", "2027-01-01T00:00:00Z"),
        ("2027-01-01T12:30", "2027-01-01T12:30:00Z"),
        ("2027-01-01T12:30:00+02:00", "2027-01-01T10:30:00Z"),
        ("2027-01-01T12:30:00Z", "2027-01-01T12:30:00Z"),
    ],
)
def test_moments(text: str, moment: str) -> None:
    assert parse_moment(text, "--expires", NOW) == moment


@pytest.mark.parametrize(
    "text", ["", "90", "d", "-1d", "0d", "1.5d", "9999999w", "2026-11-01", "2027-13-01", "٣d"]
)
def test_no_moments(text: str) -> None:
    with pytest.raises(UsageError, match="--expires"):
        parse_moment(text, "--expires", NOW)


def test_durations() -> None:
    assert parse_duration("90m", "--grace") == timedelta(minutes=90)
    with pytest.raises(UsageError, match="--grace"):
        parse_duration("2027-01-01", "--grace")


def test_times_for_people() -> None:
    assert rfc3339(1_800_000_000) == "2027-01-15T08:00:00Z"
    assert [roughly(seconds) for seconds in (59.6, 119, 3599, 7200, 90000, 172800)] == [
        "60 seconds",
        "119 seconds",
        "59 minutes",
        "2 hours",
        "25 hours",
        "2 days",
    ]
