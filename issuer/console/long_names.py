"""Names as pages show them: long ones go on in the next line where people would part them."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from keys.secret import ROLE_KEY_PREFIX

_JOINT = re.compile(r"(?<=\w[.:/@])(?=\w)")


def actor(name: str) -> Markup:
    """Who did something: a user or role by name, a role key by how it begins."""
    if not name.startswith(ROLE_KEY_PREFIX):
        return breakable(name)
    return Markup('<span title="{}">key {}…</span>').format(name, name[: len(ROLE_KEY_PREFIX) + 4])


def breakable(text: str) -> Markup:
    """A line may end behind the dots and colons within a name; whoever copies it gets the name alone."""
    return Markup("<wbr>").join(escape(part) for part in _JOINT.split(text))
