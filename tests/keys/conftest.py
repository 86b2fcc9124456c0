from __future__ import annotations

import pytest

from keys import ALGORITHMS, SigningKey


@pytest.fixture(scope="session", params=sorted(ALGORITHMS))
def signing_key(request: pytest.FixtureRequest) -> SigningKey:
    """A fresh key of every algorithm in turn, made once: RSA keys are slow to make."""
    return SigningKey.generate(request.param)
