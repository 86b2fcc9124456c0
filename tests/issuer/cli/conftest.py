from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.issuer.cli.command import hourmarkd


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of an issuer that is initialised and was never served."""
    folder = tmp_path_factory.mktemp("made")
    assert hourmarkd("init --admin admin", folder).code == 0
    return folder


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield str(listener.getsockname()[1])
