"""What is wrong with the subject of a trust policy, by the shapes that issuers give to subjects."""

from __future__ import annotations

from collections.abc import Iterator

from issuer.outside import naming
from issuer.outside.finding import Finding
from issuer.outside.naming import Shape
from issuer.outside.pattern import WILDCARD, split
from issuer.outside.policy import TrustPolicy


def look_over(policy: TrustPolicy) -> Iterator[Finding]:
    subject = policy.subject
    if subject is None:
        yield Finding(
            "danger",
            "subject",
            "it is missing: everybody who has a token of this issuer would be the role",
            "name the subject, spelt as in the `sub` of its tokens",
        )
        return
    shape = naming.shape_of(subject.text)
    if subject.is_pattern:
        yield from _wildcards(subject.text, shape)
    if shape is not None and shape.ids and not any(name in policy.claims for name in shape.ids):
        yield Finding(
            "doubt",
            "subject",
            "it is made of names, and whoever gets a name after it was given up becomes the role",
            f"leave it, and add a claim that stays: {' or '.join(shape.ids)}",
        )
    if naming.IDS & policy.claims.keys():
        return
    if naming.is_changeable(subject.text):
        yield Finding(
            "doubt",
            "subject",
            "it is a name or an e-mail address: they change, and whoever gets it next becomes the role",
            "the id that the issuer has for it, if there is one, or add a claim that holds it",
        )
    if naming.is_circumstance(subject.text):
        is_shared = policy.issuer is not None and policy.issuer.text in naming.SHARED
        yield Finding(
            "danger" if is_shared else "doubt",
            "subject",
            "it says what something runs for and not whose it is: whoever has such tokens can choose it",
            "a subject that begins with whose it is, or add a claim that stays: repository_id",
        )


def _wildcards(text: str, shape: Shape | None) -> Iterator[Finding]:
    """What a pattern of subjects leaves open."""
    segments = split(text)[::2]
    kind, *rest = segments
    if not any(part.strip(WILDCARD) for part in segments):
        yield Finding(
            "danger",
            "subject",
            "it takes every subject of the issuer",
            "write out what is fixed, at least who the subject belongs to",
        )
    elif shape is not None and shape.leaves_open_whose(segments):
        yield Finding(
            "danger" if shape.is_shared or shape.leaves_open_all(segments) else "doubt",
            "subject",
            f"a * behind {shape.beginning} takes the names of others too, also those made to fit it",
            "write out whose it is, up to the next / or :",
        )
    elif "://" in text and not any(part.strip(WILDCARD) for part in segments[4:]):
        yield Finding(
            "danger",
            "subject",
            "it takes every subject below this host: * in each segment is as good as one that crosses /",
            "write out the path, at least up to whose it is",
        )
    elif ":" in text and WILDCARD not in kind and rest and not any(part.strip(WILDCARD) for part in rest):
        yield Finding(
            "danger",
            "subject",
            f"of {kind}: it takes all that the issuer has",
            "write out whose it is",
        )
    elif text.startswith(WILDCARD):
        yield Finding(
            "doubt",
            "subject",
            "it begins with *, where most issuers say whose it is: others may have subjects that fit",
            "write out the beginning",
        )
    if shape is not None:
        yield from _circumstances(shape, segments)


def _circumstances(shape: Shape, segments: tuple[str, ...]) -> Iterator[Finding]:
    rest = shape.behind_owner(segments)
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
    elif shape.beginning == "spiffe://" and any(WILDCARD in part for part in rest[:-1]):
        yield Finding(
            "doubt",
            "subject",
            "a * before the last segment takes the workloads of others who chose the same name",
            "write out the path up to the last segment: ns/ml/sa/*",
        )
