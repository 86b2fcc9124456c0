"""Permissions: what may be done to what. The grammar, and an algebra closed under intersection.

    permission = "*" / action "@" resource
    action     = ( word / "*" ) ":" ( word / "*" )
    resource   = ( name [ "*" ] / "*" ) [ selector ] / selector
    selector   = "[" label *( "," label ) "]"
    label      = labelname "=" labelvalue

A trailing "*" is a prefix match, a bare selector means "*", a selector is a conjunction. Every character is
one that an OAuth scope token may hold (RFC 6749 section 3.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_WORD = r"[a-z0-9-]+|\*"
_NAME = r"[A-Za-z0-9\-._~:/+%!$&'();=?]"
_LABEL = r"[A-Za-z0-9\-._/:]+"
_FORM = re.compile(
    rf"({_WORD}):({_WORD})@"
    rf"(?:({_NAME}*)(\*)?)"
    rf"(?:\[({_LABEL}={_LABEL}(?:,{_LABEL}={_LABEL})*)\])?",
    re.ASCII,
)
_ACTION = re.compile(r"([a-z0-9-]+):([a-z0-9-]+)", re.ASCII)
_RESOURCE = re.compile(rf"{_NAME}+|\*", re.ASCII)
_LABEL_FORM = re.compile(_LABEL, re.ASCII)
_NO_LABELS: Mapping[str, str] = {}


class InvalidPermission(ValueError):
    """A text that is no permission; the message shows the form."""


@dataclass(frozen=True, slots=True)
class Permission:
    """An immutable set of requests (action, resource, labels). `str()` is its one canonical spelling."""

    noun: str
    verb: str
    name: str
    """Exact, or with `is_prefix` the beginning."""
    is_prefix: bool
    labels: tuple[tuple[str, str], ...]
    """Sorted, without repetition. A label with two values is a contradiction: nothing matches."""

    @classmethod
    def parse(cls, text: str) -> Permission:
        """Raises InvalidPermission."""
        if text == "*":
            return EVERYTHING
        match = _FORM.fullmatch(text)
        if match is None or not (match[3] or match[4] or match[5]):
            raise InvalidPermission(
                f"{text[:100]!r} is not a permission: write action@resource, for example data:get@my-set, "
                "app:query@*[group=A], job:*@team/* or *"
            )
        noun, verb, name, star, selector = match.groups()
        labels = tuple(sorted(set(_split_selector(selector))))
        return cls(noun, verb, name, star is not None or not name, labels)

    def __str__(self) -> str:
        if self == EVERYTHING:
            return "*"
        selector = ",".join(f"{name}={value}" for name, value in self.labels)
        star = "*" if self.is_prefix else ""
        return f"{self.noun}:{self.verb}@{self.name}{star}" + (f"[{selector}]" if selector else "")

    def covers(self, action: str, resource: str, labels: Mapping[str, str] = _NO_LABELS) -> bool:
        """Whether it allows `action` ("noun:verb") on `resource`, which carries `labels`.

        An action or resource outside the grammar is never covered. A resource without a label never matches
        a selector that names it. The resource "*" stands for all of them together.
        """
        form = _ACTION.fullmatch(action)
        return (
            form is not None
            and self.noun in ("*", form[1])
            and self.verb in ("*", form[2])
            and (resource.startswith(self.name) if self.is_prefix else resource == self.name)
            and all(labels.get(name) == value for name, value in self.labels)
            and _RESOURCE.fullmatch(resource) is not None
        )

    def __and__(self, other: Permission) -> Permission | None:
        """What both allow; None when that is nothing."""
        noun, verb = _meet(self.noun, other.noun), _meet(self.verb, other.verb)
        name = self if self.is_named_within(other) else other if other.is_named_within(self) else None
        if noun is None or verb is None or name is None:
            return None
        labels = {*self.labels, *other.labels}
        if len(dict(labels)) != len(labels):
            return None
        return Permission(noun, verb, name.name, name.is_prefix, tuple(sorted(labels)))

    def __le__(self, other: Permission) -> bool:
        """Whether everything that it allows, `other` allows."""
        return self.is_contradictory or (
            other.noun in ("*", self.noun)
            and other.verb in ("*", self.verb)
            and self.is_named_within(other)
            and len(other.labels) <= len(self.labels)
            and set(other.labels) <= set(self.labels)
        )

    def is_named_within(self, other: Permission) -> bool:
        """Whether each resource name that it matches, `other` matches."""
        if other.is_prefix:
            return self.name.startswith(other.name)
        return not self.is_prefix and self.name == other.name

    @property
    def is_contradictory(self) -> bool:
        """Whether it permits nothing because a label would need two values."""
        return len(self.labels) > 1 and len(dict(self.labels)) != len(self.labels)


EVERYTHING = Permission("*", "*", "", True, ())


def is_request(action: str, resource: str) -> bool:
    """Whether it is of the form that a permission can cover."""
    return _ACTION.fullmatch(action) is not None and _RESOURCE.fullmatch(resource) is not None


def is_label(text: str) -> bool:
    """Whether `text` can be the name or the value of a label."""
    return _LABEL_FORM.fullmatch(text) is not None


def _split_selector(selector: str | None) -> list[tuple[str, str]]:
    labels = (label.partition("=") for label in selector.split(",")) if selector else ()
    return [(name, value) for name, _, value in labels]


def _meet(one: str, other: str) -> str | None:
    if other in (one, "*"):
        return one
    return other if one == "*" else None
