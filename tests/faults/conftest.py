"""The faults of the shared faults.json, each as a file that names its id and what must hold.

    scripts/test tests/faults                               a short form, of some seconds each
    HOURMARK_TEST_FULL_FAULTS=1 scripts/test tests/faults   as long as faults.json says, hours in all

What a fault costs in time is measured and shown when the run ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.journeys import conftest as journeys

measured = journeys.measured
Lasting = Callable[[float, float], float]


@pytest.fixture
def lasting() -> Lasting:
    """`lasting(short, full)`: seconds, by the form in which the faults are run."""
    full_form = os.environ.get("HOURMARK_TEST_FULL_FAULTS") == "1"
    return lambda short, full: full if full_form else short
