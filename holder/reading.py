"""From an answer's JSON to a value of `answers`.

Members that are not known there are passed over, so that an issuer may be newer than its holders.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import TypeVar, get_args, get_origin, get_type_hints

A = TypeVar("A")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""No text of an issuer has these: they would steer the terminal that shows it."""


class MalformedAnswer(ValueError):
    """JSON that is not what was asked for; the message names the member, never its value."""


def read(kind: type[A], answer: object) -> A:
    """`answer` as a value of a class of `answers`. Raises MalformedAnswer."""
    if not isinstance(answer, Mapping):
        raise MalformedAnswer("the answer is not a JSON object")
    members: dict[str, object] = {}
    for name, (hint, required) in _members(kind).items():
        if name not in answer and required:
            raise MalformedAnswer(f"{name} is missing")
        if name in answer:
            members[name] = _member(name, answer[name], hint)
    return kind(**members)


def read_page(kind: type[A], answer: object) -> tuple[list[A], str | None]:
    """One page of a list, and the cursor of the next one. Raises MalformedAnswer."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("items"), list):
        raise MalformedAnswer("items is missing")
    following = answer.get("next_cursor")
    if not isinstance(following, str | None):
        raise MalformedAnswer("next_cursor is not of its kind")
    return [read(kind, item) for item in answer["items"]], following or None


def read_metadata(answer: object) -> Mapping[str, str]:
    """What is text in the issuer's metadata (RFC 8414). Raises MalformedAnswer."""
    if not isinstance(answer, Mapping):
        raise MalformedAnswer("the metadata is not a JSON object")
    return {name: text for name, text in answer.items() if isinstance(text, str)}


def _members(kind: type[object]) -> dict[str, tuple[object, bool]]:
    """Of each member its type and whether it is required."""
    hints = get_type_hints(kind)
    return {
        member.name: (hints[member.name], member.default is member.default_factory is MISSING)
        for member in fields(kind)  # type: ignore[arg-type]  # they are dataclasses
    }


def _member(name: str, value: object, hint: object) -> object:
    """Raises MalformedAnswer."""
    item = get_args(hint)[0] if get_origin(hint) is list else None
    if isinstance(item, type) and is_dataclass(item) and isinstance(value, list):
        return [read(item, each) for each in value]
    if not _is(value, hint):
        raise MalformedAnswer(f"{name} is not of its kind")
    return value


def _is(value: object, hint: object) -> bool:
    if isinstance(hint, UnionType):
        return any(_is(value, each) for each in get_args(hint))
    if get_origin(hint) is list:
        return isinstance(value, list) and all(_is(item, str) for item in value)
    if get_origin(hint) is dict:
        return isinstance(value, dict) and all(_is(each, str) for pair in value.items() for each in pair)
    if hint is str:
        return isinstance(value, str) and _CONTROL.search(value) is None
    return isinstance(value, hint) if isinstance(hint, type) else False
