"""Permissions and requests over an alphabet so small that they meet, and that all requests can be tried.

Each permission that can be written here differs from each other one in at least one of these requests.
"""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st

from verifier import Permission, Scope

Request = tuple[str, str, frozenset[tuple[str, str]]]

_NOUNS = ("app", "job")
_VERBS = ("get", "query")
_RESOURCES = ("a", "ab", "abc", "b", "bc", "*")
_X = (None, "1", "2")
_Y = (None, "1")

REQUESTS: tuple[Request, ...] = tuple(
    (f"{noun}:{verb}", resource, frozenset((name, value) for name, value in (("x", x), ("y", y)) if value))
    for noun, verb, resource, x, y in product(_NOUNS, _VERBS, _RESOURCES, _X, _Y)
)


def allowed(what: Permission | Scope | None) -> frozenset[Request]:
    """All requests that it allows."""
    if what is None:
        return frozenset()
    return frozenset(
        (action, resource, labels)
        for action, resource, labels in REQUESTS
        if what.covers(action, resource, dict(labels))
    )


_names = st.sampled_from(("a", "ab", "b", "a*", "ab*", "b*", "*", ""))
_selectors = st.lists(st.sampled_from(("x=1", "x=2", "y=1")), max_size=3).map(
    lambda labels: f"[{','.join(labels)}]" if labels else ""
)
_resources = st.tuples(_names, _selectors).map("".join).map(lambda resource: resource or "*")
texts = st.builds(
    "{}:{}@{}".format, st.sampled_from((*_NOUNS, "*")), st.sampled_from((*_VERBS, "*")), _resources
)
permissions = texts.map(Permission.parse)
words = st.sampled_from(("openid", "data:get", "profile"))
scopes = st.lists(texts | words, max_size=4).map(" ".join).map(Scope.parse)
