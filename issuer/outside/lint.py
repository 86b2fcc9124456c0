"""What is wrong with a trust policy before any token comes: what it says, why that is bad, what to write
instead.

A danger is never made; a doubt is, and stays in view. A pure function: nothing is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from issuer.outside import naming, subjects
from issuer.outside.address import Addresses, RefusedAddress
from issuer.outside.finding import Finding
from issuer.outside.pattern import WILDCARD, InvalidPattern, Pattern, split
from issuer.outside.policy import Expected, TrustPolicy

MAX_TEXT = 1024
"""Characters of one clause."""
_OF_EXPRESSIONS = re.compile(r"\.\*|[|^$()\[\]{}\\?+]")
_OWN_CLAUSES = {"iss": "issuer", "sub": "subject", "aud": "audience"}
_TIMES = frozenset({"exp", "iat", "nbf"})


def lint(policy: TrustPolicy, addresses: Addresses, own_issuer: str) -> list[Finding]:
    """All that is wrong with it, dangers first. own_issuer: whose roles it would open."""
    subject = () if policy.subject is None else _text("subject", policy.subject)
    found = [
        *_issuer(policy.issuer, addresses, own_issuer),
        *subject,
        *subjects.look_over(policy),
        *_audience(policy.audience),
        *_claims(policy),
    ]
    return sorted(found, key=lambda finding: finding.level)


def crossing(patterns: Mapping[str, str | None]) -> list[Finding]:
    """Of texts by their clauses those that are no patterns; nothing else can be said of a policy with one."""
    found = []
    for clause, text in patterns.items():
        try:
            Pattern.parse(text or "")
        except InvalidPattern as error:
            instead = "write each segment out, or a policy each"
            found.append(Finding("danger", clause, str(error), instead))
    return found


def _issuer(issuer: Expected | None, addresses: Addresses, own_issuer: str) -> Iterator[Finding]:
    if issuer is None:
        yield Finding(
            "danger", "issuer", "it is missing", "name the issuer, spelt as in the `iss` of its tokens"
        )
        return
    yield from _text("issuer", issuer)
    if WILDCARD in issuer.text.partition("://")[0] + _host(issuer.text):
        yield Finding(
            "danger",
            "issuer",
            "a * in its host takes as issuer whoever gets a name there, and then anybody's tokens",
            "write the host out; a * may stand in the path",
        )
        return
    if issuer.text == own_issuer:
        yield Finding(
            "danger",
            "issuer",
            "that is this issuer itself: who has its tokens is no outside identity",
            "give the user the role, or make a role key",
        )
    try:
        addresses.check_url(issuer.text)
    except RefusedAddress as error:
        yield Finding("danger", "issuer", "no issuer can be trusted there", str(error))
    if issuer.is_pattern and WILDCARD in issuer.text:
        yield Finding(
            "doubt",
            "issuer",
            "every issuer that fits is believed about every subject",
            "a policy for each issuer, with its whole URL",
        )


def _audience(audience: str | None) -> Iterator[Finding]:
    if not audience:
        yield Finding(
            "danger",
            "audience",
            "it is missing: tokens that were made for other services would do",
            "this issuer's URL, and have the token made for it",
        )
    elif WILDCARD in audience:
        yield Finding("danger", "audience", "it is no pattern", "write out what the token is made for")


def _claims(policy: TrustPolicy) -> Iterator[Finding]:
    is_open = policy.subject is not None and policy.subject.is_pattern
    leaves_open = is_open and not naming.STAYS & policy.claims.keys()
    for name, expected in policy.claims.items():
        clause = f"claim {name}"
        yield from _text(clause, expected)
        if not name.isprintable():
            yield Finding("danger", "claim", "its name is not printable", "the name, as the token spells it")
        elif name in _OWN_CLAUSES:
            yield Finding("danger", clause, "it has a clause of its own", f"write {_OWN_CLAUSES[name]}")
        elif name in _TIMES:
            yield Finding("danger", clause, "times are checked for every token", "leave it out")
        elif expected.is_pattern and not any(part.strip(WILDCARD) for part in split(expected.text)[::2]):
            yield Finding(
                "danger", clause, "it takes every value", "write out what is fixed, or leave it out"
            )
        stays = naming.MUTABLE.get(name)
        if stays is not None and stays not in policy.claims and stays != "sub":
            yield Finding(
                "doubt",
                clause,
                "whoever gets the name after it was given up fits too",
                f"add the claim {stays}",
            )
        elif stays == "sub" and (policy.subject is None or policy.subject.is_pattern):
            yield Finding(
                "doubt", clause, "it can be changed, often by the one it names", "the exact subject"
            )
        if name in naming.CIRCUMSTANCES and leaves_open:
            yield Finding(
                "doubt",
                clause,
                "beside a pattern it is all that tells subjects apart, and whoever fits can choose it",
                "the exact subject, or add a claim that stays: repository_owner_id, project_id",
            )


def _text(clause: str, expected: Expected) -> Iterator[Finding]:
    """What no text and no pattern should hold."""
    text, shape = expected.text, naming.shape_of(expected.text)
    # A name that is made with dots may end in one and a *.
    looked_at = text.replace(".*", "*") if shape is not None and shape.is_dotted else text
    if not text or len(text) > MAX_TEXT or not text.isprintable():
        yield Finding(
            "danger", clause, "it is empty, too long or not printable", f"up to {MAX_TEXT} characters of text"
        )
    if expected.is_pattern and (sign := _OF_EXPRESSIONS.search(looked_at)) is not None:
        is_choice = sign[0] == "|"
        yield Finding(
            "danger",
            clause,
            "| is no choice here, and where it is one, what stands beside it is often not anchored"
            if is_choice
            else f"{sign[0]} belongs to regular expressions, which are not taken here",
            "a policy for each choice" if is_choice else "* for one or more characters up to the next / or :",
        )
    if expected.is_pattern and WILDCARD not in text:
        yield Finding("doubt", clause, "it is a pattern without *", "the exact text")
    if not expected.is_pattern and WILDCARD in text:
        yield Finding("doubt", clause, "it is compared letter by letter, * too", "a pattern, if one is meant")


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
