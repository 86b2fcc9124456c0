"""What the issuers of a test session answered, whoever asked them, compared with their OpenAPI document.

Their own processes record it (tests/recording), so nobody who starts or asks one has to do anything for it.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.described import Answer, differences
from tests.recording import sitecustomize

_RECORDING = str(Path(sitecustomize.__file__).parent)
_TOLD = 20
"""Answers that one failure names, at most."""
_JUST_NOW = 8192
"""Bytes at the end of a file that hold the line of a moment ago."""


class NotDescribed(AssertionError):
    """Answers that the document does not foresee; the message says where they differ."""


class Recorded:
    """The answers in a folder, each of which is looked at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, int] = {}
        """Bytes, by file."""

    def pass_over(self) -> None:
        """Leaves out what has come so far."""
        with os.scandir(self._folder) as files:
            self._read |= {file.name: file.stat().st_size for file in files}

    def compare(self) -> None:
        """Compares what has come since the last time. Raises NotDescribed."""
        compared = ((answer, differences(answer)) for answer in self.new())
        # A load may be given the same wrong answer again and again: it is told once.
        told = dict.fromkeys(f"{answer}: {'; '.join(found)}" for answer, found in compared if found)
        if told:
            raise NotDescribed("\n".join(["not what the OpenAPI document says:", *list(told)[:_TOLD]]))

    def new(self) -> Iterator[Answer]:
        """What has come since the last time, of each process in its order."""
        with os.scandir(self._folder) as files:
            grown = [file for file in files if file.stat().st_size > self._read.get(file.name, 0)]
        for file in grown:
            with Path(file).open("rb") as lines:
                lines.seek(self._read.get(file.name, 0))
                # An end without a newline is being written, or was when its process was killed.
                whole, newline, _ = lines.read().rpartition(b"\n")
            self._read[file.name] = self._read.get(file.name, 0) + len(whole + newline)
            yield from map(_answer, whole.splitlines())


def _answer(line: bytes) -> Answer:
    read = json.loads(line)
    headers: dict[str, list[str]] = {}
    for name, value in read["headers"]:
        headers.setdefault(name.lower(), []).append(value)
    return Answer(
        read["method"],
        read["path"],
        read["raw_path"],
        read["status"],
        {name: ", ".join(values) for name, values in headers.items()},  # RFC 9110 section 5.3
        base64.b64decode(read["body"]),
    )


@contextmanager
def recorded(folder: Path) -> Iterator[Recorded]:
    """Has every issuer that is started within the block record its answers in `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(sitecustomize.NAME, str(folder))
        modules = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if _RECORDING not in modules:
            patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [_RECORDING, *modules])))
        found = Recorded(folder)
        yield found
        found.compare()


def is_recorded(request_id: str) -> bool:
    """Whether an issuer has just recorded its answer to this request."""
    return any(request_id.encode() in _end(file) for file in Path(os.environ[sitecustomize.NAME]).iterdir())


def _end(file: Path) -> bytes:
    with file.open("rb") as lines:
        lines.seek(max(0, lines.seek(0, os.SEEK_END) - _JUST_NOW))
        return lines.read()
