"""A trust policy: which tokens of which issuer are taken, as clauses. A pure value.

All clauses have to hold, and a clause that is missing refuses. What a clause asks of is text: a claim that is
true, false or a whole number counts as JSON spells it, and a list holds if one of its items does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from issuer.outside.pattern import Pattern

Outcome = Literal["holds", "fails", "unchecked"]
_MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Check:
    """What became of one clause."""

    clause: str
    """`issuer`, `signature`, `time`, `audience`, `subject`, or `claim` and its name."""
    outcome: Outcome
    expected: str = ""
    found: str = ""
    reason: str = ""
    """Why it fails, or was not looked at."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a text has to be: this very one, or as a pattern says."""

    text: str
    pattern: Pattern | None = None

    @classmethod
    def matching(cls, text: str) -> Expected:
        """Raises InvalidPattern."""
        return cls(text, Pattern.parse(text))

    @property
    def is_pattern(self) -> bool:
        return self.pattern is not None

    def holds(self, text: str) -> bool:
        return text == self.text if self.pattern is None else self.pattern.matches(text)

    def __str__(self) -> str:
        return f"pattern {self.text}" if self.is_pattern else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """The clauses. None is one that is missing."""

    issuer: Expected | None
    subject: Expected | None
    audience: str | None
    claims: Mapping[str, Expected] = field(default_factory=dict, hash=False)
    """By the claim's name, or by a JSON Pointer (RFC 6901) to what is inside one."""

    @classmethod
    def from_members(cls, members: Mapping[str, Any]) -> TrustPolicy:
        """What `to_members` made. Raises InvalidPattern."""
        exact = {name: Expected(text) for name, text in members["claims"].items()}
        patterns = {name: Expected.matching(text) for name, text in members["claim_patterns"].items()}
        return cls(
            issuer=_one_of(members["issuer"], members["issuer_pattern"]),
            subject=_one_of(members["subject"], members["subject_pattern"]),
            audience=members["audience"],
            claims=exact | patterns,
        )

    def to_members(self) -> dict[str, Any]:
        """As JSON has them: an exact text under the clause's name, or a pattern under a name of its own."""
        return {
            "issuer": _exact(self.issuer),
            "issuer_pattern": _pattern(self.issuer),
            "subject": _exact(self.subject),
            "subject_pattern": _pattern(self.subject),
            "audience": self.audience,
            "claims": {name: each.text for name, each in self.claims.items() if not each.is_pattern},
            "claim_patterns": {name: each.text for name, each in self.claims.items() if each.is_pattern},
        }

    @classmethod
    def parse(cls, text: str) -> TrustPolicy:
        """What `str` made of one."""
        return cls.from_members(json.loads(text))

    def __str__(self) -> str:
        return json.dumps(self.to_members(), sort_keys=True)

    def is_for(self, issuer: str) -> bool:
        """Whether it may take tokens of this issuer."""
        return self.issuer is not None and self.issuer.holds(issuer)

    def check_issuer(self, issuer: str) -> Check:
        return _check("issuer", self.issuer, (issuer,))

    def check_claims(self, claims: Mapping[str, object]) -> Iterator[Check]:
        """Of all other clauses, in the order in which they narrow."""
        audience = None if self.audience is None else Expected(self.audience)
        yield _check("audience", audience, texts(claims.get("aud")))
        subject = claims.get("sub")
        yield _check("subject", self.subject, (subject,) if isinstance(subject, str) else ())
        for name, expected in self.claims.items():
            yield _check(f"claim {name}", expected, texts(find(claims, name)))


def find(claims: Mapping[str, object], name: str) -> object:
    """The value at a name, or at a JSON Pointer, which begins with `/`; None if there is none."""
    if not name.startswith("/"):
        return claims.get(name)
    value: object = claims
    for step in name[1:].split("/"):
        if not isinstance(value, dict):
            return None
        value = value.get(step.replace("~1", "/").replace("~0", "~"))
    return value


def texts(value: object) -> tuple[str, ...]:
    """What a claim says, as texts; none for what is not comparable."""
    if isinstance(value, list):
        return tuple(text for item in value if not isinstance(item, list) for text in texts(item))
    if isinstance(value, str):
        return (value,)
    return (json.dumps(value),) if isinstance(value, int) else ()


def _check(clause: str, expected: Expected | None, found: tuple[str, ...]) -> Check:
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in ", ".join(found))
    shown = shown[:_MAX_SHOWN]
    if expected is None:
        return Check(clause, "fails", found=shown, reason=f"the policy has no {clause}, and so takes none")
    if any(map(expected.holds, found)):
        return Check(clause, "holds", str(expected), shown)
    reason = "the token has another one" if found else "the token has none that is text, number or boolean"
    return Check(clause, "fails", str(expected), shown, reason)


def _one_of(exact: str | None, pattern: str | None) -> Expected | None:
    if pattern is not None:
        return Expected.matching(pattern)
    return None if exact is None else Expected(exact)


def _exact(expected: Expected | None) -> str | None:
    return None if expected is None or expected.is_pattern else expected.text


def _pattern(expected: Expected | None) -> str | None:
    return expected.text if expected is not None and expected.is_pattern else None
