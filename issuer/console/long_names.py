"""Names as pages show them: long ones go on in the next line where people would part them."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_JOINT = re.compile(r"(?<=\w[.:/@])(?=\w)")


def breakable(text: str) -> Markup:
    """A line may end behind the dots and colons within a name; whoever copies it gets the name alone."""
    return Markup("<wbr>").join(escape(part) for part in _JOINT.split(text))
