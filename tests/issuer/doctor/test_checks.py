"""What is found in plain data."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from issuer.doctor import clocks, files, signing_keys, status_list
from issuer.doctor.status_list import Stored
from keys import Policy, RingKey
from tests.issuer.doctor.world import FAILURE, OK, WARNING
from verifier.status_list import ENTRIES

MIB, NOW = 1024 * 1024, 1_800_000_000
POLICY = Policy(publish_for=10, sign_for=100, retire_for=50)


@pytest.mark.parametrize(
    ("free", "size", "level"),
    [
        (99 * MIB, MIB, FAILURE),
        (100 * MIB, MIB, WARNING),
        (1023 * MIB, MIB, WARNING),
        (1024 * MIB, MIB, OK),
        (2000 * MIB, 2001 * MIB, WARNING),
        (2001 * MIB, 2001 * MIB, OK),
    ],
)
def test_free_space(free: int, size: int, level: str) -> None:
    assert files.free_space(Path("/data/hourmark.db"), free, size).level == level


@pytest.mark.parametrize(
    ("mode", "level"),
    [(0o600, OK), (0o400, OK), (0o640, WARNING), (0o440, WARNING), (0o620, FAILURE), (0o601, FAILURE)],
)
def test_permissions(mode: int, level: str) -> None:
    assert files.permissions("x", Path("/data/x"), 0o100000 | mode).level == level


@pytest.mark.parametrize(
    ("ahead", "level", "said"),
    [
        (0, OK, "agrees"),
        (-5, OK, "agrees"),
        (5.5, WARNING, "ahead of"),
        (-30, WARNING, "behind"),
        (31, FAILURE, "31 s ahead of"),
        (-3600, FAILURE, "3600 s behind"),
    ],
)
def test_clocks(ahead: float, level: str, said: str) -> None:
    found = clocks.agree("clock", "the database's", ahead)
    assert (found.level, said in found.said) == (level, True)


@pytest.mark.parametrize(
    ("ring", "now", "level"),
    [
        ([], 0, FAILURE),
        ([(0, 0, 5)], 6, FAILURE),
        ([(0, 0)], 100, WARNING),
        ([(0, 0)], 101, FAILURE),
        ([(0, 0), (80, 100)], 99, OK),
        ([(0, 0), (80, 100)], 100, WARNING),
        ([(0, 0), (80, 100)], 201, FAILURE),
        ([(0, 0, 50), (40, 100)], 60, WARNING),
        ([(0, 0, 50), (40, 100), (50, 200)], 60, OK),
    ],
)
def test_succession(ring: list[tuple[int, ...]], now: int, level: str) -> None:
    keys = [RingKey(str(number), *row) for number, row in enumerate(ring)]
    assert signing_keys.succession("tokens", keys, now, POLICY).level == level


@pytest.mark.parametrize(
    ("version", "signed_version", "age", "level"),
    [
        (1, 0, 0, WARNING),
        (2, 1, 0, FAILURE),
        (2, 2, 0, OK),
        (2, 2, 1800 + 60, OK),
        (2, 2, 1800 + 61, WARNING),
        (2, 2, 3599, WARNING),
        (2, 2, 3600, FAILURE),
    ],
)
def test_freshness(version: int, signed_version: int, age: int, level: str) -> None:
    found = status_list.freshness(Stored(version, signed_version, NOW - age, 100), NOW, 3600)
    assert found.level == level


@pytest.mark.parametrize(
    ("share", "level"), [(0, OK), (0.79, OK), (0.81, WARNING), (0.94, WARNING), (0.96, FAILURE), (1, FAILURE)]
)
def test_room(share: float, level: str) -> None:
    assert status_list.room(int(share * ENTRIES)).level == level


def test_what_is_written_about_time_is_utc() -> None:
    found = status_list.freshness(Stored(1, 1, 0, 100), int(time.time()), 3600)
    assert "1970-01-01T00:00:00Z" in found.said
