"""The commands that a document prints, for whoever copies them."""

from __future__ import annotations

import re

_INDENT = "    "
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b(?!=)|…")


def command_blocks(document: str) -> list[list[str]]:
    """The indented blocks outside of any fence, each as its lines; what goes on behind a backslash is one."""
    blocks: list[list[str]] = []
    within = False
    for line in _FENCE.sub("", document).replace("\\\n", "").splitlines():
        is_command = line.startswith(_INDENT) and bool(line.strip())
        if is_command and not within:
            blocks.append([])
        if is_command:
            blocks[-1].append(line.strip())
        within = is_command
    return blocks


def inline(document: str) -> list[str]:
    """All that stands between back-quotes, once each."""
    return list(dict.fromkeys(_INLINE.findall(document)))


def is_complete(command: str) -> bool:
    """Whether nothing has to be filled in first."""
    return _PLACEHOLDER.search(command) is None


def fenced_blocks(document: str, language: str) -> list[str]:
    return [text for named, text in _FENCE.findall(document) if named == language]
