"""Permissions in plain words, for whoever is asked to let a client have them."""

from __future__ import annotations

from issuer.clients import EMAIL, OFFLINE_ACCESS, OPENID, PROFILE
from verifier import Permission
from verifier.permission import EVERYTHING

_DAY = 86400


def of_permission(permission: Permission) -> str:
    """A sentence without its subject."""
    if permission == EVERYTHING:
        return "do everything that you may do"
    verb = "do anything with" if permission.verb == "*" else permission.verb.replace("-", " ")
    noun = "anything" if permission.noun == "*" else permission.noun.replace("-", " ")
    sentence = f"{verb} {_what(permission, noun)}"
    if permission.labels:
        labels = ", ".join(f"{name}={value}" for name, value in permission.labels)
        sentence += f" with the label{'s' if len(permission.labels) > 1 else ''} {labels}"
    return sentence


def of_policy(permission: Permission) -> str:
    """The same for what somebody holds, and nobody hands on to a client here."""
    return "do anything at all" if permission == EVERYTHING else of_permission(permission)


def of_word(word: str, session_lifetime: int) -> str:
    """The same for `openid` and the like."""
    known = {
        OPENID: "know your user name here",
        PROFILE: "know the name that you are shown by",
        EMAIL: "know your e-mail address",
        OFFLINE_ACCESS: f"do this while you are away too, for {max(1, session_lifetime // _DAY)} days",
    }
    return known.get(word, word)


def _what(permission: Permission, noun: str) -> str:
    if permission.is_prefix and not permission.name:
        return noun if noun == "anything" else f"every {noun}"
    if permission.is_prefix:
        return f"{noun} whose name begins with {permission.name}"
    return f"{noun} {permission.name}"
