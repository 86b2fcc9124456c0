"""What is wrong with a trust policy before any token comes: what it says, why that is bad, what to write
instead.

A danger is never made; a doubt is, and stays in view. A pure function: nothing is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from issuer.outside.address import Addresses, RefusedAddress
from issuer.outside.pattern import WILDCARD, InvalidPattern, Pattern, split
from issuer.outside.policy import Expected, TrustPolicy

Level = Literal["danger", "doubt"]
MAX_TEXT = 1024
"""Characters of one clause."""
_OF_EXPRESSIONS = re.compile(r"\.\*|[|^$()\[\]{}\\?+]")
_OWN_CLAUSES = {"iss": "issuer", "sub": "subject", "aud": "audience"}
_TIMES = frozenset({"exp", "iat", "nbf"})
_ACCOUNT = "/kubernetes.io/serviceaccount/uid"
# What can be given up and taken by another, or chosen by the one it names; and what cannot.
_MUTABLE = {
    "repository": "repository_id",
    "repository_owner": "repository_owner_id",
    "actor": "actor_id",
    "project_path": "project_id",
    "namespace_path": "namespace_id",
    "user_login": "user_id",
    "user_email": "user_id",
    "email": "sub",
    "preferred_username": "sub",
    "upn": "oid",
    "name": "sub",
    "nickname": "sub",
    "username": "sub",
    "user_name": "sub",
    "login": "sub",
    "repository_name": "repository_id",
    "/kubernetes.io/namespace": _ACCOUNT,
    "/kubernetes.io/serviceaccount/name": _ACCOUNT,
}


@dataclass(frozen=True, slots=True)
class _Shape:
    """Subjects that are made of names, as some issuers write them."""

    beginning: str
    owners: int
    """How many segments behind the beginning say whose it is."""
    ids: tuple[str, ...]
    """Claims of which one binds it to what the names stood for when the policy was made."""
    is_shared: bool
    """Whether strangers have subjects at the same issuer."""


_SHAPES = (
    _Shape("repo:", 1, ("repository_id", "repository_owner_id"), is_shared=True),
    _Shape("project_path:", 1, ("project_id", "namespace_id"), is_shared=True),
    _Shape("organization:", 1, ("terraform_organization_id", "terraform_workspace_id"), is_shared=True),
    _Shape("system:serviceaccount:", 1, (_ACCOUNT,), is_shared=False),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    level: Level
    clause: str
    why: str
    instead: str


def lint(policy: TrustPolicy, addresses: Addresses, own_issuer: str) -> list[Finding]:
    """All that is wrong with it, dangers first. own_issuer: whose roles it would open."""
    found = [
        *_issuer(policy.issuer, addresses, own_issuer),
        *_subject(policy),
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


def _subject(policy: TrustPolicy) -> Iterator[Finding]:
    subject = policy.subject
    if subject is None:
        yield Finding(
            "danger",
            "subject",
            "it is missing: everybody who has a token of this issuer would be the role",
            "name the subject, spelt as in the `sub` of its tokens",
        )
        return
    yield from _text("subject", subject)
    shape = next((each for each in _SHAPES if subject.text.startswith(each.beginning)), None)
    segments = split(subject.text)[::2]
    if subject.is_pattern and not any(part.strip(WILDCARD) for part in segments):
        yield Finding(
            "danger",
            "subject",
            "it takes every subject of the issuer",
            "write out what is fixed, at least who the subject belongs to",
        )
    elif subject.is_pattern and shape is not None:
        yield from _wildcards(shape, segments)
    elif subject.is_pattern and subject.text.startswith(WILDCARD):
        yield Finding(
            "doubt",
            "subject",
            "it begins with *, where most issuers say whose it is: others may have subjects that fit",
            "write out the beginning",
        )
    if shape is not None and not any(name in policy.claims for name in shape.ids):
        yield Finding(
            "doubt",
            "subject",
            "it is made of names, and whoever gets a name after it was given up becomes the role",
            f"leave it, and add a claim that stays: {' or '.join(shape.ids)}",
        )


def _wildcards(shape: _Shape, segments: tuple[str, ...]) -> Iterator[Finding]:
    first = shape.beginning.count(":")
    owners, rest = segments[first : first + shape.owners], segments[first + shape.owners :]
    if any(WILDCARD in owner for owner in owners):
        yield Finding(
            "danger" if shape.is_shared else "doubt",
            "subject",
            f"a * behind {shape.beginning} takes the names of others too, also those made to fit it",
            "write out whose it is, up to the next / or :",
        )
    if "refs" in rest and WILDCARD in rest[-1]:
        yield Finding(
            "doubt",
            "subject",
            "whoever may push can make a branch or a tag that fits",
            "write out one that is protected, or use a protected environment",
        )
    elif rest and rest[-1] == WILDCARD and shape.beginning == "repo:":
        yield Finding(
            "doubt",
            "subject",
            "* crosses neither / nor :, so it takes pull_request and no branch, tag or environment",
            "write out what the job runs for: ref:refs/heads/main, environment:production",
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
        stays = _MUTABLE.get(name)
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


def _text(clause: str, expected: Expected) -> Iterator[Finding]:
    """What no text and no pattern should hold."""
    text = expected.text
    if not text or len(text) > MAX_TEXT or not text.isprintable():
        yield Finding(
            "danger", clause, "it is empty, too long or not printable", f"up to {MAX_TEXT} characters of text"
        )
    if expected.is_pattern and (sign := _OF_EXPRESSIONS.search(text)) is not None:
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
