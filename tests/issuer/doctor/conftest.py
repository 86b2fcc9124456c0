from __future__ import annotations

from pathlib import Path

import pytest

from tests.issuer.doctor.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A new issuer on SQLite, which was never served."""
    return World.make(tmp_path / "data")
