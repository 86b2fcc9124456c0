"""What an operation refuses, in words for whoever is signed in, and beside the field that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from issuer import denials
from issuer.denials import BearerDenial, Denial, Refusal
from issuer.store.names import InvalidName
from issuer.store.refusals import Conflict, NotFound
from issuer.store.role_keys import NoSuchKey
from issuer.store.signing_keys import UnknownSigningKey
from verifier import InsufficientScope, InvalidPermission

REFUSALS = (
    Denial,
    BearerDenial,
    Conflict,
    NotFound,
    NoSuchKey,
    UnknownSigningKey,
    InvalidName,
    InvalidPermission,
)
"""What an operation raises that somebody may be able to mend in a form."""
_MENDED_IN_A_FORM = {"invalid_field", "conflict", "not_permitted", "insufficient_scope", "not_found"}


def for_people(error: Exception) -> Refusal:
    """As `denials.refusal`, but nobody here knows of tokens and challenges."""
    refused = denials.refusal(error)
    if isinstance(error, BearerDenial) and isinstance(error.error, InsufficientScope):
        detail = f"you would need the permission {error.error.permission}"
        return replace(refused, detail=detail, headers={}, members={})
    return refused


def by_field(error: Exception, fields: Mapping[str, str] | None = None) -> dict[str, str]:
    """What is wrong with a form, by field; "" is all of it. Raises `error` if the form is not to blame.

    fields: those of the operation that have another name in the form.
    """
    refused = for_people(error)
    if refused.code not in _MENDED_IN_A_FORM:
        raise error
    found = refused.members.get("errors")
    if not isinstance(found, list):
        return {"": refused.detail}
    renamed = fields or {}
    named = [(each["field"].partition(".")[0], each["message"]) for each in found]
    return {renamed.get(name, name): message for name, message in named}
